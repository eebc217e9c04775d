"""The pages of cases, asked as a browser asks: who sees what at each step of a whole case."""

import html
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from support.acting import ScriptedAgent
from support.browser import Browser
from support.courtroom import ANSWERED, DECIDED, Courtroom, play_to
from support.hearings import DAY_MS, Hearing
from support.office import LiveServer, Office, new_home, stranger_offer
from support.simulator import START, seeded
from workseal_protocol.dispute import meaning
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act, CaseCalendar, DisputeAct, WithdrawalReason, read_record
from workseal_protocol.terms import Granularity
from workseal_verifier.api.pageform import HEADERS
from workseal_verifier.services import diaries, disputedhours

STEPS = ("notice", "answer", "negotiation", "evidence", "objection", "naming", "drawn",
         "disclosure", "comment", "draft", "appeal")  # fmt: skip
ROLES = (Role.CLIENT, Role.FREELANCER, Role.ARBITRATOR)


@dataclass
class Seen:
    """Hold what each of the three saw at one step, and what the protocol says of it."""

    case: dict[Role, str] = field(default_factory=dict)
    listed: dict[Role, str] = field(default_factory=dict)
    home: dict[Role, str] = field(default_factory=dict)
    allowed: dict[Role, tuple[str, ...]] = field(default_factory=dict)
    waiting: frozenset[Role] = frozenset()


def signer_of(room: Courtroom, role: Role) -> SeedSigner | None:
    """Return who has a role in a case; an arbitrator once somebody is drawn."""
    if role is Role.ARBITRATOR:
        return room.drawn if room.hearing.case.arbitrator is not None else None
    people = room.office.people
    return people.client if role is Role.CLIENT else people.freelancer


def look(room: Courtroom, live: LiveServer) -> Seen:
    """Ask for the pages as each of the three."""
    case = room.hearing.case
    seen = Seen(waiting=case.waiting_for)
    for role in ROLES:
        signer = signer_of(room, role)
        if signer is None:
            continue
        browser = Browser(room.office, live)
        browser.sign_in(signer)
        answers = [browser.ask("GET", path) for path in (room.path, "/cases", "/diary")]
        browser.close()
        assert [one.status_code for one in answers] == [200, 200, 200], answers[0].text
        seen.case[role], seen.listed[role], seen.home[role] = (one.text for one in answers)
        key = signer.public_key.thumbprint
        seen.allowed[role] = tuple(dict.fromkeys(case.allowed(key, room.office.now)))
    return seen


@dataclass
class World:
    """One case that was played to its decision, what was seen at each step, and its server."""

    room: Courtroom
    live: LiveServer
    seen: dict[str, Seen]

    def text(self, step: str, role: Role = Role.CLIENT) -> str:
        return words(self.seen[step].case[role])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    room = Courtroom(tmp_path_factory.mktemp("cases"))
    with LiveServer(room.office) as live:
        world = World(room, live, {})
        for step in STEPS:
            world.seen[step] = look(play_to(room, step), live)
        yield world
    assert room.office.check() == []
    room.office.close()


def words(text: str) -> str:
    """Return what a page says, without its markup."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


def section(text: str, name: str) -> str:
    """Return one section of a page by the id of its heading."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}".*', text, re.DOTALL)
    assert found, name
    rest = found.group()
    following = re.search(r'<section[^>]*aria-labelledby="(?!known-|word-)', rest[1:])
    return rest[: following.start() + 1] if following else rest


# --- who sees what ---


def test_all_three_read_the_same_of_the_case(world: World) -> None:
    for step in STEPS:
        seen = world.seen[step]
        for name in ("question", "hours", "desk", "known", "draw", "record", "limits"):
            parts = {section(text, name) for text in seen.case.values()}
            assert len(parts) == 1, (step, name)


def test_each_is_told_who_they_are_and_offered_their_own_moves_alone(world: World) -> None:
    for step in STEPS:
        seen = world.seen[step]
        for role, text in seen.case.items():
            assert f"you are the {role.name.lower()}" in words(text)
            offered = re.findall(r'<dd><pre class="bytes"[^>]*aria-label="([a-z-]+)"', text)
            assert sorted(offered) == sorted(seen.allowed[role]), (step, role)


