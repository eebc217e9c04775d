import html
import re
import time
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.builders import FREELANCER
from support.paged import PASSPHRASE, PagedHome, Visitor, recorded
from workseal_agent.connection import Departures
from workseal_agent.day import bounds, entries_of
from workseal_agent.evidence import prove
from workseal_agent.ledger import LedgerKey, SendState
from workseal_agent.pages import agreement, machine, today
from workseal_agent.pages.render import FOLDER, hms, size, span
from workseal_agent.pages.unlocked import KEPT_MS, Keys, Unlocked
from workseal_agent.pages.words import load_words
from workseal_agent.possessionweeks import Said
from workseal_protocol.days import DayTotal
from workseal_protocol.records import Label, Segment
from workseal_protocol.terms import Granularity, WorkClass, plain_language
from workseal_protocol.terms.plain import amount_text
from workseal_protocol.totals import totals_of
from workseal_protocol.window import Entry

SOURCES = [*FOLDER.rglob("*.py"), *(FOLDER / "templates").glob("*.html")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    with recorded(tmp_path_factory.mktemp("pages"), seconds=605, capture_rate=65_536) as home:
        yield home


def state(home: PagedHome) -> str:
    told = home.desk.running()
    assert told is not None
    return str(told["state"])


def test_today_tells_the_true_total_and_the_state(visitor: Visitor) -> None:
    text = visitor.get("/today").text
    assert "10 min 05 s" in text
    assert "Working" in text
    assert "Nothing is wrong." in text


@pytest.mark.parametrize(
    ("act", "after"),
    [("pause", "paused"), ("resume", "working"), ("sealed", "sealed"), ("working", "working")],
)
def test_the_buttons_act_at_once(visitor: Visitor, home: PagedHome, act: str, after: str) -> None:
    answer = visitor.post("/act", act=act)
    assert (answer.status_code, answer.headers["location"]) == (303, "/today")
    assert state(home) == after
    text = visitor.get("/today").text
    assert load_words()[f"did.{act}"] in text
    # It is told once.
    assert load_words()[f"did.{act}"] not in visitor.get("/today").text


def test_pausing_keeps_the_part_of_the_round_and_stopping_ends_it(tmp_path: Path) -> None:
    home = PagedHome(tmp_path)
    home.rig.recorder.start()
    home.rig.work(25)
    with home.recording(), home.served() as server:
        visitor = Visitor(server).enter()
        visitor.post("/act", act="pause")
        home.rig.clock.run(300)
        assert "25 s" in visitor.get("/today").text
        visitor.post("/act", act="stop")
        assert state(home) == "stopped"
        assert "25 s" in visitor.get("/today").text
        visitor.close()


def test_a_memo_goes_to_the_recording_process_alone(visitor: Visitor, home: PagedHome) -> None:
    assert visitor.post("/act", act="off-screen", memo="a sketch").status_code == 303
    memo = home.rig.ledger.memo(home.rig.engagement.id)
    assert memo is not None
    assert memo.text == "a sketch"
    assert "a sketch" not in visitor.get("/today").text
    refused = visitor.post("/act", act="off-screen", memo="m" * 2_001)
    assert refused.status_code == 422
    assert "A memo describes work away from the screen" in refused.text
    visitor.post("/act", act="working")


def test_an_act_that_does_not_exist_is_refused(visitor: Visitor, home: PagedHome) -> None:
    answer = visitor.post("/act", act="erase")
    assert answer.status_code == 422
    assert "There is no such button on these pages." in answer.text
    assert state(home) == "working"


def test_each_picture_of_the_day_is_on_the_line_and_linked_in_the_table(
    visitor: Visitor, home: PagedHome
) -> None:
    rows = home.rig.ledger.captures(home.rig.engagement.id)
    text = visitor.get("/today?day=2026-03-02").text
    ticks = re.findall(r'class="shot" data-picture="(\d+)"', text)
    assert ticks == [str(one.number) for one in rows]
    linked = re.findall(r'href="/pictures/(\d+)" aria-label="Picture \1, taken at 10:', text)
    most = today._MOST_PICTURES
    assert linked == [str(one.number) for one in rows[:most]]
    assert visitor.get(f"/pictures/{linked[-1]}").status_code == 200
    assert len(rows) <= most or f"and {len(rows) - most} more" in text


def test_more_pictures_than_a_row_holds_are_in_the_gallery(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "_MOST_PICTURES", 2)
    text = visitor.get("/today?day=2026-03-02").text
    assert re.search(r'<a href="/pictures\?day=2026-03-02">and \d+ more</a>', text)


def test_a_minute_is_explained(visitor: Visitor) -> None:
    text = visitor.get("/today/minute?day=2026-03-02&at=10:05").text
    assert "1 min 00 s of this minute are counted as worked." in text
    assert "Recorded, and proved within a minute." in text
    assert "Picture" in text
    text = visitor.get("/today/minute?day=2026-03-02&at=09:00").text
    assert "0 s of this minute are counted as worked." in text
    assert "recording was not on" in text


def test_why_nothing_was_recorded_is_told_after_the_passphrase(tmp_path: Path) -> None:
    home = PagedHome(tmp_path)
    home.rig.recorder.start()
    home.rig.work(60)
    home.rig.clock.suspend(600)
    home.rig.work(60)
    home.rig.recorder.stop()
    with home.served() as server:
        visitor = Visitor(server).enter()
        path = "/today/minute?day=2026-03-02&at=10:05"
        text = visitor.get(path).text
        assert "What the agent noted about it" in text
        assert "slept for" not in text
        visitor.post("/unlock", passphrase=PASSPHRASE, back=path)
        text = visitor.get(path).text
        assert re.search(r"The machine slept for (10 min 00|9 min 59) s", text)
        visitor.close()
    home.rig.ledger.close()


@pytest.mark.parametrize(
    "address",
    ["/today?day=x", "/today?day=0001-01-01", "/today/minute?at=25:00", "/today/minute"],
)
def test_what_cannot_be_meant_is_one_sentence(visitor: Visitor, address: str) -> None:
    answer = visitor.get(address)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_the_client_sees_what_the_terms_say(tmp_path: Path) -> None:
    home = PagedHome(tmp_path, granularity=Granularity.DAY)
    home.rig.recorder.start()
    home.rig.work(100)
    with home.served() as server:
        visitor = Visitor(server).enter()
        assert "One figure for the day" in visitor.get("/today").text
        assert "only as a part of the day" in visitor.get("/today/minute?at=10:00").text
        visitor.close()
    home.rig.ledger.close()


def test_without_a_recording_process_it_says_how_to_begin(tmp_path: Path) -> None:
    home = PagedHome(tmp_path)
    with home.served() as server:
        visitor = Visitor(server).enter()
        text = visitor.get("/today").text
        assert "Not recording" in text
        assert "workseal-agent start" in text
        assert "Nothing was recorded on this day." in text
        answer = visitor.post("/act", act="pause")
        assert answer.status_code == 409
        assert "The agent is not recording" in answer.text
        visitor.close()


def test_a_wrong_passphrase_opens_nothing(visitor: Visitor, home: PagedHome) -> None:
    answer = visitor.post("/unlock", passphrase=PASSPHRASE[:-1], back="/today")
    assert answer.status_code == 422
    assert home.desk.unlocked.use() is None
    answer = visitor.post("/unlock", passphrase=PASSPHRASE, back="/today")
    assert answer.headers["location"] == "/today"
    keys = home.desk.unlocked.use()
    assert keys is not None
    assert keys.vault == home.private
    assert repr(home.private) not in repr(keys)
    visitor.post("/lock")
    assert home.desk.unlocked.use() is None


@pytest.mark.parametrize("back", ["//evil.test/x", "http://evil.test", "javascript:1", ""])
def test_unlocking_leads_nowhere_else(visitor: Visitor, back: str) -> None:
    answer = visitor.post("/unlock", passphrase=PASSPHRASE, back=back)
    assert answer.headers["location"] == "/pictures"


def test_the_key_is_forgotten_after_the_last_look() -> None:
    now = [0]
    unlocked = Unlocked(lambda: now[0])
    keys = Keys(b"key", LedgerKey(FREELANCER))
    unlocked.keep(keys)
    now[0] = KEPT_MS - 1
    assert unlocked.use() is keys
    now[0] += KEPT_MS - 1
    assert unlocked.left_ms() == 1
    now[0] += 1
    assert unlocked.left_ms() == 0
    assert unlocked.use() is None


def test_the_key_is_forgotten_though_nobody_asks() -> None:
    begun = time.monotonic()
    unlocked = Unlocked(lambda: int((time.monotonic() - begun) * 1000), kept_ms=50)
    unlocked.keep(Keys(b"key", LedgerKey(FREELANCER)))
    unlocked.keep(Keys(b"another", LedgerKey(FREELANCER)))
    end = time.monotonic() + 20
    while unlocked._keys is not None:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_every_text_is_in_the_one_file_and_used() -> None:
    used: set[str] = set()
    prefixes: set[str] = set()
    for path in SOURCES:
        text = path.read_text()
        used |= set(re.findall(r"""\b(?:t|say)\(\s*["']([a-z_]+\.[a-z_0-9-]+)["'][,)]""", text))
        prefixes |= set(re.findall(r"""\b(?:t|say)\(\s*f?["']([a-z_]+\.)["'{]""", text))
    words = load_words()
    assert used <= set(words), used - set(words)
    unused = {
        name
        for name in words
        if name.removesuffix("_alone") not in used and name.partition(".")[0] + "." not in prefixes
    }
    assert unused == set()


def test_no_page_has_a_text_of_its_own() -> None:
    """What stands between the tags of a template comes from the file, names of commands apart."""
    for path in (FOLDER / "templates").glob("*.html"):
        text = re.sub(r"\{[{%#].*?[}%#]\}", "", path.read_text(), flags=re.DOTALL)
        text = re.sub(r"<code>.*?</code>", "", text, flags=re.DOTALL)
        told = re.findall(r">([^<>]*[A-Za-z]{2}[^<>]*)<", text)
        assert told == [], (path.name, told)


def test_no_page_has_code_or_style_inside() -> None:
    for path in (FOLDER / "templates").glob("*.html"):
        text = path.read_text()
        assert not re.search(r"""\s(on[a-z]+|style)=["']""", text), path.name
        assert all(" src=" in one for one in re.findall(r"<script[^>]*>", text)), path.name
        assert "<style" not in text, path.name
        assert not re.search(r"""(src|href|action)=["']https?:""", text), path.name


def test_every_form_that_changes_something_has_its_secret() -> None:
    for path in (FOLDER / "templates").glob("*.html"):
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL):
            assert 'name="form" value="{{ form }}"' in form, path.name


