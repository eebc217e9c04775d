from collections.abc import Sequence
from datetime import UTC, date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from support.builders import (
    digest,
    make_declaration,
    make_evidence,
    make_segment,
    make_timesheet,
)
from support.examined import vector
from workseal_protocol.commitment import Opening, ValueKind
from workseal_protocol.digest import Digest
from workseal_protocol.labels import (
    Labelled,
    NamedDay,
    labelled_of,
    labelled_sheets,
    sums_of_names,
)
from workseal_protocol.records import (
    Capture,
    Declaration,
    DeclarationForm,
    EvidenceItem,
    Label,
    Record,
    Segment,
    SegmentState,
    SheetDay,
    Text,
    encode_item,
)
from workseal_protocol.terms import WorkClass
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of
from workseal_protocol.window import Entry, Grade, Window

DAY = date(1970, 1, 1)
MAX = 2 * 86_400_000
DAY_MS = 86_400_000


def entry(number: int, record: Record) -> Entry:
    return Entry(number, digest(f"statement {number}"), record, Window(), Grade.ONLINE)


def work(begin: int, end: int, state: SegmentState = SegmentState.WORKING) -> Segment:
    return make_segment(
        begin=begin, end=end, worked=end - begin, state=state, activity=None,
        capture=Capture.NONE, frames=(),
    )  # fmt: skip


def late(begin: int, end: int) -> Declaration:
    return make_declaration(form=DeclarationForm.LATE, begin=begin, end=end, worked=end - begin)


def fold(records: Sequence[Record], items: Sequence[EvidenceItem]) -> Labelled:
    """Fold records, and after them statements with these items, in this order."""
    count = len(records)
    entries = [entry(number, record) for number, record in enumerate(records)]
    entries += [entry(count + number, make_evidence()) for number, _ in enumerate(items)]
    openings = [
        Opening(entries[count + number].digest, ValueKind.EVIDENCE, bytes(16), encode_item(item))
        for number, item in enumerate(items)
    ]
    # The order of the openings says nothing: that of the log does.
    return labelled_of(entries, openings[::-1], UTC)


def told(rows: tuple[NamedDay, ...]) -> dict[str | None, int]:
    return {name: sum(worked.values()) for name, worked in sums_of_names(rows).items()}


def test_without_a_label_nothing_is_told() -> None:
    assert fold([work(0, 10)], [Text("no label")]) == Labelled()


def test_the_newest_label_says_what_time_was_for() -> None:
    records = [work(0, 10), work(10, 20), work(20, 30)]
    found = fold(records, [Label("old", ("x",), 0, 30), Label("new", ("y",), 10, 20)])
    assert told(found.projects) == {"old": 20, "new": 10}
    assert told(found.tags) == {"x": 20, "y": 10}


def test_what_no_label_covers_whole_stays_without_one() -> None:
    records: list[Record] = [work(0, 10), work(10, 20), late(0, 100)]
    found = fold(records, [Label("a", (), 0, 15), Label("b", (), 90, 100)])
    assert told(found.projects) == {"a": 10, None: 110}


def test_a_label_ends_before_its_end() -> None:
    found = fold([work(0, 10), work(10, 10), work(10, 11)], [Label("a", (), 0, 10)])
    assert told(found.projects) == {"a": 10, None: 1}


def test_each_class_keeps_its_own_time() -> None:
    records: list[Record] = [
        work(0, 10), work(10, 20, SegmentState.OFF_SCREEN), work(20, 30, SegmentState.SEALED),
        late(30, 40), make_declaration(form=DeclarationForm.LIVE, begin=10, end=20, worked=10),
    ]  # fmt: skip
    (row,) = fold(records, [Label("a", (), 0, 40)]).projects
    assert row == NamedDay(DAY, "a", dict.fromkeys(WorkClass, 10))


def test_time_counts_under_each_of_its_tags_and_once_for_its_project() -> None:
    found = fold([work(0, 10)], [Label("a", ("x", "y"), 0, 10)])
    assert (told(found.projects), told(found.tags)) == ({"a": 10}, {"x": 10, "y": 10})


def test_names_come_in_the_order_of_the_log_and_no_label_last() -> None:
    records = [work(0, 10), work(10, 20), work(20, 30)]
    found = fold(records, [Label("z", (), 20, 30), Label("b", (), 10, 20)])
    assert list(told(found.projects)) == ["z", "b", None]


def test_no_label_comes_last_also_where_the_first_day_has_none() -> None:
    found = fold([work(0, 10), work(86_400_000, 86_400_010)], [Label("a", (), 86_400_000, MAX)])
    assert [row.name for row in found.projects] == [None, "a"]
    assert list(told(found.projects).items()) == [("a", 10), (None, 10)]