def test_every_move_is_an_exact_command_of_its_role(world: World) -> None:
    digits = str(world.room.hearing.case.case)[:12]
    commands = {
        role: words(" ".join(seen.case[role] for seen in world.seen.values() if role in seen.case))
        for role in ROLES
    }
    end = f"--from http://localhost:{world.live.port} --key KEYFILE"
    assert (
        f"workseal case act offer {digits} --text 'TEXT' --amount AMOUNT {end}"
        in commands[Role.CLIENT]
    )
    assert f"workseal-agent case act answer {digits} --text 'TEXT' " in commands[Role.FREELANCER]
    assert (
        f"workseal case act ask {digits} --level LEVEL --count COUNT" in commands[Role.ARBITRATOR]
    )
    assert "workseal-agent disclose request.cose" in commands[Role.FREELANCER]
    told = ((one.digest, read_record(one)) for one in world.room.hearing.told)
    offer = next(each for each, one in told if isinstance(one, DisputeAct) and one.act is Act.OFFER)
    assert f"workseal case act accept {digits} --cite {offer} {end}" in commands[Role.CLIENT]
    for role in (Role.CLIENT, Role.ARBITRATOR):
        assert "workseal-agent" not in commands[role]


def test_nobody_sees_a_frame_or_anything_that_was_opened(world: World) -> None:
    """The server has none; a page that showed one would have an image or a drawing of it."""
    frames = world.room.agent.frames
    for seen in world.seen.values():
        for text in seen.case.values():
            assert re.findall(r"<(?:img|canvas|video|object|embed|iframe|image)\b", text) == []
            assert "data:" not in text
            assert not any(one.seed.hex() in text or one.pixels.hex() in text for one in frames)


def test_whoever_is_not_in_it_hears_the_same_as_of_no_case(world: World) -> None:
    room = world.room
    office = room.office
    office.post([stranger_offer(office, "cases")])
    other = SeedSigner(seeded(office.seed, "other client", "cases"))
    for signer in (other, room.not_drawn, office.people.operator):
        browser = Browser(office, world.live)
        browser.sign_in(signer)
        answers = [
            browser.ask("GET", path)
            for path in (room.path, f"/cases/{'e' * 64}", f"/cases/{room.hearing.case.head}")
        ]
        assert {one.status_code for one in answers} == {404}
        assert len({one.content for one in answers}) == 1
        told = [{k: v for k, v in one.headers.items() if k != "date"} for one in answers]
        assert told.count(told[0]) == 3
        assert room.path not in browser.ask("GET", "/cases").text
        browser.close()


def test_who_is_not_signed_in_or_comes_from_elsewhere_is_not_let_in(world: World) -> None:
    browser = Browser(world.room.office, world.live)
    for path in ("/cases", world.room.path):
        answer = browser.ask("GET", path)
        assert answer.status_code == 401
        assert 'href="/"' in answer.text
    browser.sign_in(world.room.office.people.client)
    for path in ("/cases", world.room.path):
        assert browser.ask("GET", path, sec_fetch_site="cross-site").status_code == 403
        assert browser.ask("GET", path, drop="sec-fetch-site").status_code == 403
        assert browser.ask("GET", path, host="elsewhere.example").status_code == 421
        assert browser.ask("GET", path, sec_fetch_site="none").status_code == 200
    refused = browser.ask("GET", "/cases/x", referer=f"{browser.origin}{world.room.path}")
    assert refused.status_code == 400
    assert f'href="{world.room.path}">Back to the case<' in refused.text
    browser.close()


def test_every_page_has_the_strict_headers_and_reading_changes_nothing(world: World) -> None:
    office = world.room.office
    size = office.verifier.sequencer.current.size
    browser = Browser(office, world.live)
    browser.sign_in(office.people.freelancer)
    for path in ("/cases", world.room.path, "/cases/" + "f" * 64):
        answer = browser.ask("GET", path)
        assert HEADERS.items() <= dict(answer.headers).items(), path
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "set-cookie" not in answer.headers
        assert re.findall(r"<style| style=| on[a-z]+=|<script(?! type=\"module\" src=\"/static/)",
                          answer.text) == []  # fmt: skip
        assert re.findall(r"(?:src|href|action)=\"(?!/|#)", answer.text) == []
        # No field for a text: what is signed is written where the key is.
        assert re.findall(r"<textarea|<input(?![^>]*type=\"file\")", answer.text) == []
    for path in ("/cases", world.room.path):
        assert browser.ask("POST", path).status_code == 405
    assert office.verifier.sequencer.current.size == size
    browser.close()


# --- what it says ---