def test_the_words_are_plain() -> None:
    tables = tomllib.loads((FOLDER / "words" / "en.toml").read_text())
    texts = " ".join(text for table in tables.values() for text in table.values()).lower()
    for jargon in ("hash", "merkle", "segment", "tombstone", "cbor", "daemon", "ledger", "payload"):
        assert not re.search(rf"\b{jargon}", texts), jargon


def test_figures_are_written_as_people_say_them() -> None:
    assert [span(ms) for ms in (0, 999, 61_000, 3_600_000, 36_065_999)] == [
        "0 s", "0 s", "1 min 01 s", "1 h 00 min 00 s", "10 h 01 min 05 s",
    ]  # fmt: skip
    assert [size(n) for n in (0, 1023, 1536, 5 << 20, 3 << 30)] == [
        "0 bytes", "1023 bytes", "1.5 KiB", "5.0 MiB", "3.0 GiB",
    ]  # fmt: skip


def test_the_agreement_stands_in_the_words_that_both_signed(
    visitor: Visitor, home: PagedHome
) -> None:
    text = html.unescape(visitor.get("/agreement").text)
    for sentence in plain_language(home.rig.engagement.terms):
        assert sentence in text


def test_a_week_is_what_the_clients_tools_count(visitor: Visitor, home: PagedHome) -> None:
    text = visitor.get("/agreement/week?of=2026-03-02").text
    totals = totals_of(home.rig.engagement.terms, entries(home), ZoneInfo("Europe/Berlin"))
    head, row, *_ = re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
    assert "Declared later" in head
    cells = re.findall(r'class="num">([^<]*)</td>', row)
    (day,) = totals.days
    # What was declared later stands beside the true time, as on the client's page.
    assert cells[:2] == [hms(day.recorded_ms), hms(day.late_ms)]
    assert amount_text(totals.billed.amount, totals.billed.currency) in text
    assert "Nothing was recorded in this week." in visitor.get("/agreement/week?of=2026-02-02").text
    assert visitor.get("/agreement/week?of=never").status_code == 400