labels = st.builds(
    lambda name, begin, length: Label(name, (), begin, begin + length),
    st.sampled_from("abc"),
    st.integers(0, 60),
    st.integers(1, 40),
)


@given(st.lists(labels, max_size=8), st.lists(st.integers(0, 100), max_size=10))
def test_says_what_a_look_at_every_label_says(some: list[Label], cuts: list[int]) -> None:
    records = [work(one, other) for one, other in pairwise(sorted(cuts))]
    expected: dict[str | None, int] = {}
    for record in records:
        begin, end = record.begin, record.end
        found = {
            next((label for label in reversed(some) if label.begin <= at < label.end), None)
            for at in {begin, max(begin, end - 1)}
        }
        name = next(iter(found)).project if len(found) == 1 and None not in found else None  # type: ignore[union-attr]
        expected[name] = expected.get(name, 0) + end - begin
    found_sums = told(fold(records, some).projects)
    if some:
        positive = {name: ms for name, ms in found_sums.items() if ms}
        assert positive == {name: ms for name, ms in expected.items() if ms}


def test_the_projects_of_a_bundle_add_up_to_its_totals_by_day_and_class() -> None:
    _, report = vector("valid-labels")
    assert report.totals is not None
    for day in report.totals.days:
        rows = [row for row in report.labelled.projects if row.day == day.day]
        assert {kind: sum(row.worked_ms[kind] for row in rows) for kind in WorkClass} == {
            kind: day.worked_ms[kind] for kind in WorkClass
        }


def finding(name: str, head: int, days: Sequence[int], **found: object) -> SheetFinding:
    """Make a finding of some days, up to the statement of that number."""
    rows = tuple(SheetDay(day, 1, 0, 0, 0) for day in days)
    sheet = make_timesheet(
        head=digest(f"statement {head}"), first=min(days), last=max(days), days=rows
    )
    values = {"agreement": Agreement.AGREES, "why": ""} | found
    return SheetFinding(digest(name), sheet, **values)  # type: ignore[arg-type]


def sheets_told(*timesheets: SheetFinding) -> dict[Digest, dict[str | None, int]]:
    """Fold two days of work, of which a label that came last covers the first three pieces."""
    records: list[Record] = [work(0, 10), work(DAY_MS, DAY_MS + 7), work(20, 30), work(40, 45)]
    records.append(make_evidence())
    entries = [entry(number, record) for number, record in enumerate(records)]
    label = encode_item(Label("a", ("x",), 0, DAY_MS + 3))
    opened = [Opening(entries[4].digest, ValueKind.EVIDENCE, bytes(16), label)]
    found = labelled_sheets(entries, opened, UTC, timesheets)
    for labelled in found.values():
        assert told(labelled.tags).get("x") == told(labelled.projects).get("a")
    return {name: told(labelled.projects) for name, labelled in found.items()}


def test_a_timesheet_has_its_own_days_up_to_its_head_by_labels_of_any_time() -> None:
    assert sheets_told(finding("one", 2, [0]), finding("two", 3, [1])) == {
        digest("one"): {"a": 20},
        digest("two"): {None: 7},
    }
    assert sheets_told(finding("both", 3, [0, 1])) == {digest("both"): {"a": 25, None: 7}}


def test_only_a_timesheet_that_counts_has_projects() -> None:
    for spoiling in (
        {"agreement": Agreement.DIFFERS},
        {"agreement": Agreement.UNCHECKED},
        {"replaced_by": digest("later")},
        {"overlaps": digest("other")},
    ):
        spoiled = finding("one", 3, [0], **spoiling)
        assert sheets_told(spoiled, finding("two", 3, [1])) == {digest("two"): {None: 7}}


def test_a_timesheet_has_no_projects_where_no_label_is_opened() -> None:
    entries = [entry(0, work(0, 10))]
    assert labelled_sheets(entries, [], UTC, [finding("one", 0, [0])]) == {}


def test_the_projects_of_a_timesheet_add_up_to_its_rows() -> None:
    _, report = vector("valid-labels")
    (sheet,) = report.timesheets
    projects = report.labelled_sheets[sheet.digest].projects
    assert report.labelled.projects != projects
    for row in sheet.record.days:
        rows = [one for one in projects if one.day == date_of(row.day)]
        assert [sum(one.worked_ms[kind] for one in rows) for kind in WorkClass] == [
            row.working,
            row.off_screen,
            row.sealed,
            row.late_declared,
        ]
