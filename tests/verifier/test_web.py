"""The pages of parties, asked as a browser asks: who sees what, in which words and bytes."""

import html
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from fastapi import Request, Response

from support.browser import Browser
from support.diarist import MONDAY, Told, tell
from support.office import LiveServer, Office, new_home, stranger_offer, unique
from support.scripted import ScriptedAgent
from support.simulator import DAY_MS, ROUND_MS, START, seeded
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import DeclarationForm, Offer, SheetAnswer, WithdrawalReason, sign
from workseal_protocol.terms import Granularity
from workseal_verifier.api.pageform import HEADERS
from workseal_verifier.api.routing import operations
from workseal_verifier.services import diaries
from workseal_verifier.services.access import TABLE, About
from workseal_verifier.web import days, render
from workseal_verifier.web.render import FOLDER, page

WEEK, DAY = f"/week?of={MONDAY}", f"/day?of={MONDAY}"
MINUTE = f"/minute?of={MONDAY}&at=10:03"
PAGES = ("", WEEK, DAY, MINUTE)


@dataclass
class World:
    """One server, and a browser for whoever signs in."""

    told: Told
    live: LiveServer
    browsers: list[Browser]

    def browser(self, signer: SeedSigner | None = None) -> Browser:
        made = Browser(self.told.office, self.live)
        self.browsers.append(made)
        if signer is not None:
            made.sign_in(signer)
        return made

    def page(self, signer: SeedSigner, path: str = "") -> str:
        answer = self.browser(signer).ask("GET", self.told.path + path)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    told = tell(tmp_path_factory.mktemp("web"))
    with LiveServer(told.office) as live:
        world = World(told, live, [])
        yield world
        for one in world.browsers:
            one.close()
    assert told.office.check() == []
    told.office.close()