def test_the_list_says_whose_turn_it_is_until_when_and_what_silence_does(world: World) -> None:
    for step in STEPS:
        seen = world.seen[step]
        for role, text in seen.listed.items():
            assert ("Your turn" in text) is (role in seen.waiting), (step, role)
            assert ("Your turn" in seen.case[role]) is (role in seen.waiting), (step, role)
    told = words(world.seen["answer"].listed[Role.CLIENT])
    assert "The freelancer is awaited until" in told
    assert "By silence a second notice goes out" in told
    mine = words(world.seen["answer"].listed[Role.FREELANCER])
    assert "You are awaited until" in mine


def test_where_one_comes_in_is_said_what_waits_and_until_when(world: World) -> None:
    path = world.room.path
    for step in STEPS:
        seen = world.seen[step]
        for role, text in seen.home.items():
            told = words(text)
            if role in seen.waiting:
                until = re.findall(r"until <strong>([^<]*)</strong>", text)
                assert "1 case waits for you" in told, (step, role)
                assert until[0] in words(seen.case[role]), (step, role)
            else:
                assert "none waits for you" in told, (step, role)
                assert "Your turn" not in told
            # Of an agreement an arbitrator reads from the draw on; whose case it is says its line.
            assert text.count(f'href="{path}"') == (role in seen.waiting) + 1, (step, role)
    office = world.room.office
    other = SeedSigner(seeded(office.seed, "other client", "home"))
    office.post([stranger_offer(office, "home")])
    browser = Browser(office, world.live)
    browser.sign_in(other)
    told = browser.ask("GET", "/diary").text
    browser.close()
    assert "case" not in words(told).replace("Cases", "").lower()
    assert path not in told


def test_a_deadline_is_told_on_everybodys_clock_the_readers_first(tmp_path: Path) -> None:
    room = Courtroom(tmp_path)
    room.hearing.file(
        begin=room.office.now - DAY_MS,
        end=room.office.now,
        calendar=CaseCalendar(name="US", zone="America/New_York", weekend=0b1100000),
    )
    with LiveServer(room.office) as live:
        seen = look(room, live)
    due = room.hearing.case.due
    assert due is not None
    assert due.due is not None
    for role, first in ((Role.CLIENT, "America/New_York"), (Role.FREELANCER, "Europe/Berlin")):
        text = words(section(seen.case[role], "stand"))
        zones = re.findall(r"America/New_York|Europe/Berlin", text.partition("It ends")[2])
        assert (zones[0], set(zones[:2])) == (first, {"America/New_York", "Europe/Berlin"})
        assert "(UTC+0100)" in text
        assert "(UTC\N{MINUS SIGN}0" in text
    assert f"{due.due.days} working days of DE-BY" in words(seen.case[Role.CLIENT])
    room.office.close()


def test_a_deadline_that_passed_says_so(tmp_path: Path) -> None:
    room = Courtroom(tmp_path).filed().noticed()
    room.hearing.pass_due()
    with LiveServer(room.office) as live:
        text = words(look(room, live).case[Role.FREELANCER])
        assert "That moment has passed" in text
        assert "is taken and marked as late" in text
        room.hearing.act(Role.FREELANCER, Act.ANSWER)
        record = section(look(room, live).case[Role.CLIENT], "record")
    assert record.count('class="late"') == 1
    room.office.close()


def test_the_question_and_all_sums_stand_together(world: World) -> None:
    text = words(section(world.seen["appeal"].case[Role.CLIENT], "question"))
    assert "700.00 EUR are at stake; 21.97 EUR is what the record bills for the days" in text
    # As the pages of the agreement count it; what was declared stands beside.
    assert "Recorded in these hours 13 min 37 s" in text
    assert "Beside it, declared afterwards 13 min 20 s" in text
    assert "The freelancer offers, statement 4 350.00 EUR" in text
    assert "The arbitrator decides, statement 33 425.00 EUR" in text


def test_other_peoples_words_are_shown_and_do_nothing(world: World) -> None:
    text = world.seen["notice"].case[Role.FREELANCER]
    assert "<b>these" not in text
    assert "\u202e" not in text
    assert "nothing came of <b>these</b> hours\\u202e" in words(text)