def test_late_time_of_a_day_stands_beside_its_true_time(home: PagedHome) -> None:
    worked = dict.fromkeys(WorkClass, 0)
    worked |= {WorkClass.WORKING: 600_000, WorkClass.LATE_DECLARED: 540_000}
    row = agreement._day(home.rig.engagement.terms, DayTotal(date(2026, 3, 2), worked, 0))
    assert (row["recorded_ms"], row["late_ms"]) == (600_000, 540_000)


def entries(home: PagedHome) -> list[Entry]:
    begin, end = bounds(date(2026, 3, 2), ZoneInfo("Europe/Berlin"))
    return entries_of(home.rig.ledger, home.rig.engagement, begin, end)


def test_every_byte_that_left_can_be_seen(visitor: Visitor, home: PagedHome) -> None:
    listed = Departures(home.settings.sent_file).newest()
    assert len(listed) > 50
    for row in (listed[0], listed[-1]):
        method, path, body = next(
            one for one in home.requests if one[2] == row.body and one[0] == row.method
        )
        assert row.target.partition("?")[0] == path
        assert method == row.method
        whole = visitor.get(f"/left/{row.number}/bytes").content
        assert whole == row.head + body
        shown = visitor.get(f"/left/{row.number}").text
        assert all(one in shown for one in (body[:16].hex(" "), f"Request {row.number}"))
    assert "/left?before=" in visitor.get("/left").text
    assert "Signed records" in visitor.get("/left?kind=statements").text
    assert "Nothing of this kind has left." in visitor.get("/left?kind=disclosures").text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/left/999999", 404), ("/left?kind=%25", 400), ("/left?before=x", 400),
     ("/left?before=-1", 400), ("/pictures/999999", 404)],
)  # fmt: skip
def test_what_cannot_be_meant_or_is_not_there_is_refused(
    visitor: Visitor, path: str, status: int
) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    assert "Nothing was changed." in answer.text