def words(text: str) -> str:
    """Return what a page says, without its markup."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


def test_the_way_in_is_open_and_each_file_is_what_it_says(world: World) -> None:
    browser = world.browser()
    door = browser.ask("GET", "/", sec_fetch_site="cross-site")
    assert door.status_code == 200
    assert f"workseal sign-in {browser.origin} --key KEYFILE" in door.text
    for name in ("app.css", "app.js", "door.js", "icon.svg"):
        answer = browser.ask("GET", f"/static/{name}")
        assert answer.content == (FOLDER / "static" / name).read_bytes()
        assert HEADERS.items() <= dict(answer.headers).items()
    for name in ("app.py", "..%2fweb.py", "APP.CSS", "%00"):
        assert browser.ask("GET", f"/static/{name}").status_code == 404


def test_both_parties_see_the_same_bytes_but_for_the_answering(world: World) -> None:
    people = world.told.office.people
    for path in PAGES:
        client, freelancer = (
            world.page(signer, path) for signer in (people.client, people.freelancer)
        )
        # The answer is the client's to give: nobody else is told how.
        bare = re.sub(
            r"  <details[^>]*>\s*<summary>Accept.*?</details>\n", "", client, flags=re.DOTALL
        )
        assert bare == freelancer
        assert (bare != client) is (path == WEEK)


def test_every_page_has_the_strict_headers_and_stays_in_no_cache(world: World) -> None:
    browser = world.browser(world.told.office.people.client)
    paths = ["/", "/diary", *(world.told.path + path for path in PAGES), "/diary/" + "f" * 32]
    for path in paths:
        answer = browser.ask("GET", path)
        assert HEADERS.items() <= dict(answer.headers).items(), path
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "set-cookie" not in answer.headers
        # Nothing inline: no style, no handler, no script of its own; nothing from elsewhere.
        assert re.findall(r"<style| style=| on[a-z]+=|<script(?! type=\"module\" src=\"/static/)",
                          answer.text) == []  # fmt: skip
        assert re.findall(r"(?:src|href|action)=\"(?!/|#)", answer.text) == []


def test_reading_changes_nothing(world: World) -> None:
    size = world.told.office.verifier.sequencer.current.size
    for path in PAGES:
        world.page(world.told.office.people.client, path)
    assert world.told.office.verifier.sequencer.current.size == size
    browser = world.browser(world.told.office.people.client)
    for path in PAGES:
        assert browser.ask("POST", world.told.path + path).status_code == 405


def test_what_is_not_for_somebody_looks_like_what_does_not_exist(world: World) -> None:
    office = world.told.office
    stranger = SeedSigner(seeded(office.seed, "other client", "web"))
    offer = stranger_offer(office, "web")
    office.post([offer])
    other = f"/diary/{unique(office, 'web').hex()}"
    nothing = f"/diary/{'e' * 32}"
    browser = world.browser(stranger)
    for path in PAGES:
        answers = [browser.ask("GET", one + path) for one in (world.told.path, nothing)]
        assert [one.status_code for one in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        told = [{k: v for k, v in one.headers.items() if k != "date"} for one in answers]
        assert told[0] == told[1]
        assert browser.ask("GET", other + path).status_code == 200
    # An arbitrator reads from a request of their own on.
    assert world.browser(office.people.arbitrator).ask("GET", world.told.path).status_code == 404


def test_who_is_not_signed_in_is_led_to_the_way_in(world: World) -> None:
    browser = world.browser()
    for path in ("/diary", world.told.path):
        answer = browser.ask("GET", path)
        assert answer.status_code == 401
        assert 'href="/"' in answer.text
    signed = world.browser(world.told.office.people.client)
    assert signed.ask("GET", "/diary", sec_fetch_site="cross-site").status_code == 403
    assert signed.ask("GET", "/diary", sec_fetch_site="none").status_code == 200


def test_the_list_has_what_the_key_may_read(world: World) -> None:
    office = world.told.office
    seen = {
        who: world.browser(getattr(office.people, who)).ask("GET", "/diary").text
        for who in ("client", "freelancer", "arbitrator", "operator")
    }
    for who, text in seen.items():
        assert (world.told.path in text) is (who in {"client", "freelancer"})
    assert "<dd>client</dd>" in seen["client"]
    assert "<dd>2 Mar 2026</dd>" in seen["freelancer"]


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 3, 2), date(2026, 3, 2), "2 Mar 2026"),
        (date(2026, 3, 2), date(2026, 4, 8), "2 Mar to 8 Apr 2026"),
        (date(2025, 12, 29), date(2026, 1, 4), "29 Dec 2025 to 4 Jan 2026"),
    ],
)
def test_days_are_written_as_people_say_them(first: date, last: date, text: str) -> None:
    assert render.days(first, last) == text


def test_real_and_billed_stand_side_by_side_with_their_rule(world: World) -> None:
    for path in ("", WEEK, DAY):
        text = words(world.page(world.told.office.people.client, path))
        assert "Really worked 10 min 37 s" in text
        assert "Billed 17 min 00 s" in text
        assert "13 min 20 s were declared afterwards" in text
        assert "Each day is rounded down, in steps of 1 min 00 s" in text
        assert "declared afterwards at 50 %" in text


def test_grades_captures_and_the_withdrawn_share_are_told(world: World) -> None:
    text = words(world.page(world.told.office.people.client, WEEK))
    assert "Offline: without the verifier 30 s" in text
    frames = len(world.told.agent.frames) + 1
    assert f"Frames withdrawn 1 of {frames}" in text
    assert f"Withdrawn share of captures {-(-1000 // frames) / 10} %" in text
    for word in ("score", "rank"):
        assert text.lower().count(word) == (1 if word == "score" else 0)
    assert "it is no score" in text
    assert "show it by the stretch of work, as agreed, beside the time that was worked" in text


def test_frames_that_were_kept_as_long_as_agreed_are_no_withdrawn_share(tmp_path: Path) -> None:
    """That is what comes of every agreement; the limit leaves them out, too."""
    office = Office(new_home(tmp_path)).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536, retention_days=1))
    agent.open_session()
    agent.work(3 * ROUND_MS)
    agent.send()
    agent.close_session()
    taken_back, *kept = list(agent.frames)
    count = len(agent.frames)
    agent.withdraw(taken_back)
    office.now += 2 * DAY_MS
    for frame in kept:
        agent.withdraw(frame, WithdrawalReason.RETENTION)
    path = f"/diary/{agent.engagement.hex()}"
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.client)
        for page in (path, path + WEEK):
            text = words(browser.ask("GET", page).text)
            assert f"Frames withdrawn 1 of {count}" in text
            assert f"Withdrawn share of captures {-(-1000 // count) / 10} %" in text
            assert f"Deleted once the agreed days were over {count - 1} of {count}" in text
        column = re.findall(r'data-name="Withdrawn">([^<]*)<', browser.ask("GET", path).text)
        assert column == ["1"]
        browser.close()
    office.close()


def test_a_day_tells_every_stretch_and_its_gaps(world: World) -> None:
    text = words(world.page(world.told.office.people.client, DAY))
    assert "10:03:04 10:03:49 Paused 0 s" in text
    assert "10:04:52 10:05:52 Away from the screen 1 min 00 s declared" in text
    assert "10:05:52 10:06:32 Sealed 40 s" in text
    assert "40 min 45 s are gaps" in text


def test_a_minute_names_its_statements_their_grade_and_what_is_not_proven(world: World) -> None:
    told = world.told
    text = words(world.page(told.office.people.client, MINUTE))
    assert "15 s of this minute are counted" in text
    for statement, record in told.agent.made:
        begin = getattr(record, "begin", 0)
        if START + 180_000 <= begin < START + 240_000:
            place = told.office.acknowledged[statement.digest]
            assert f"Entry {place} of the log" in text
            assert str(statement.digest) in text
    assert "Its grade is online : it holds the verifier's value" in text
    assert "52 s after its round ended" in text
    assert "It is not proven who sat at the machine" in text
    assert "workseal verify BUNDLE --policy POLICY" in text


def test_a_minute_of_which_nothing_is_told_says_so(world: World) -> None:
    text = words(world.page(world.told.office.people.client, f"/minute?of={MONDAY}&at=03:00"))
    assert "0 s of this minute are counted" in text
    assert "No statement in the log so far claims this time" in text
    # Before the week's first record nothing tells a pause from no session.
    assert "Nothing was recorded: paused, or no session was open." in text


def test_a_minute_says_no_more_than_can_be_known_of_it(world: World) -> None:
    """One after the last record may wait on a machine that is offline; one to come is not yet."""
    client = world.told.office.people.client
    later = words(world.page(client, "/minute?of=2026-03-02&at=23:59"))
    assert world.told.office.now < START + 14 * 3_600_000  # it is still to come
    assert "It is still to come." in later
    now = datetime.fromtimestamp(world.told.office.now / 1000, ZoneInfo("Europe/Berlin"))
    ago = (now - timedelta(minutes=1)).strftime("%H:%M")
    text = words(world.page(client, f"/minute?of={MONDAY}&at={ago}"))
    assert "or its record has not reached the log." in text
    for told in (later, text):
        assert "no session was open. " not in told.replace("paused, or no session was open.", "")
    # Between two sessions of the week it is known.
    assert "has not reached" not in words(world.page(client, MINUTE))


def test_a_minute_of_very_many_statements_says_how_many_are_not_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.told.office.people.client
    whole = world.page(client, MINUTE).count("of the log <small>")
    assert whole > 1
    assert "not shown here" not in world.page(client, MINUTE)
    monkeypatch.setattr("workseal_verifier.web.days._MOST_TOLD", 1)
    page = world.page(client, MINUTE)
    assert page.count("of the log <small>") == 1
    assert f"{whole - 1} more of this minute are not shown here" in words(page)


def test_a_timesheet_is_reviewed_with_the_command_that_signs(world: World) -> None:
    told = world.told
    digits = str(told.sheet.digest)[:12]
    page = world.page(told.office.people.client, WEEK)
    text = words(page)
    assert f"Timesheet {digits}" in text
    assert "It agrees with the record." in text
    # Another's words are text: neither markup nor anything that turns the line around.
    assert "what was done on &lt;b&gt;Monday&lt;/b&gt;?\\u202e" in page
    for said in ("--accept", "--question &#39;TEXT&#39;", "--object &#39;TEXT&#39;"):
        assert f"--timesheet {digits} {said} --send http://localhost:" in page
    assert "<textarea" not in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{WEEK}&x=1", 400),
        ("/week", 400),
        ("/week?of=2026-3-2", 400),
        ("/week?of=20260302", 400),
        ("/week?of=9999-12-31", 400),
        ("/week?of=0001-01-01", 400),
        ("/day?of=2026-02-30", 400),
        (f"/minute?of={MONDAY}&at=24:00", 400),
        (f"/minute?of={MONDAY}&at=9:05", 400),
        ("/minute?of=2026-03-29&at=02:30", 404),
        ("/year", 404),
        ("/week?of=2030-01-01", 200),
        ("/day?of=1971-01-01", 200),
    ],
)
def test_addresses_that_are_none_are_refused_with_a_page(
    world: World, path: str, status: int
) -> None:
    answer = world.browser(world.told.office.people.client).ask("GET", world.told.path + path)
    assert answer.status_code == status
    assert answer.text.startswith("<!doctype html>")


NAMES = ("", "x", "..", "%2e%2e", "f" * 31, "F" * 32, "f" * 33, "g" * 7_000, "%00", "%ff", "%20")
QUERIES = (
    "x=1", "of=2026-03-02&of=2026-03-03", "of", "=", "%ff=%ff", "of[]=1", f"of={'9' * 6_000}",
    "&".join(f"a{number}" for number in range(900)), "size=1&size=2", "size=-1", "from=1e3",
    "count=99999999999999999999", "before=x", "of=20260302&at=10:03", "of=2026-W10-1&at=10:03",
    "of=2026-13-01&at=10:03", "of=0000-01-01&at=10:03", "of=%EF%BC%92026-03-02&at=10:03",
    "of=2026-03-02%00&at=10:03", f"of={MONDAY}&at=10:3%C2%B2",
)  # fmt: skip


def test_whatever_stands_in_an_address_of_a_page_gets_a_page(world: World) -> None:
    """What is in no description, and so is asked by no drawn request."""
    office = world.told.office
    size = office.verifier.sequencer.current.size
    browser = world.browser(office.people.client)
    own = world.told.agent.engagement.hex()
    pages = [
        name.removeprefix("GET ")
        for name, route in operations(world.live.app.routes)
        if name.startswith("GET ") and not route.include_in_schema
    ]
    assert len(pages) >= 10
    for path in pages:
        asked = [re.sub(r"{[^}]+}", one, path) for one in NAMES] if "{" in path else []
        asked += [f"{re.sub(r'{[^}]+}', own, path)}?{query}" for query in QUERIES]
        for one in asked:
            answer = browser.ask("GET", one)
            assert answer.status_code < 500, (one[:80], answer.status_code)
            if answer.status_code >= 400:
                assert answer.text.startswith(("<!doctype html>", '{"type": "urn:')), one[:80]
                assert len(answer.content) < 4_000, one[:80]
    assert browser.reads() == 200
    assert office.verifier.sequencer.current.size == size


def test_nothing_tells_an_agreement_of_others_from_none(world: World) -> None:
    office = world.told.office
    office.post([stranger_offer(office, "swept")])
    browser = world.browser(office.people.client)
    asked = 0
    for name, _ in operations(world.live.app.routes):
        path = name.removeprefix("GET ")
        if TABLE[name].about is not About.ENGAGEMENT or path == name:
            continue
        day = f"?of={MONDAY}&at=10:03" if "minute" in path else f"?of={MONDAY}"
        query = day if "/diary/{name}/" in path else ""
        one, two = (
            browser.ask("GET", path.replace("{name}", each) + query)
            for each in (unique(office, "swept").hex(), "e" * 32)
        )
        assert one.status_code == 404, name
        assert (one.status_code, one.content) == (two.status_code, two.content), name
        asked += 1
    assert asked >= 8


def test_a_time_that_comes_twice_is_explained_twice(world: World) -> None:
    text = world.page(world.told.office.people.client, "/minute?of=2026-10-25&at=02:30")
    assert "this time came more than once" in text
    assert "02:30:00 (UTC+0200)" in text
    assert "02:30:00 (UTC+0100)" in text


def test_a_week_says_what_was_accepted_already_and_what_a_replacement_leaves_out(
    tmp_path: Path,
) -> None:
    told = tell(tmp_path)
    whole = str(told.sheet.digest)[:12]
    told.agent.reply(told.sheet, SheetAnswer.ACCEPTED)
    rest = MONDAY + timedelta(days=1), MONDAY + timedelta(days=6)
    told.agent.sum_up(*rest, replaces=told.sheet.digest)
    told.office.now += 1
    alone = told.agent.sum_up(MONDAY, MONDAY)
    with LiveServer(told.office) as live:
        browser = Browser(told.office, live)
        browser.sign_in(told.office.people.client)
        text = words(browser.ask("GET", told.path + WEEK).text)
        assert f"The client accepted {MONDAY} in it, and what stands for it is not about" in text
        assert f"Accepted in {whole} as well: {MONDAY}. They count there." in text
        # Another program than ours accepts it all the same.
        told.agent.reply(alone, SheetAnswer.ACCEPTED)
        text = words(browser.ask("GET", told.path + WEEK).text)
        assert f"The client accepted {MONDAY} again later, in another timesheet" in text
        assert "is not about" not in text
        browser.close()
    told.office.close()


Seen = Callable[[], tuple[list[str], str]]
OTHERWISE = "Of these days the log has other hours than were accepted in it:"


@contextmanager
def minute_of_work(folder: Path) -> Iterator[tuple[ScriptedAgent, Seen]]:
    """Work for a minute; tell what its week has under *Timesheet*, and what its own page says."""
    office = Office(new_home(folder)).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(rounding_ms=0))
    agent.open_session()
    agent.work(60_000)
    agent.send()
    path = f"/diary/{agent.engagement.hex()}"
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.client)

        def seen() -> tuple[list[str], str]:
            text = browser.ask("GET", path).text
            (cell,) = re.findall('data-name="Timesheet">([^<]*)<', text)
            told = [one.strip() for one in re.findall("<p>(Accepted: [^<]*)<", text)]
            return [cell, *told], words(browser.ask("GET", path + WEEK).text)

        yield agent, seen
        browser.close()
    office.close()


def test_all_weeks_say_what_was_accepted_of_their_hours_and_no_more(tmp_path: Path) -> None:
    with minute_of_work(tmp_path) as (agent, seen):
        assert seen()[0] == ["none"]
        both = agent.sum_up(MONDAY, MONDAY + timedelta(days=13))
        assert seen()[0] == ["no answer"]
        agent.verifier.now += 1
        agent.reply(both, SheetAnswer.ACCEPTED)
        column, week = seen()
        assert (column, OTHERWISE in week) == (["accepted"], False)
        agent.work(600_000)
        agent.send()
        column, week = seen()
        assert column == ["accepted in part", "Accepted: 0:01:00 of 0:11:00."]
        assert f"{OTHERWISE} Mon 2 Mar, 0:01:00 of 0:11:00." in week
        second = MONDAY + timedelta(days=7), MONDAY + timedelta(days=13)
        agent.sum_up(*second, replaces=both.digest)
        column, week = seen()
        assert column == ["accepted in part", "Accepted: 0:01:00 of 0:11:00."]
        assert "here it goes on counting" in week
        assert f"{OTHERWISE} Mon 2 Mar, 0:01:00 of 0:11:00." in week


def test_all_weeks_tell_late_time_apart_and_what_was_accepted_at_another_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with minute_of_work(tmp_path) as (agent, seen):
        agent.reply(agent.sum_up(MONDAY, MONDAY), SheetAnswer.ACCEPTED)
        agent.pause(60_000)
        now = agent.verifier.now
        agent.declare(DeclarationForm.LATE, now - 50_000, now - 20_000, 30_000)
        agent.reply(agent.sum_up(MONDAY, MONDAY), SheetAnswer.QUESTION, "half a minute more?")
        late = "and 0:00:00 of 0:00:30 declared later"
        assert seen()[0] == ["accepted in part, asked", f"Accepted: 0:01:00 of 0:01:00, {late}."]
        agent.verifier.now += 1
        agent.reply(agent.sum_up(MONDAY, MONDAY, amount=1), SheetAnswer.ACCEPTED)
        all_of_it = "0:01:00 of 0:01:00, and 0:00:30 of 0:00:30 declared later"
        assert seen()[0] == ["accepted, not as recorded, asked", f"Accepted: {all_of_it}."]
        agent.work(10_000)
        agent.send()
        assert OTHERWISE in seen()[1]
        # Days that are cut elsewhere are other days.
        monkeypatch.setattr("workseal_verifier.services.diaries.ZoneInfo", _no_zone)
        assert seen()[0] == ["accepted, not checked here, asked"]
        assert OTHERWISE not in seen()[1]


def test_all_weeks_say_that_older_timesheets_were_not_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.told.office.people.client
    assert "answers the newest" not in words(world.page(client))
    monkeypatch.setattr("workseal_verifier.services.sheetreview.MOST_SHEETS", 1)
    assert "answers the newest" in words(world.page(client))


def _no_zone(name: str) -> ZoneInfo:
    raise ZoneInfoNotFoundError(name)


def test_an_agreement_by_the_day_shows_no_hours_and_no_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tell(tmp_path, granularity=Granularity.DAY)
    with LiveServer(told.office) as live:
        browser = Browser(told.office, live)
        browser.sign_in(told.office.people.client)
        text = browser.ask("GET", told.path + DAY).text
        assert "Really worked" in text
        assert "10 min 37 s" in text
        assert "no hours and no minutes" in text
        assert "show it by the day, as agreed" in text
        assert re.findall(r"10:0[0-9]", text) == []
        assert browser.ask("GET", told.path + MINUTE).status_code == 404
        # A page is given none: what a template leaves out may stand in its next version.
        given: dict[str, Any] = {}

        def seen(request: Request, template: str, /, **context: Any) -> Response:
            given.update(context)
            return page(request, template, **context)

        monkeypatch.setattr(days, "page", seen)
        assert browser.ask("GET", told.path + DAY).status_code == 200
        assert (given["stretches"], given["hours"], given["length_ms"]) == ((), [], 0)
        browser.close()
    told.office.close()


def test_an_arbitrator_reads_from_their_own_request_on(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.arbitrator)
        path = f"/diary/{agent.engagement.hex()}"
        assert browser.ask("GET", path).status_code == 404
        assert path not in browser.ask("GET", "/diary").text
        agent.request(agent.frames[:1])
        assert browser.ask("GET", path).status_code == 200
        assert path in browser.ask("GET", "/diary").text
        week = browser.ask("GET", path + WEEK).text
        assert "Accept, ask or object" not in week
        browser.close()
    office.close()


def test_agreements_of_the_same_two_name_each_other_and_no_others(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    first = ScriptedAgent(office, terms=office.terms())
    first.open_session()
    first.work(2 * ROUND_MS)
    first.send()
    rate = office.terms(rate_minor_per_hour=9_000)
    second = ScriptedAgent(office, terms=rate, engagement=b"of other terms!!")
    people = office.people
    # The freelancer's agreement with somebody else is none of this client's.
    office.people = replace(people, client=SeedSigner(b"\x0b" * 32))
    third = ScriptedAgent(office, terms=office.terms(), engagement=b"somebody else's.")
    office.people = people
    one, two, three = (each.engagement.hex() for each in (first, second, third))
    # The client alone names another rate: nobody has agreed to it.
    cheap = Offer(
        engagement=b"never accepted!!",
        claimed_at=office.now,
        terms=office.terms(rate_minor_per_hour=100),
    )
    office.post([sign(cheap, people.client)])
    open_ = cheap.engagement.hex()
    with LiveServer(office) as live:
        for signer, seen in ((people.client, False), (people.freelancer, True)):
            browser = Browser(office, live)
            browser.sign_in(signer)
            pages = [browser.ask("GET", f"/diary/{name}").text for name in (one, two, open_)]
            assert "The same two have also agreed:" in words(pages[0])
            assert f"Agreement {two[:8]} : 90.00 EUR an hour, no work in the log" in words(pages[0])
            assert f"Agreement {one[:8]} : 65.00 EUR an hour, work 2 Mar 2026" in words(pages[1])
            for text in pages[:2]:
                # What one of them alone signed is agreed by nobody.
                assert "1.00 EUR" not in words(text)
                assert open_[:8] not in text
                assert "What both signed" in words(text)
            assert f"Offer {open_[:8]} Days and weeks" in words(pages[2])
            assert "What the client offers" in words(pages[2])
            assert "The freelancer has not accepted it" in words(pages[2])
            assert "What both signed" not in words(pages[2])
            assert "The same two have agreed:" in words(pages[2])
            assert f"Agreement {one[:8]} : 65.00 EUR an hour, work 2 Mar 2026" in words(pages[2])
            assert not any(three[:8] in text for text in pages)
            listed = words(browser.ask("GET", "/diary").text)
            assert (three in listed) is seen
            assert f"Offer {open_[:8]}" in listed
            assert listed.count("offered, and not accepted") == 1
            browser.close()
    office.close()


def test_an_offer_alone_has_an_empty_diary(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path)).open()
    office.now = START
    record = Offer(engagement=bytes(16), claimed_at=office.now, terms=office.terms())
    office.post([sign(record, office.people.client)])
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.client)
        for path, told in (("", "No work is in the log yet"), (DAY, "No work of this day")):
            assert told in browser.ask("GET", f"/diary/{'0' * 32}{path}").text
        browser.close()
    office.close()


def test_the_day_that_is_shown_is_that_of_the_terms(world: World) -> None:
    """Work began at 9 in UTC; the agreement counts in Berlin."""
    text = world.page(world.told.office.people.client, DAY)
    assert "Europe/Berlin" in text
    assert date(2026, 3, 2) == MONDAY
    assert "10:01:00" in text


def test_an_agreement_says_which_timesheets_wait_and_how_others_were_answered(
    tmp_path: Path,
) -> None:
    told = tell(tmp_path)
    with LiveServer(told.office) as live:
        browser = Browser(told.office, live)
        browser.sign_in(told.office.people.client)
        text = words(browser.ask("GET", told.path).text)
        assert "no answer of the client" not in text
        assert "asked Each week's money" in text
        told.office.now += 60_000
        later = told.agent.sum_up(MONDAY, date(2026, 3, 8), replaces=told.sheet.digest)
        text = words(browser.ask("GET", told.path).text)
        assert "A timesheet has no answer of the client yet: 2 Mar to 8 Mar 2026" in text
        assert "no answer Each week's money" in text
        told.office.now += 60_000
        told.agent.reply(later, SheetAnswer.ACCEPTED)
        text = words(browser.ask("GET", told.path).text)
        assert "no answer of the client" not in text
        assert "accepted Each week's money" in text
        browser.close()
    told.office.close()


def test_timesheets_that_are_too_many_to_read_are_told_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workseal_verifier.services.sheetreview.MOST_SHEETS", 1)
    text = words(world.page(world.told.office.people.client, WEEK))
    assert "a bundle has all, and workseal verify lists them" in text
    assert "has signed none" not in text


def test_many_weeks_stand_by_year_with_its_sums(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.told.office.people.client
    assert "2026: 1 week" not in words(world.page(client))
    monkeypatch.setattr("workseal_verifier.web.agreements._MOST_OPEN", 0)
    text = words(world.page(client))
    assert "2026: 1 week, 10 min 37 s worked, 17 min 00 s billed, 18.42 EUR" in text


def test_sums_that_are_not_whole_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diaries, "MOST_ANEW", 0)
    monkeypatch.setattr(world.told.office.verifier.services.diaries, "_books", OrderedDict())
    text = words(world.page(world.told.office.people.client))
    assert "1 week is not counted here yet" in text
    assert "Really worked, in the weeks counted so far 0 s" in text