def test_the_time_line_has_each_day_its_grades_gaps_missed_and_withdrawn(world: World) -> None:
    part = section(world.seen["notice"].case[Role.CLIENT], "hours")
    lines = re.findall(r"<svg.*?</svg>", part, re.DOTALL)
    assert len(lines) == 2
    assert lines[0].count('class="missed"') == lines[0].count('class="withdrawn"') == 1
    for mark in ("working", "off-screen", "sealed", "late-declared", "graded"):
        assert f'class="{mark}"' in lines[0], mark
    assert 'class="missed"' not in lines[1]
    # The dispute ends in the middle of the second day.
    text = words(part)
    assert "Captures missed 1" in text
    assert "Frames withdrawn 1 of" in text
    assert "Offline: without the verifier 30 s" in text
    assert "Paused within a session 45 s" in text
    assert "Mon 2 Mar 2026 0:23:37" in text


def test_frames_whose_agreed_days_are_over_are_told_apart(tmp_path: Path) -> None:
    """To delete what one need not keep is nothing to explain in a dispute."""
    page, count = page_of_frames_that_went(tmp_path, before=3)
    part = section(page, "hours")
    assert f"Frames withdrawn 0 of {count}" in words(part)
    assert "after this case was filed" not in words(page)
    assert f"Deleted once the agreed days were over {count} of {count}" in words(part)
    assert re.findall(r'data-name="(Withdrawn|Agreed days over)">([^<]*)<', part) == [
        ("Withdrawn", "0"),
        ("Agreed days over", str(count)),
    ]
    assert 'class="withdrawn"' not in part.partition("<ul")[0]
    known = words(section(page, "known"))
    assert f"{count} frames were deleted once the agreed days were over" in known
    assert f"What {count} frames showed that had been kept for the agreed days" in known
    assert "withdrawn" not in known
    checked = words(section(page, "desk"))
    assert f"0 of them withdrawn and {count} deleted once the agreed days were over" in checked
    assert "the terms let" not in checked


def test_frames_that_went_after_the_filing_are_withdrawn_whatever_their_reason(
    tmp_path: Path,
) -> None:
    page, count = page_of_frames_that_went(tmp_path, before=1)
    part = words(section(page, "hours"))
    assert f"Frames withdrawn {count - 1} of {count}" in part
    assert f"Of these, after this case was filed {count - 1}" in part
    assert f"Deleted once the agreed days were over 1 of {count}" in part
    known = words(section(page, "known"))
    assert f"{count - 1} frames were withdrawn, {count - 1} of them after this case" in known
    assert "1 frame was deleted once the agreed days were over, before this case" in known
    checked = words(section(page, "desk"))
    gone = f"{count - 1} of them withdrawn ({count - 1} after the case was filed) and 1 deleted"
    assert gone in checked
    # Their days were over: that is a question here, and no limit of the terms was passed.
    assert "the terms let" not in checked


def page_of_frames_that_went(tmp_path: Path, *, before: int) -> tuple[str, int]:
    """Delete frames whose days were over, so many before a case is filed; count all of them."""
    office = Office(new_home(tmp_path)).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536, retention_days=1))
    agent.open_session()
    agent.work(3 * office.round_ms)
    agent.send()
    agent.close_session()
    end = office.now
    office.now += 2 * DAY_MS
    kept = list(agent.frames)
    for frame in kept[:before]:
        agent.withdraw(frame, WithdrawalReason.RETENTION)
    hearing = Hearing(office, agent.engagement, agent.terms).file(begin=START, end=end)
    for frame in kept[before:]:
        agent.withdraw(frame, WithdrawalReason.RETENTION)
    with LiveServer(office) as live:
        browser = Browser(office, live)
        browser.sign_in(office.people.client)
        page = browser.ask("GET", f"/cases/{hearing.case.case}").text
        browser.close()
    office.close()
    return page, len(kept)


def test_the_hours_are_those_of_the_diarys_pages(world: World) -> None:
    office = world.room.office
    browser = Browser(office, world.live)
    browser.sign_in(office.people.client)
    day = browser.ask("GET", f"/diary/{world.room.agent.engagement.hex()}/day?of=2026-03-02").text
    assert "10 min 17 s" in words(day)
    browser.close()
    # With the 13:20 that were declared.
    table = words(section(world.seen["notice"].case[Role.CLIENT], "hours"))
    assert "Mon 2 Mar 2026 0:23:37" in table


