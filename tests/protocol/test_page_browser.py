"""The offline page as people meet it: the one file, opened from disk in Chromium."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from support.chromed import chromed, chromed_beside
from support.examined import FOLDER, VECTORS, good, story, vector
from support.grown import grown
from support.scripted import Story, begin, finish
from support.simulator import Simulator
from workseal_protocol.cli.page import offline_page
from workseal_protocol.cli.report import report_lines
from workseal_protocol.cli.sheetlines import sheet_lines
from workseal_protocol.digest import Digest
from workseal_protocol.records import DeclarationForm, SheetAnswer, encode_item
from workseal_protocol.records.evidence import FileDigest, Text
from workseal_protocol.verify import examine_bundle

WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202egnp.exe\n#'


class Opened:
    """One page, opened from disk, with everything that it asked for or complained of."""

    def __init__(self, browser: Browser, file: Path, **options: Any) -> None:
        self.page: Page = browser.new_page(**options)
        self.heard: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def _hear(self, message: ConsoleMessage) -> None:
        self.heard.append(message.text)

    def choose(self, bundle: Path, policy: Path) -> None:
        self.page.set_input_files("#bundle", bundle)
        self.page.set_input_files("#policy", policy)

    def finished(self) -> str:
        self.page.wait_for_selector("#verdict")
        return self.page.inner_text("#verdict")

    def close(self) -> None:
        self.page.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromed() as browser:
        yield browser


@pytest.fixture(scope="module")
def whole(browser: Browser) -> Iterator[Browser]:
    with chromed_beside(browser, whole="the page from the disk, as people open it") as whole:
        yield whole


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "verify.html"
    path.write_bytes(offline_page())
    return path


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Opened]:
    yield from undisturbed(browser, file)


@pytest.fixture
def opened_whole(whole: Browser, file: Path) -> Iterator[Opened]:
    yield from undisturbed(whole, file)


def undisturbed(browser: Browser, file: Path) -> Iterator[Opened]:
    page = Opened(browser, file)
    yield page
    # It loaded nothing but itself, and its own policy had nothing to refuse.
    assert page.asked == [file.as_uri()]
    assert page.heard == []
    page.close()


def shown_steps(page: Page) -> list[tuple[int, str, str]]:
    """Read the steps off the page: number, name, outcome."""
    rows = page.eval_on_selector_all(
        ".steps > li", "rows => rows.map((row) => [row.getAttribute('value'), row.innerText])"
    )
    found = []
    for value, text in rows:
        name, outcome = re.findall(r"([a-z -]+): (holds|fails|not reached)", text)[0]
        found.append((int(value or 0), name, outcome))
    return found


# --- what it says ---


def test_says_of_every_vector_what_stands_beside_it(browser: Browser, file: Path) -> None:
    page = Opened(browser, file)
    policy = ""
    for name in VECTORS:
        told = json.loads((FOLDER / f"{name}.json").read_text())
        if told["policy"] != policy:
            policy = told["policy"]
            page.page.set_input_files("#policy", FOLDER / policy)
            if name != VECTORS[0]:
                page.finished()
        # With the choice the old report is gone: none is taken for the one before it.
        page.page.set_input_files("#bundle", FOLDER / told["bundle"])
        verdict = page.finished()
        steps = shown_steps(page.page)
        assert [number for number, _, _ in steps] == [*range(1, 14)], name
        assert verdict.startswith("HOLDS") == (told["expect"] == "holds"), name
        assert verdict.startswith("MALFORMED") == (told["expect"] == "malformed"), name
        if told["expect"] == "holds":
            assert {outcome for _, _, outcome in steps} == {"holds"}, name
            assert page.page.locator(".limits li").count() == told["not_proven"], name
            continue
        assert steps[told["step"] - 1][2] == told["outcome"], name
        failed = [number for number, _, outcome in steps if outcome == "fails"]
        assert failed == ([told["step"]] if told["outcome"] == "fails" else []), name
    assert page.heard == []
    assert set(page.asked) == {file.as_uri()}
    page.close()


def test_shows_totals_diary_and_what_was_opened(opened_whole: Opened) -> None:
    opened_whole.choose(FOLDER / "valid.bundle", FOLDER / "policy.txt")
    opened_whole.finished()
    text = opened_whole.page.inner_text("#report")
    for words in (
        "Worked, recorded", "0 h 04 min 48.000 s", "14.23 EUR", "LIMIT PASSED",
        "withdrawn percent: 20, agreed 10", "Days in Europe/Berlin", "2026-03-03",
        "nothing was recorded: no session was open", "sketched the new layout on paper",
        "1 independent witness by your policy", "Not proven, whatever the steps say",
    ):  # fmt: skip
        assert words in text, words
    # As much as the totals have, and in the words of `workseal verify`.
    _, report = vector("valid")
    line = next(line for line in report_lines(report) if line.startswith("Diary: "))
    assert "late-declared 0 h 16 min 40.000 s" in line
    assert line.removeprefix("Diary: ") in text


def test_shows_activity_by_the_day_that_was_agreed_and_time_by_project(opened: Opened) -> None:
    opened.choose(FOLDER / "valid-labels.bundle", FOLDER / "policy.txt")
    opened.finished()
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    shown = opened.page.eval_on_selector_all("section[aria-labelledby=activity] tbody tr", cells)
    assert shown[0] == [
        "2026-03-02", "0 h 00 min 44.001 s", "0 h 00 min 27.999 s", "0 h 00 min 27.999 s",
        "0 h 00 min 13.000 s", "", "0 h 00 min 27.999 s",
    ]  # fmt: skip
    assert [row[0] for row in shown] == ["2026-03-02", "2026-03-03"]
    names = opened.page.eval_on_selector_all("section[aria-labelledby=labels] tbody tr", cells)
    assert [(row[0], row[-1]) for row in names] == [
        ("first word", "0 h 00 min 50.009 s"), ("=1+1", "0 h 00 min 30.000 s"),
        ("(no label)", "0 h 10 min 10.000 s"), ("#a", "0 h 01 min 16.008 s"),
        ("#b", "0 h 00 min 30.000 s"), ("#ä \\u{202e}", "0 h 00 min 04.001 s"),
    ]  # fmt: skip
    sheet, *names = opened.page.eval_on_selector_all(
        "section[aria-labelledby=timesheets] tbody tr", cells
    )
    assert [(row[0], row[1], row[-1]) for row in names] == [
        (sheet[0], "first word", "0 h 00 min 50.009 s"),
        (sheet[0], "=1+1", "0 h 00 min 30.000 s"),
        # The late time came after this timesheet.
        (sheet[0], "(no label)", "0 h 00 min 10.000 s"),
        (sheet[0], "#a", "0 h 01 min 16.008 s"),
        (sheet[0], "#b", "0 h 00 min 30.000 s"),
        (sheet[0], "#ä \\u{202e}", "0 h 00 min 04.001 s"),
    ]


def test_shows_each_timesheet_with_its_figures_its_finding_and_its_answers(opened: Opened) -> None:
    told = json.loads((FOLDER / "valid-timesheets.json").read_text())["timesheets"]
    opened.choose(FOLDER / "valid-timesheets.bundle", FOLDER / "policy.txt")
    opened.finished()
    assert "timesheets that differ from the record: 1" in opened.page.inner_text(".steps")
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    table = "section[aria-labelledby=timesheets] tbody tr"
    shown = opened.page.eval_on_selector_all(table, cells)
    assert len(shown) == len(told) == 4
    for row, one in zip(shown, told, strict=True):
        assert row[0] == one["timesheet"][:12]
        assert row[1] == f"{one['first']} to {one['last']}"
        assert row[6] == one["agreement"] + (f": {one['why']}" if one["why"] else "")
        assert row[8] == (f"by {one['replaced_by'][:12]}" if one["replaced_by"] else "")
        assert row[9] == (f"with {one['overlaps'][:12]}" if one["overlaps"] else "")
    early, whole, other, _ = shown
    assert early[2:6] == ["0 h 00 min 34.000 s", "", "0 h 00 min 34.000 s", "0.61 EUR"]
    assert early[7] == "the client asks: Is that the whole day?"
    # The newest answer counts and stands first; all are shown.
    assert whole[7].split("\n\n") == [
        "accepted by the client",
        "before: the client objects: One hour was agreed at most.",
    ]
    assert other[7] == "not answered"


CELLS = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"


@pytest.mark.parametrize("name", ["valid-counts", "valid-timesheets", "valid"])
def test_shows_real_time_beside_billed_time_for_each_day_and_week(
    opened: Opened, name: str
) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text())["totals"]
    opened.choose(FOLDER / f"{name}.bundle", FOLDER / "policy.txt")
    opened.finished()
    section = "section[aria-labelledby=billed]"
    for sentence in told["billed"]["rules"]:
        assert sentence in opened.page.inner_text(f"{section} .rules")
    shown = opened.page.eval_on_selector_all(f"{section} tbody tr", CELLS)
    rows = [*told["weeks"], *told["days"]]
    assert [row[:4] for row in shown] == [
        [
            one.get("week") or one["day"],
            clock(sum(one["worked_ms"].values()) - one["worked_ms"]["late-declared"]),
            clock(one["billed_ms"]),
            money(one["amount_minor"]),
        ]
        for one in rows
    ]
    whole = opened.page.eval_on_selector_all(f"{section} tfoot tr", CELLS)
    assert [row[:4] for row in whole] == [
        [
            "All",
            clock(told["worked_ms"]),
            clock(told["billed"]["ms"]),
            money(told["billed"]["amount_minor"]),
        ]
    ] * 2


def clock(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02} EUR"


def test_shows_spans_in_the_zone_of_the_terms_cut_at_its_midnights(opened: Opened) -> None:
    opened.choose(FOLDER / "valid-counts.bundle", FOLDER / "policy.txt")
    opened.finished()
    shown = opened.page.eval_on_selector_all("section[aria-labelledby=diary] tbody tr", CELLS)
    late = [row[:2] for row in shown if row[2] == "late-declared"]
    # Clocks went forward in that night: the day has 23 hours, and the offset is another one.
    assert late == [
        ["2026-03-28 21:00:00.000 +01:00", "2026-03-29 00:00:00.000 +01:00"],
        ["2026-03-29 00:00:00.000 +01:00", "2026-03-30 00:00:00.000 +02:00"],
        ["2026-03-30 00:00:00.000 +02:00", "2026-03-30 03:00:00.000 +02:00"],
    ]
    assert "Spans in Europe/Berlin" in opened.page.inner_text("section[aria-labelledby=diary]")


def test_falls_back_to_utc_where_it_does_not_know_the_zone_and_says_so(
    opened: Opened, tmp_path: Path
) -> None:
    verifier = Simulator()
    agent = begin(verifier, terms=verifier.terms(zone="Mars/Base"))
    agent.open_session()
    agent.work(20_000)
    agent.close_session()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    (tmp_path / "b").write_bytes(told.bundle().encode())
    (tmp_path / "p").write_text(told.policy.encode())
    opened.choose(tmp_path / "b", tmp_path / "p")
    opened.finished()
    for name in ("billed", "diary"):
        text = opened.page.inner_text(f"section[aria-labelledby={name}]")
        assert "this browser does not know the zone Mars/Base; days and times are" in text
        assert " in UTC" in text
    first, *_ = opened.page.eval_on_selector_all("section[aria-labelledby=diary] tbody tr", CELLS)
    assert first[0].endswith(" +00:00")


def accepted_days(opened: Opened, name: str) -> tuple[str, list[str]]:
    """Show a vector; give the digits of its first timesheet and what stands of accepted days."""
    told = json.loads((FOLDER / f"{name}.json").read_text())["timesheets"]
    opened.choose(FOLDER / f"{name}.bundle", FOLDER / "policy.txt")
    opened.finished()
    table = "section[aria-labelledby=timesheets] tbody tr"
    shown = opened.page.eval_on_selector_all(table, CELLS)
    return told[0]["timesheet"][:12], [row[-1] for row in shown]


def test_shows_which_days_were_accepted_elsewhere_or_are_left_behind(opened: Opened) -> None:
    first, shown = accepted_days(opened, "valid-left-behind")
    assert shown == [
        "STILL COUNTING here, accepted and not among the days of what replaced it: 2026-03-02",
        f"ACCEPTED in {first} as well: 2026-03-03",
        f"ACCEPTED in {first} as well: 2026-03-02; and counting there: 2026-03-02",
    ]
    first, shown = accepted_days(opened, "valid-accepted-again")
    assert (
        "ACCEPTED AGAIN later in another timesheet, and so not counting here: 2026-03-02, 2026"
        in (shown[0])
    )
    assert shown[2] == f"ACCEPTED in {first} as well: 2026-03-02, 2026-03-03"


def test_shows_the_hours_of_accepted_days_that_grew_since(opened: Opened, tmp_path: Path) -> None:
    told = grown()
    (tmp_path / "bundle").write_bytes(told.bundle().encode())
    (tmp_path / "policy").write_text(told.policy.encode())
    opened.choose(tmp_path / "bundle", tmp_path / "policy")
    opened.finished()
    shown = opened.page.eval_on_selector_all(
        "section[aria-labelledby=timesheets] tbody td:last-child p",
        "all => all.map(one => one.innerText)",
    )
    report = examine_bundle(told.bundle().encode(), told.policy, zone=ZoneInfo("Europe/Berlin"))
    lines = [line.strip() for line in sheet_lines(report)]
    assert shown == [line for line in lines if line.startswith("OTHER HOURS")]
    assert len(shown) == 2


def test_whoever_asks_for_more_rows_stands_at_the_first_of_them(
    opened: Opened, tmp_path: Path
) -> None:
    verifier = Simulator()
    agent = begin(verifier)
    agent.open_session()
    agent.close_session()
    for _ in range(55):
        begun = verifier.now
        verifier.now += 1_000
        agent.declare(DeclarationForm.LATE, begun, verifier.now, 500)
        verifier.now += 1_000
    agent.send()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    (tmp_path / "b").write_bytes(told.bundle().encode())
    (tmp_path / "p").write_text(told.policy.encode())
    opened.choose(tmp_path / "b", tmp_path / "p")
    opened.finished()
    table = "section[aria-labelledby=diary] tbody"
    before = opened.page.eval_on_selector_all(f"{table} tr", CELLS)
    more = opened.page.locator("section[aria-labelledby=diary] button:has-text('Show more')")
    more.focus()
    opened.page.keyboard.press("Enter")
    # None are left: the button is gone, and the focus with it but for this.
    assert not more.is_visible()
    after = opened.page.eval_on_selector_all(f"{table} tr", CELLS)
    assert after[: len(before)] == before
    focused = "document.activeElement === document.querySelectorAll('%s th')[%d]"
    assert opened.page.evaluate(focused % (table, len(before)))
    assert len(after) > len(before) == 100


@pytest.mark.parametrize(
    "name", ["", "-lost", "-other-block", "-missed"], ids=lambda name: name or "whole"
)
def test_shows_what_is_said_of_frames_that_are_held(opened: Opened, name: str) -> None:
    told = json.loads((FOLDER / f"valid-possession{name}.json").read_text())["possession"]
    opened.choose(FOLDER / f"valid-possession{name}.bundle", FOLDER / "policy.txt")
    opened.finished()
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    table = "section[aria-labelledby=possession] tbody tr"
    shown = opened.page.eval_on_selector_all(table, cells)
    assert shown == [
        [
            one["statement"][:12],
            str(one["week"]),
            "" if one["why"] else str(one["committed"]),
            "" if one["why"] else f"{one['shown']} of {one['shown'] + one['lost']}",
            str(one["lost"] or ""),
            f"DOES NOT HOLD: {one['why']}" if one["why"] else "holds",
        ]
        for one in told["statements"]
    ]
    text = opened.page.inner_text("section[aria-labelledby=possession]")
    assert "No hour depends on this." in text
    assert ("No statement in week 2" in text) == (name == "-missed")


def test_draws_verified_tiles_and_its_own_pattern_where_nothing_is_shown(opened: Opened) -> None:
    opened.choose(FOLDER / "valid.bundle", FOLDER / "policy.txt")
    opened.finished()
    opened.page.wait_for_selector("canvas")
    drawn = bytes(
        opened.page.evaluate(
            "() => { const c = document.querySelector('canvas');"
            " return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"
        )
    )
    frame = story().agent.frames[0]
    width, height = frame.tree.header.width, frame.tree.header.height
    shown = story().contents.disclosures[0].disclosure.shown
    grid = frame.tree.header.grid
    hidden = set(range(grid.count)) - set(shown)
    for number in range(grid.count):
        box = grid.box_of(number)
        x, y = box.left + 3, box.top + 5
        pixel = drawn[(y * width + x) * 4 :][:3]
        if number in hidden:
            assert pixel in (b"\xff\x00\xff", b"\x80\x80\x80")
        else:
            assert pixel == frame.pixels[(y * width + x) * 3 :][:3]
    assert len(drawn) == width * height * 4
    assert f"{len(shown)} of {grid.count} tiles shown, " in opened.page.inner_text("figure")
    opened.page.click("text=Hide the picture")
    assert opened.page.locator("canvas").count() == 0


def test_takes_files_that_are_dropped(opened: Opened) -> None:
    opened.page.evaluate(
        """([bundle, policy]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bundle)], "a"));
            data.items.add(new File([policy], "b"));
            const event = { dataTransfer: data, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new DragEvent("drop", event));
        }""",
        [[*good()], story().policy.encode()],
    )
    assert opened.finished().startswith("HOLDS")


def test_files_in_each_others_place_are_sorted_as_dropped_ones_are(opened: Opened) -> None:
    opened.choose(FOLDER / "policy.txt", FOLDER / "valid.bundle")
    assert opened.finished().startswith("HOLDS")
    assert "valid.bundle, " in opened.page.inner_text("#bundle-told")
    assert "policy.txt, " in opened.page.inner_text("#policy-told")
    fields = "['bundle', 'policy'].map((name) => document.getElementById(name).files[0].name)"
    assert opened.page.evaluate(fields) == ["valid.bundle", "policy.txt"]
    # What is chosen afterwards is taken where it was chosen.
    opened.page.set_input_files("#bundle", FOLDER / "signature-broken.bundle")
    assert opened.finished().startswith("DOES NOT HOLD")


@pytest.mark.parametrize(
    "options", [{"java_script_enabled": False}, {}], ids=["no scripts", "no modules"]
)
def test_a_browser_that_does_not_run_it_shows_a_word(
    browser: Browser, file: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    path = tmp_path / "page.html"
    # A browser without modules passes over a script of a kind that it does not know.
    unknown = b"module" if options else b"of-a-kind-that-is-unknown"
    path.write_bytes(file.read_bytes().replace(b'type="module"', b'type="%s"' % unknown))
    page = browser.new_page(**options)
    page.goto(path.as_uri())
    assert "runs no scripts, or is too old" in page.inner_text("#status")
    page.goto(file.as_uri())
    if not options:
        assert page.inner_text("#status") == ""
    page.close()


@pytest.mark.parametrize(
    ("before", "line_end", "end"),
    [(b"\xef\xbb\xbf", b"\n", b"\n"), (b"", b"\r\n", b"\r\n"), (b"\xef\xbb\xbf", b"\r\n", b"")],
)
def test_takes_a_policy_as_any_editor_saves_it(
    opened: Opened, tmp_path: Path, before: bytes, line_end: bytes, end: bytes
) -> None:
    path = tmp_path / "policy.txt"
    lines = (FOLDER / "policy.txt").read_bytes().splitlines()
    path.write_bytes(before + line_end.join(lines) + end)
    opened.choose(FOLDER / "valid.bundle", path)
    assert opened.finished().startswith("HOLDS")


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (b"\rworkseal-policy v1\n", "no control characters but"),
        (b"", "The policy is malformed"),
        (b"workseal-policy v1\nquorum none\n", "has 1 to 32 logs"),
        (b"\xff\n", "is not UTF-8"),
        (b"PK\x03\x04", "The policy is no text: it begins as a bundle does."),
        (b"#" * 1_048_577, "more than 1048576 bytes"),
    ],
)
def test_says_in_one_sentence_what_is_wrong_with_a_policy(
    opened: Opened, tmp_path: Path, policy: bytes, words: str
) -> None:
    path = tmp_path / "policy"
    path.write_bytes(policy)
    opened.choose(FOLDER / "valid.bundle", path)
    opened.page.wait_for_function(
        "words => document.getElementById('status').textContent.includes(words)", arg=words
    )
    assert opened.page.locator("#verdict").count() == 0


# --- other people's words ---


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    verifier = Simulator()
    agent = begin(verifier)
    agent.open_session()
    agent.work(20_000)
    agent.send()
    agent.prove(encode_item(Text(HOSTILE)))
    agent.prove(encode_item(FileDigest(HOSTILE, Digest(bytes(32)), 5)))
    agent.close_session()
    sheet = agent.sum_up(*[datetime.fromtimestamp(verifier.now / 1000, tz=UTC).date()] * 2)
    agent.reply(sheet, SheetAnswer.OBJECTION, HOSTILE)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "b").write_bytes(told.bundle().encode())
    (folder / "p").write_text(told.policy.encode())
    return folder / "b", folder / "p"


def test_shows_markup_and_steering_characters_as_text(
    opened: Opened, hostile: tuple[Path, Path]
) -> None:
    opened.choose(*hostile)
    assert opened.finished().startswith("HOLDS")
    text = opened.page.inner_text("#report")
    harmless = HOSTILE.replace("\u202e", "\\u{202e}").replace("\n", "\\n")
    assert text.count(harmless) == 3
    assert f"the client objects: {harmless}" in text
    assert opened.page.locator("#report img, #report script").count() == 0
    assert opened.page.title() == "Workseal: check a bundle"


def test_its_policy_stops_what_a_script_would_do(whole: Browser, file: Path) -> None:
    page = Opened(whole, file)
    for attempt in (
        "document.body.innerHTML = '<b>'",
        "new Function('return 1')()",
        "new Worker(URL.createObjectURL(new Blob([''])))",
    ):
        stopped = page.page.evaluate(
            "code => { const s = document.createElement('script'); try { s.text = code; }"
            " catch { return true; } document.body.append(s); return false; }",
            attempt,
        )
        assert stopped, attempt
    fetched = page.page.evaluate("() => fetch('data:,x').then(() => 'loaded', () => 'refused')")
    assert fetched == "refused"
    page.close()


# --- how it looks and is used ---


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fits_and_axe_finds_nothing_serious(browser: Browser, file: Path, scheme: Any) -> None:
    page = Opened(browser, file, color_scheme=scheme)
    assert serious(page.page) == []
    for bundle, words in (
        ("valid", "HOLDS: all"),
        ("signature-broken", "DOES NOT HOLD"),
        ("valid-timesheets", "HOLDS: all"),
        ("valid-labels", "HOLDS: all"),
        ("valid-left-behind", "HOLDS: all"),
        ("valid-possession-missed", "HOLDS: all"),
    ):
        page.choose(FOLDER / f"{bundle}.bundle", FOLDER / "policy.txt")
        page.page.wait_for_selector(f"#verdict:has-text('{words}')")
        for width in WIDTHS:
            page.page.set_viewport_size({"width": width, "height": 900})
            assert page.page.evaluate("document.documentElement.scrollWidth") <= width
            # Rows become lists on a narrow screen: axe looks at both.
            if width != 768:
                assert serious(page.page) == []
    page.close()


def serious(page: Page) -> list[str]:
    """Give what axe finds that keeps people out, and places that are named alike."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}"
        for one in found
        if one["impact"] in {"serious", "critical"} or one["id"] == "landmark-unique"
    ]


def test_is_used_by_keyboard_alone(opened_whole: Opened) -> None:
    page = opened_whole.page
    opened_whole.choose(FOLDER / "valid.bundle", FOLDER / "policy.txt")
    opened_whole.finished()
    page.wait_for_selector("canvas")
    seen = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
    for wanted in ("bundle", "policy", "Hide the picture"):
        assert wanted in seen, seen
    assert "Skip to the report" in seen[0]
    while page.evaluate("document.activeElement.textContent") != "Hide the picture":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("canvas").count() == 0


def test_tells_the_verdict_to_who_hears_the_page(opened: Opened) -> None:
    opened.choose(FOLDER / "valid.bundle", FOLDER / "policy.txt")
    verdict = opened.finished()
    status = opened.page.locator("[role=status]")
    assert status.inner_text() == verdict