def test_an_open_page_has_a_day_added_up_only_when_something_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded(tmp_path, seconds=65) as home, home.served() as server:
        visitor = Visitor(server).enter()
        read: list[object] = []
        real = home.rig.ledger.told_of

        def noted(*of: Any) -> Any:
            read.append(of)
            return real(*of)

        monkeypatch.setattr(home.rig.ledger, "told_of", noted)
        told = [visitor.get("/live").json()["exact"] for _ in range(3)]
        home.rig.clock.run(4)
        told.append(visitor.get("/live").json()["exact"])
        assert told == ["Exactly: 1 min 05 s"] * 3 + ["Exactly: 1 min 09 s"]
        assert len(read) == 1
        home.rig.work(30)
        assert visitor.get("/live").json()["exact"] == "Exactly: 1 min 39 s"
        assert len(read) == 2
        visitor.close()


def test_the_machine_tells_what_waits_and_what_is_stored(visitor: Visitor, home: PagedHome) -> None:
    text = visitor.get("/machine").text
    assert str(home.home) in text
    assert "it sends by itself" in text
    visitor.ask("GET", "/today", headers={"host": "rebind.test"})
    assert "these pages are not at this address" in visitor.get("/machine").text


def test_the_machine_tells_how_far_the_weekly_proof_has_come(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is nothing to say before the second week" in visitor.get("/machine").text
    told = Said(3, 14, 2, SendState.RECEIPTED, None, 1_773_046_800_000)
    monkeypatch.setattr(machine, "said_of", lambda *_: told)
    text = visitor.get("/machine").text
    assert "week 3, 14 of 16 drawn frames shown, 2 LOST; in the log" in text
    assert "2 drawn pictures were not here, and the log says so." in text
    assert "The next week begins on" in text
    assert "No hour depends on it." in text


def test_what_waits_is_sent_without_a_recording(tmp_path: Path) -> None:
    home = PagedHome(tmp_path)
    home.rig.recorder.start()
    home.rig.work(45, send=False)
    home.rig.recorder.stop()
    with home.served() as server:
        visitor = Visitor(server).enter()
        assert "records wait to be sent" in visitor.get("/machine").text
        assert visitor.post("/machine/send").status_code == 303
        assert "Everything is sent and receipted." in visitor.get("/machine").text
        assert home.rig.ledger.counts(home.rig.engagement.id).unsent == 0
        visitor.close()
    home.rig.ledger.close()


def test_what_was_refused_is_in_the_queue_of_a_recording_again(tmp_path: Path) -> None:
    with recorded(tmp_path, seconds=45) as home, home.served() as server:
        visitor, of = Visitor(server).enter(), home.rig.engagement.id
        assert "Send now" not in visitor.get("/machine").text
        home.rig.work(35, send=False)
        waiting = home.rig.ledger.statements(of, SendState.UNSENT)[0]
        with home.rig.ledger.write() as writing:
            writing.park(waiting.digest, "conflict: not now")
        assert "Send now" in visitor.get("/machine").text
        visitor.post("/machine/send")
        assert home.rig.ledger.statements(of, SendState.PARKED) == ()
        assert "The recording process sends by itself" in visitor.get("/machine").text
        visitor.close()


@pytest.mark.parametrize(
    "path",
    [
        "/left?before=²",
        "/left?before=1e3",
        "/left?before=" + "9" * 18,
        "/left?before=-1",
        "/left?before=" + "9" * 5_000,
        "/left?kind=other",
        "/left/" + "9" * 40,
        "/left/" + "9" * 5_000,
        "/left/²",
        "/left/" + "9" * 15 + "/bytes",
        "/pictures/" + "9" * 40,
        "/pictures/" + "9" * 15 + "/whole.png",
        "/pictures?day=²",
        "/pictures/withdraw?n=²",
        "/pictures/withdraw?n=" + "9" * 5_000,
        "/pictures/withdraw",
        "/today?day=9999-12-31",
        "/today?day=0001-01-01",
        "/today?day=²",
        "/today/minute?day=0001-01-01&at=" + "9" * 99,
        "/today/minute?at=²",
        "/today/minute?at=99:99",
        "/agreement/week?of=0001-01-01",
        "/agreement/week?of=9999-12-31",
        "/agreement/week?of=²",
        "/agreement/week?of=20260302",
        "/today?day=2026-W10-1",
        "/requests/" + "0" * 64 + "/" + "9" * 40 + "/seen.png",
        "/requests/²",
    ],
)
def test_odd_addresses_get_a_page_and_change_nothing(
    visitor: Visitor, home: PagedHome, path: str
) -> None:
    before = visitor.get("/today").status_code, home.rig.ledger.counts(home.rig.engagement.id)
    assert visitor.get(path).status_code < 500
    after = visitor.get("/today").status_code, home.rig.ledger.counts(home.rig.engagement.id)
    assert after == before


def test_a_week_says_what_its_time_was_for_once_it_is_unlocked(
    visitor: Visitor, home: PagedHome
) -> None:
    week = "/agreement/week?of=2026-03-02"
    assert "By project" not in visitor.get(week).text
    rig = home.rig
    segments = [entry.record for entry in entries(home) if isinstance(entry.record, Segment)]
    begin = min(one.begin for one in segments)
    label = Label("<Site>", ("a&b",), begin, begin + 60_000)
    prove(rig.chain, label, now_ms=rig.clock.wall_ms())
    home.desk.unlocked.forget()
    locked = visitor.get(week).text
    assert "What you said the time was for is locked" in locked
    assert "Site" not in locked
    visitor.post("/unlock", passphrase=PASSPHRASE, back=week)
    text = html.unescape(re.sub("<[^>]*>", "", visitor.get(week).text))
    mine = sum(one.worked for one in segments if one.end <= begin + 60_000)
    assert mine > 0
    for words in ("<Site>", "#a&b", "(no label)", hms(mine), "export --open evidence"):
        assert words in text, words
    # A week that no word is about says nothing of it.
    assert "By project" not in visitor.get("/agreement/week?of=2026-02-02").text
    home.desk.unlocked.forget()