def test_what_is_proved_claimed_and_unknown_stands_in_three_columns(world: World) -> None:
    text = words(section(world.seen["appeal"].case[Role.ARBITRATOR], "known"))
    proved, _, rest = text.partition(" Claimed ")
    claimed, _, unknown = rest.partition(" Unknown ")
    assert "were signed and cosigned within a minute" in proved
    assert "1 frame was withdrawn; the commitment and the time stayed" in proved
    assert "it holds for 1 of 1 frame" in proved
    assert "The client says: hours that were not worked, 700.00 EUR" in claimed
    assert "14 min 20 s were declared: the freelancer's word" in claimed
    assert "have no record, and 45 s are pauses" in unknown
    assert "What 1 withdrawn frame showed" in unknown
    assert "frames show that were not drawn" in unknown
    assert "frames show that were drawn and asked for and not shown." in unknown
    # Every round owes a capture here; those of the half minute without the verifier are its own.
    taken = re.findall(r"(\d+) captures were taken and (\d+) missed at instants that were", proved)
    foreseen = re.findall(
        r"(\d+) of (\d+) captures were in rounds that the owner of the machine could foresee",
        claimed,
    )
    assert foreseen
    assert sum(map(int, taken[0])) + int(foreseen[0][0]) == int(foreseen[0][1])
    assert foreseen[0][0] == "3"
    early = words(section(world.seen["answer"].case[Role.CLIENT], "known"))
    assert "The freelancer has not answered; that says nothing" in early
    assert "activity is committed to, and not opened" in early


def test_the_desk_finds_and_does_not_judge(world: World) -> None:
    text = words(section(world.seen["evidence"].case[Role.ARBITRATOR], "desk"))
    assert "1 cover nothing noticed" in text
    assert "2 schedule nothing noticed" in text
    assert "--only 2 --proof" in text
    assert "asks a question" in text
    for word in ("fraud", "suspicious", "cheat", "guilty", "score", "trust level"):
        assert word not in text.lower()


def test_the_ladder_says_where_the_case_stands_and_what_was_asked(world: World) -> None:
    early = words(section(world.seen["notice"].case[Role.CLIENT], "ladder"))
    assert "Nothing has been asked for" in early
    assert "L1 openings of activity" in early
    assert "a ruling 2880 statements of work" in early
    assert "a ruling and two approvals 4 frames" in early
    assert re.search(r"L1 .*? may be asked for next L2 .*? not before the level below", early)
    for state in ("draft", "appeal"):
        past = words(section(world.seen[state].case[Role.CLIENT], "ladder"))
        assert re.search(r"L3 .*? not asked for L4 .*? not asked for", past)
        assert "may be asked for next" not in past
    asked = words(section(world.seen["objection"].case[Role.CLIENT], "ladder"))
    assert re.search(r"L2 .*? asked for L3", asked)
    assert "The freelancer objects, too wide: six would tell the same" in asked
    assert "Not ruled on" in asked
    ruled = words(section(world.seen["comment"].case[Role.CLIENT], "ladder"))
    assert "Ruling: narrow , at most 6 frames" in ruled
    assert "Request 1 level 1, at most 1 statement of work," in ruled
    counted = r"these hours [1-9][0-9]+ have activity that can be opened; 1 was granted"
    assert re.search(counted, ruled)
    assert "The freelancer shows tiles" in ruled
    assert "wrong freeze" in ruled
    assert "third party nda" in ruled
    assert "By default the client never sees a frame" in ruled


def test_the_draw_shows_all_that_it_is_computed_from(world: World) -> None:
    case = world.room.hearing.case
    sample = case.sample
    assert sample is not None
    assert sample.seed is not None
    before = words(section(world.seen["naming"].case[Role.CLIENT], "draw"))
    assert "Not drawn yet" in before
    assert "secrets are taken until" in before
    assert sample.seed.hex() not in before
    text = words(section(world.seen["drawn"].case[Role.CLIENT], "draw"))
    for value in (str(case.case), str(sample.freeze.root), sample.seed.hex(),
                  *(one.hex() for one in sample.commitments.values()),
                  *(one.hex() for one in sample.secrets.values())):  # fmt: skip
        assert value in text
    assert ", ".join(map(str, case.drawn or ())) in text
    assert meaning(sample.freeze.strata, sample.size, 20) in text
    assert text.count(", which leads to it") == 2
    assert "not revealed, so left out" in text
    assert "which the operator had committed to" in text
    assert "the same seed, the same places" in text
    assert "compared with it, here" in text
    assert "workseal case show --terms acceptance.cose case.cbor --json" in text
    named = words(section(world.seen["disclosure"].case[Role.CLIENT], "draw"))
    assert re.search(r"The \d frames that statement 26 names were all drawn", named)


def test_last_words_and_a_decision_with_what_it_cites(world: World) -> None:
    draft = words(section(world.seen["draft"].case[Role.FREELANCER], "words"))
    assert "Draft of the decision" in draft
    text = section(world.seen["appeal"].case[Role.FREELANCER], "words")
    told = words(text)
    assert "my last word: too much" in told
    assert "my last word: too little" in told
    assert DECIDED in told
    assert "Upheld in part , 425.00 EUR" in told
    assert '<a href="#s0">statement 0</a>: the client files the case' in text
    assert '<a href="#s2">statement 2</a>: the freelancer answers' in text
    cited = world.room.agent.made[3]
    place = world.room.office.acknowledged[cited[0].digest]
    assert f"entry {place} of the log, segment, of" in told
    assert str(cited[0].digest) in told
    assert ANSWERED in words(section(world.seen["negotiation"].case[Role.CLIENT], "record"))


def test_every_statement_stands_there_in_its_order(world: World) -> None:
    record = section(world.seen["appeal"].case[Role.CLIENT], "record")
    digests = re.findall(r"^(?:<pre.*<code>)?\d+ ([0-9a-f]{64})$", record, re.MULTILINE)
    assert digests == [str(one.digest) for one in world.room.hearing.told]
    assert re.findall(r'id="s(\d+)"', record) == [str(n) for n in range(len(digests))]
    for number, statement in enumerate(world.room.hearing.told):
        place = world.room.office.verifier.records.position(statement.digest)
        assert f"entry {place} " in record, (number, read_record(statement))


def test_what_cannot_be_proved_is_said_at_every_step(world: World) -> None:
    for seen in world.seen.values():
        for text in seen.case.values():
            told = words(section(text, "limits"))
            assert "not proven that the screen was not staged" in told
            assert "not proven who sat at the machine" in told
            assert "whether it was any good" in told
            assert "Thinking, talking and paper leave no record" in told


def test_custody_tells_what_was_handed_over_and_when_it_ends(world: World) -> None:
    text = words(section(world.seen["appeal"].case[Role.ARBITRATOR], "custody"))
    assert "the freelancer shows tiles ; 1 frame; the tiles are not in this statement" in text
    assert "it holds for 1 of 1 frame" in text
    assert "destroyed 90 days after the closing" in text
    assert "workseal open" in text
    assert "workseal open" not in words(section(world.seen["appeal"].case[Role.CLIENT], "custody"))


# --- other ends ---


def test_what_is_withheld_proves_nothing_by_itself(tmp_path: Path) -> None:
    room = play_to(Courtroom(tmp_path), "disclosure").withheld()
    with LiveServer(room.office) as live:
        seen = look(room, live)
    ladder = words(section(seen.case[Role.ARBITRATOR], "ladder"))
    assert "The freelancer withholds: third party nda . Nothing follows from a refusal" in ladder
    unknown = words(section(seen.case[Role.CLIENT], "known"))
    assert "withheld, as third party nda; a refusal proves nothing by itself" in unknown
    room.office.close()


def test_silence_about_a_request_is_told_as_that(tmp_path: Path) -> None:
    room = play_to(Courtroom(tmp_path), "disclosure").lapsed()
    with LiveServer(room.office) as live:
        seen = look(room, live)
        ladder = words(section(seen.case[Role.CLIENT], "ladder"))
        assert "Nothing was shown in time. Nothing follows from that by itself" in ladder
        assert re.search(r"L2 .*? reached: 0 of \d drawn shown L3", ladder)
        room.commented().stayed()
        stayed = words(look(room, live).case[Role.CLIENT])
    assert "Nothing is due until the stay ends" in stayed
    assert "illness" in stayed
    room.office.close()


def test_a_case_ends_sealed_and_destroyed_and_its_arbitrator_reads_no_more(world: World) -> None:
    """It moves the case of this module on: by an appeal, to another person, to its end."""
    room = world.room
    first = room.drawn
    room.appealed()
    second = room.drawn
    assert first is not second
    browsers = {}
    for signer in (first, second):
        browsers[signer.public_key.thumbprint] = browser = Browser(room.office, world.live)
        browser.sign_in(signer)
    assert browsers[first.public_key.thumbprint].ask("GET", room.path).status_code == 404
    assert browsers[second.public_key.thumbprint].ask("GET", room.path).status_code == 200
    review = words(look(room, world.live).case[Role.CLIENT])
    assert "Words on the appeal" in review
    room.heard().decided()
    assert room.hearing.case.state == "final"
    assert "The decision stands" in words(look(room, world.live).case[Role.ARBITRATOR])
    room.hearing.pass_due().act(Role.OPERATOR, Act.LAPSE)
    browser = Browser(room.office, world.live)
    browser.sign_in(second)
    assert browser.ask("GET", room.path).status_code == 404
    # They still find it, and what to type: its key is theirs to destroy.
    listed = browser.ask("GET", "/cases").text
    digits = str(room.hearing.case.case)[:12]
    assert f"workseal case show {digits}" in listed
    assert f'href="{room.path}"' not in listed
    assert "case act destroy" not in listed
    assert room.path not in browser.ask("GET", "/diary").text
    room.hearing.pass_due()
    browser.sign_in(second)
    assert f"workseal case act destroy {digits}" in browser.ask("GET", "/cases").text
    sealed = Browser(room.office, world.live)
    sealed.sign_in(room.office.people.client)
    text = words(sealed.ask("GET", room.path).text)
    assert "Sealed: these pages are closed to the arbitrator" in text
    assert "Earlier decision" in text
    for one in (browser, sealed, *browsers.values()):
        one.close()


def test_an_agreement_by_the_day_shows_no_hours_and_no_minutes(tmp_path: Path) -> None:
    room = Courtroom(tmp_path, granularity=Granularity.DAY).filed()
    with LiveServer(room.office) as live:
        text = look(room, live).case[Role.CLIENT]
    part = section(text, "hours")
    assert "<svg" not in part
    assert "no hours and no minutes" in words(part)
    assert "Paused" not in words(part)
    assert "Mon 2 Mar 2026 0:23:37" in words(part)
    assert "longest stretch" not in words(section(text, "desk"))
    room.office.close()


def test_sums_that_are_not_whole_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Courtroom(tmp_path).filed()
    with LiveServer(room.office) as live:
        monkeypatch.setattr(diaries, "MOST_ANEW", 0)
        monkeypatch.setattr(disputedhours, "MOST_IN_WEEK", 3)
        text = words(look(room, live).case[Role.CLIENT])
        assert "1 week is not counted here yet" in text
        assert "as far as counted" in text
        assert "Too many statements tell of these hours" in text
        monkeypatch.undo()
        books: OrderedDict[bytes, object] = OrderedDict()
        monkeypatch.setattr(room.office.verifier.services.diaries, "_books", books)
        assert "not counted here yet" not in words(look(room, live).case[Role.CLIENT])
    room.office.close()


def test_a_draw_that_comes_out_otherwise_is_not_hidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    room = play_to(Courtroom(tmp_path), "drawn")
    services = room.office.verifier.services
    plain = services.hearings.view
    monkeypatch.setattr(type(services.beacon), "is_committed", lambda *_: False)

    def otherwise(filing: object, asker: object) -> object:
        view = plain(filing, asker)  # type: ignore[arg-type]
        sample = view.case.sample
        assert sample is not None
        forged = replace(view.case, sample=replace(sample, seed=bytes(32)))
        return replace(view, case=forged)

    monkeypatch.setattr(type(services.hearings), "view", lambda _, *rest: otherwise(*rest))
    with LiveServer(room.office) as live:
        text = words(look(room, live).case[Role.CLIENT])
    assert "which is not the one that the operator had committed to" in text
    assert "the draw comes out otherwise. Do not rely on this page" in text
    room.office.close()


def test_the_list_has_all_cases_of_a_party_and_those_where_somebody_sits(tmp_path: Path) -> None:
    room = Courtroom(tmp_path).filed()
    other = Hearing(room.office, room.agent.engagement, room.terms)
    other.file(Role.FREELANCER, text="not paid", amount=90_000)
    with LiveServer(room.office) as live:
        seen = look(room, live)
        browser = Browser(room.office, live)
        browser.sign_in(room.office.people.arbitrator)
        assert "There is none that this key may read" in browser.ask("GET", "/cases").text
        browser.close()
    text = seen.listed[Role.CLIENT]
    places = [text.index(str(one.case.case)) for one in (other, room.hearing)]
    assert places == sorted(places)
    assert "workseal case file ABOUT" in text
    room.office.close()
