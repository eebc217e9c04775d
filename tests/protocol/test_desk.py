import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.builders import ENGAGEMENT, digest, octets
from support.scripted import Story, disclose, tell_filed, tell_story
from support.staged import CLOCK, CONTENT, GRID, HONEST, ROUNDS, STAGED, record
from workseal_protocol.bundle import FrameDisclosure
from workseal_protocol.commitment import Note, NoteCode, Opening, ValueKind
from workseal_protocol.desk import (
    CHECKS,
    NOT_PROVEN,
    Checked,
    Material,
    Outcome,
    Placed,
    ShownFrame,
    TagList,
    Withdrawals,
    examine_hours,
    gather,
    tag_of,
)
from workseal_protocol.desk.shown import MAX_COMPARED, count_returns, group_equal
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.frame import Grid
from workseal_protocol.records import Capture
from workseal_protocol.terms import Level
from workseal_protocol.verify import Outcome as StepOutcome
from workseal_protocol.verify import Report, examine_bundle

CODE = record(1, "writes code")
LOOP = record(1, "looped screen, jiggler")
STILL = record(1, "jiggler, all the time")


def run(material: Material, number: int) -> Checked:
    (one,) = examine_hours(material, [number]).checks
    return one


def noticed(material: Material, number: int) -> bool:
    return run(material, number).outcome is Outcome.NOTICED


def opened(material: Material, change: Callable[[Placed], Placed]) -> Material:
    return replace(material, places=tuple(change(one) for one in material.places))


# --- the report ---


def test_checks_are_numbered_and_none_is_a_verdict() -> None:
    report = examine_hours(CODE)
    assert [one.number for one in report.checks] == list(range(1, 10))
    assert [one.name for one in report.checks] == [rule.name for rule in CHECKS]
    assert report.not_proven == NOT_PROVEN
    words = " ".join(
        one.sentence for kind in STAGED for one in examine_hours(record(2, kind)).checks
    )
    for verdict in ("fraud", "fake", "cheat", "suspicious", "manipulat", "guilty", "honest"):
        assert verdict not in words.lower()


def test_only_the_named_checks_run() -> None:
    assert [one.number for one in examine_hours(CODE, [9, 2]).checks] == [2, 9]


def test_whatever_is_not_there_is_said_and_nothing_is_noticed() -> None:
    empty = replace(CODE, places=(), frames=())
    report = examine_hours(empty)
    assert not report.noticed
    assert {one.number for one in report.checks if one.outcome is Outcome.NOT_RUN} == set(
        range(1, 10)
    ) - {2}


# --- what they notice, and what they do not ---


@pytest.mark.parametrize("kind", ["writes code", "reads for hours", "draws with a mouse"])
def test_notices_nothing_in_ordinary_half_days(kind: str) -> None:
    for seed in range(5):
        report = examine_hours(record(seed, kind), (5, 6, 8, 9))
        assert not report.noticed, (seed, [one.sentence for one in report.noticed])


def test_a_moment_at_the_music_is_not_noticed() -> None:
    found = [record(seed, "changes the music") for seed in range(10)]
    assert not any(examine_hours(one, (5, 6, 8, 9)).noticed for one in found)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("jiggler, each 30 s", {5, 9}),
        ("jiggler, all the time", {5, 8, 9}),
        ("looped screen, jiggler", {6, 9}),
        ("still screen, typed by a program", {5, 8}),
        ("imitates a person", set()),
    ],
)
def test_what_is_noticed_of_what_is_staged(kind: str, numbers: set[int]) -> None:
    for seed in range(3):
        report = examine_hours(record(seed, kind), (5, 6, 8, 9))
        assert {one.number for one in report.noticed} == numbers, seed


def test_people_whose_honest_work_is_noticed_are_known() -> None:
    assert noticed(record(0, "retouches, evenly"), 9)
    assert any(noticed(record(seed, "compares two pages"), 6) for seed in range(8))
    assert any(noticed(record(seed, "watches one page"), 5) for seed in range(8))


def test_recordings_follow_from_their_seed() -> None:
    assert record(3, "writes code") == record(3, "writes code")
    assert len(HONEST) == 7
    assert len(CODE.places) == ROUNDS


# --- 1 and 2: the log ---


def test_cover_counts_worked_time_and_the_longest_gap() -> None:
    some = replace(CODE, places=(*CODE.places[:100], *CODE.places[140:]))
    sentence = run(some, 1).sentence
    assert sentence.startswith("3 h 40 min 00 s of 4 h 00 min 00 s are recorded as worked")
    assert "the longest stretch without a record has 0 h 20 min 00 s" in sentence
    assert "for 0 h 20 min 00 s" in run(some, 1).proof[0]


def test_cover_notices_more_withdrawn_frames_than_the_terms_let_be() -> None:
    captured = [one for one in CODE.places if one.segment.frames][:20]
    frames = [one.segment.frames[0] for one in captured]
    some = replace(CODE, places=tuple(captured))
    assert len(frames) == 20
    assert not noticed(replace(some, withdrawn=Withdrawals(frozenset(frames[:4]))), 1)
    assert noticed(replace(some, withdrawn=Withdrawals(frozenset(frames[:5]))), 1)


def test_cover_cuts_at_the_edges_and_takes_captures_that_begin_in_the_hours() -> None:
    pair = [
        replace(one, segment=replace(one.segment, capture=Capture.CAPTURED, frames=(digest(n),)))
        for n, one in enumerate(CODE.places[:2])
    ]
    edge = pair[1].segment.begin
    some = replace(CODE, places=tuple(pair), frames=(), begin=edge - 8_000, end=edge + 4_000)
    sentence = run(some, 1).sentence
    assert sentence.startswith("0 h 00 min 12 s of 0 h 00 min 12 s are recorded as worked")
    assert "; 1 frames were taken, " in sentence
    assert run(some, 2).sentence.startswith("1 draws were computed again")
    # Half of the time was worked, and so half of each part.
    half = [replace(one, segment=replace(one.segment, worked=15_000)) for one in pair]
    sentence = run(replace(some, places=tuple(half)), 1).sentence
    assert sentence.startswith("0 h 00 min 06 s of 0 h 00 min 12 s")


def test_no_more_is_told_as_worked_than_there_is_time() -> None:
    # A round may tell of some milliseconds more than passed: here they would make seconds.
    many = opened(CODE, lambda one: replace(one, segment=replace(one.segment, worked=30_010)))
    assert run(many, 1).sentence.startswith("4 h 00 min 00 s of 4 h 00 min 00 s are recorded")


def test_a_shown_frame_that_was_not_taken_in_the_hours_is_not_counted() -> None:
    whole = run(CODE, 1).sentence
    assert whole.endswith(f", {len(CODE.frames)} are shown")
    last = CODE.frames[-1].place.segment
    found = run(replace(CODE, begin=last.begin + 1, end=last.end), 1).sentence
    assert "; 0 frames were taken, 0 of them withdrawn, 0 missed" in found
    assert "shown" not in found


def test_frames_whose_days_were_over_are_told_apart_and_pass_no_limit() -> None:
    captured = [one for one in CODE.places if one.segment.frames][:20]
    frames = frozenset(one.segment.frames[0] for one in captured)
    some = replace(CODE, places=tuple(captured), frames=())
    found = run(replace(some, withdrawn=Withdrawals(frames, over=frames)), 1)
    assert found.outcome is Outcome.NOTHING
    taken = (
        "20 frames were taken, 0 of them withdrawn and 20 deleted once the agreed days were over"
    )
    assert found.sentence.endswith(f"{taken}, 0 missed")


def test_frames_that_went_after_the_filing_are_noticed_and_pass_no_limit_by_that() -> None:
    captured = [one for one in CODE.places if one.segment.frames][:20]
    frames = frozenset(one.segment.frames[0] for one in captured)
    some = replace(CODE, places=tuple(captured), frames=())
    found = run(replace(some, withdrawn=Withdrawals(frames, over=frames, since_filing=frames)), 1)
    assert found.outcome is Outcome.NOTICED
    assert "20 of them withdrawn (20 after the case was filed), 0 missed" in found.sentence
    assert "the terms let" not in found.sentence
    # What the terms still asked for counts against their limit, too.
    found = run(replace(some, withdrawn=Withdrawals(frames, since_filing=frames)), 1)
    assert "the terms let 20 % be withdrawn" in found.sentence


def test_schedule_notices_captures_that_were_not_drawn() -> None:
    # The builders draw nothing: their captures are where the staging put them.
    found = run(CODE, 2)
    assert found.outcome is Outcome.NOTICED
    told = sum(one.segment.capture is not Capture.NONE for one in CODE.places)
    due = sum("due at" in row for row in found.proof)
    assert f"480 draws were computed again: {due} captures were due" in found.sentence
    assert told > 0


def test_schedule_does_not_run_without_frames_in_the_terms() -> None:
    timer = replace(CODE.terms, level=Level.TIMER, capture_rate=0)
    assert run(replace(CODE, terms=timer), 2).outcome is Outcome.NOT_RUN


# --- 3 to 6: shown tiles ---


def change_size(material: Material) -> Material:
    first, *rest = material.frames
    return replace(material, frames=(replace(first, grid=Grid(128, 96, 32), tiles={}), *rest))


def test_geometry_notices_a_size_that_changes_without_a_note() -> None:
    assert not noticed(CODE, 3)
    changed = change_size(CODE)
    found = run(changed, 3)
    assert found.outcome is Outcome.NOTICED
    assert "display 0: 128 x 96 and 256 x 160; 1 changes of size" in found.sentence
    note = (Note(NoteCode.DISPLAY_CHANGE, 1),)
    told = opened(changed, lambda one: replace(one, notes=note))
    assert not noticed(told, 3)


def test_revealed_share_counts_what_is_more_than_one_colour() -> None:
    flat = tuple(replace(one, flat=frozenset(one.tiles)) for one in CODE.frames)
    found = run(replace(CODE, frames=flat), 4)
    assert found.outcome is Outcome.NOTICED
    assert "97.5 % of the pixels" in found.sentence
    assert " 0.0 % in tiles of more than one colour" in found.sentence
    assert not noticed(CODE, 4)


def only(frame: ShownFrame, numbers: Any) -> ShownFrame:
    return replace(frame, tiles={n: frame.tiles[n] for n in numbers})


def test_the_edge_of_a_window_makes_no_equal_frames() -> None:
    edge = [n for n in range(GRID.count) if n not in CONTENT and n != CLOCK][:3]
    frames = tuple(only(one, edge) for one in STILL.frames)
    assert run(replace(STILL, frames=frames), 5).outcome is Outcome.NOT_RUN
    assert noticed(STILL, 5)


def test_frames_that_differ_in_one_tile_are_not_equal() -> None:
    one, other = STILL.frames[:2]
    assert group_equal((one, other)) == (0, 0)
    changed = replace(other, tiles={**other.tiles, CONTENT[0]: b"another".ljust(16)})
    assert group_equal((one, changed)) == (0, 1)
    assert group_equal((one, only(changed, CONTENT[1:]))) == (0, 0)


def test_equal_frames_are_not_noticed_where_no_input_was_counted() -> None:
    def quiet(one: Placed) -> Placed:
        assert one.activity is not None
        return replace(one, activity=replace(one.activity, input_seconds=0))

    frames = tuple(replace(one, place=quiet(one.place)) for one in STILL.frames)
    assert not noticed(replace(STILL, frames=frames), 5)
    unopened = tuple(replace(one, place=replace(one.place, activity=None)) for one in STILL.frames)
    assert not noticed(replace(STILL, frames=unopened), 5)


@pytest.mark.parametrize(("alike", "of", "half"), [(3, 6, True), (3, 7, False), (4, 7, True)])
def test_half_of_an_odd_number_of_frames_is_not_rounded_down(
    alike: int, of: int, *, half: bool
) -> None:
    frames = tuple(
        one if place < alike else replace(one, tiles={**one.tiles, CONTENT[0]: b"%d" % place * 16})
        for place, one in enumerate(STILL.frames[:of])
    )
    assert len(frames) == of
    told = run(replace(STILL, frames=frames), 5)
    assert told.sentence.startswith(f"{alike} of {of} comparable frames are equal")
    assert (told.outcome is Outcome.NOTICED) is half


def test_returns_are_counted_after_something_else_alone() -> None:
    assert count_returns("AAAA") == 0
    assert count_returns("ABAB") == 2
    assert count_returns("ABCABC") == 3
    assert count_returns("ABBBA") == 1
    assert count_returns("") == 0


def test_more_frames_than_a_request_names_are_not_compared() -> None:
    many = replace(LOOP, frames=LOOP.frames * 5)
    sentence = run(many, 6).sentence
    assert f"of {MAX_COMPARED} comparable frames" in sentence
    assert f"{len(LOOP.frames) * 5 - MAX_COMPARED} shown frames are not compared" in sentence


# --- 7: tags ---

KEY = octets("tag key")


def tagged(material: Material, outlines: Callable[[int], bytes], **changes: Any) -> Material:
    frames = [frame for one in material.places for frame in one.segment.frames]
    tags = {frame: tag_of(KEY, outlines(number)) for number, frame in enumerate(frames)}
    return replace(material, tags=TagList(ENGAGEMENT, tags), **changes)


def test_tags_are_noticed_where_most_are_equal_though_input_was_counted() -> None:
    assert not noticed(tagged(CODE, lambda n: n.to_bytes(8, "big")), 7)
    assert noticed(tagged(CODE, lambda _: bytes(8)), 7)
    half = len([frame for one in CODE.places for frame in one.segment.frames]) // 2
    assert not noticed(tagged(CODE, lambda n: max(n - half + 2, 0).to_bytes(8, "big")), 7)


def test_a_tag_that_is_not_that_of_the_pixels_is_noticed() -> None:
    shown = replace(CODE.frames[0], outline=bytes(8))
    good = tagged(CODE, lambda n: n.to_bytes(8, "big"), frames=(shown,), tag_key=KEY)
    assert "1 tags could be compared with wholly shown frames, 0 are not" in run(good, 7).sentence
    other = replace(good, frames=(replace(shown, outline=b"8 octets"),))
    assert noticed(other, 7)
    assert not noticed(replace(other, tag_key=None), 7)


def test_frames_without_a_tag_are_noticed() -> None:
    whole = tagged(CODE, lambda n: n.to_bytes(8, "big"))
    assert whole.tags is not None
    fewer = dict(list(whole.tags.tags.items())[1:])
    assert noticed(replace(whole, tags=TagList(ENGAGEMENT, fewer)), 7)
    assert run(CODE, 7).outcome is Outcome.NOT_RUN


def test_a_tag_shows_nothing_without_its_key() -> None:
    assert tag_of(KEY, bytes(8)) == tag_of(KEY, bytes(8))
    assert tag_of(KEY, bytes(8)) != tag_of(octets("another"), bytes(8))
    for wrong in (b"", bytes(31)):
        with pytest.raises(ValueError, match="a key has 32 bytes"):
            tag_of(wrong, bytes(8))
    # The value of the page: the tag before the outline keeps it apart from other uses of a key.
    expected = hmac.digest(KEY, b"workseal/tag/v1" + bytes(8), "sha256")[:16]
    assert tag_of(KEY, bytes(8)) == expected
    assert bytes(8) not in TagList(ENGAGEMENT, {digest(1): tag_of(KEY, bytes(8))}).encode()


def test_a_list_of_tags_comes_back() -> None:
    tags = TagList(ENGAGEMENT, {digest(n): bytes([n]) * 16 for n in range(9)})
    assert TagList.parse(tags.encode()) == tags


@given(st.binary(max_size=90))
def test_a_list_of_tags_is_refused_with_malformed_alone(data: bytes) -> None:
    with suppress(MalformedError):
        assert TagList.parse(data).encode() == data


@pytest.mark.parametrize("wrong", ["twice", "short", "none"])
def test_refuses_lists_of_tags(wrong: str) -> None:
    frame, tag = digest(1).raw, bytes(16)
    frames, tags = {
        "twice": (frame + frame, tag + tag),
        "short": (frame, tag[:-1]),
        "none": (b"", b""),
    }[wrong]
    with pytest.raises(MalformedError, match="tags"):
        TagList.parse(encode({1: 1, 2: ENGAGEMENT, 3: frames, 4: tags}))


# --- 8 and 9: activity ---


def test_a_still_screen_needs_enough_captures_and_input() -> None:
    assert noticed(STILL, 8)
    few = replace(STILL, places=STILL.places[:40])
    assert run(few, 8).outcome is Outcome.NOT_RUN

    def quieter(one: Placed) -> Placed:
        assert one.activity is not None
        return replace(one, activity=replace(one.activity, input_seconds=5))

    assert not noticed(opened(STILL, quieter), 8)


def test_windows_are_of_rounds_that_follow_each_other() -> None:
    assert noticed(STILL, 9)
    with_gaps = replace(STILL, places=tuple(p for n, p in enumerate(STILL.places) if n % 20))
    assert run(with_gaps, 9).outcome is Outcome.NOT_RUN
    closed = opened(STILL, lambda one: replace(one, activity=None))
    assert run(closed, 9).outcome is Outcome.NOT_RUN


# --- over a bundle ---


@pytest.fixture(scope="module")
def story() -> Story:
    return tell_story()


def report_of(story: Story) -> Report:
    return examine_bundle(story.bundle().encode(), story.policy)


def test_gathers_what_a_bundle_that_holds_has(story: Story) -> None:
    report = report_of(story)
    material = gather(report)
    assert len(material.frames) == 1
    assert len(material.frames[0].tiles) == 2
    assert sum(one.activity is not None for one in material.places) == 3
    assert {one.number for one in examine_hours(material).checks} == set(range(1, 10))
    assert run(material, 2).outcome is Outcome.NOTHING
    assert "0 are told that were not due" in run(material, 2).sentence


def test_openings_beside_the_bundle_count_and_are_compared(story: Story) -> None:
    report = report_of(story)
    beside = story.agent.openings
    material = gather(report, openings=beside)
    assert all(one.activity for one in material.working)
    (one, *_) = (each for each in beside if each.kind is ValueKind.ACTIVITY)
    with pytest.raises(VerificationError, match="opening 0: the opened activity is not"):
        gather(report, openings=[replace(one, salt=bytes(16))])
    memo = next(each for each in beside if each.kind is ValueKind.MEMO)
    assert gather(report, openings=[memo]) == gather(report)
    with pytest.raises(VerificationError, match="opening 0: the opened memo is not"):
        gather(report, openings=[replace(memo, value=b"another")])
    strange = Opening(digest("nothing"), ValueKind.NOTES, bytes(16), b"\x80")
    with pytest.raises(VerificationError, match="committed to no value of this kind"):
        gather(report, openings=[strange])


def test_disclosures_beside_the_bundle_are_compared(story: Story) -> None:
    report = report_of(story)
    frame = story.agent.frames[0]
    both = gather(report, disclosures=[disclose(frame, (2, 3))])
    assert len(both.frames[0].tiles) == 4
    other = replace(disclose(frame, (2, 3)), seeds=bytes(16))
    with pytest.raises(VerificationError, match="shows no frame of this bundle"):
        gather(report, disclosures=[other])


def test_wholly_shown_frames_alone_get_an_outline(story: Story) -> None:
    report = report_of(story)
    seen: list[tuple[int, int, int]] = []

    def outline(width: int, height: int, pixels: bytes) -> bytes:
        seen.append((width, height, len(pixels)))
        return bytes(8)

    assert gather(report, outline=outline).frames[0].outline is None
    whole = disclose(story.agent.frames[0], (0, 1, 2, 3))
    assert gather(report, disclosures=[whole], outline=outline).frames[0].outline == bytes(8)
    assert seen == [(64, 48, 64 * 48 * 3)]


def test_hours_leave_out_what_lies_outside(story: Story) -> None:
    report = report_of(story)
    everything = gather(report)
    begin, end = everything.places[2].segment.begin, everything.places[4].segment.end
    some = gather(report, hours=(begin, end))
    assert [one.digest for one in some.places] == [one.digest for one in everything.places[2:5]]
    assert (some.begin, some.end) == (begin, end)


def test_a_frame_is_kept_as_agreed_if_it_went_before_the_filing_that_the_bundle_has() -> None:
    story, filing, (before, after) = tell_filed()
    report = examine_bundle(story.bundle().encode(), story.policy)
    found = gather(report, filing=filing.digest).withdrawn
    assert found.over == {before, after}
    assert found.since_filing == {after}
    assert before in found.expired
    assert after not in found.expired
    assert not found.unplaced
    # Without its place in the log there are the days alone, and it is said.
    found = gather(report, filing=digest("a filing of another bundle")).withdrawn
    assert found.expired == {before, after}
    assert not found.since_filing
    told = run(gather(report, filing=digest("a filing of another bundle")), 1).sentence
    assert "the bundle has no filing, so that nothing tells whether before it" in told
    assert "no filing" not in run(gather(report), 1).sentence


def test_refuses_a_bundle_that_does_not_hold(story: Story) -> None:
    contents = replace(story.contents, disclosures=())
    report = examine_bundle(story.bundle(contents).encode()[:-1], story.policy)
    with pytest.raises(VerificationError, match="the bundle does not hold"):
        gather(report)
    failing = examine_bundle(story.bundle().encode(), story.verifier.trust())
    assert failing.bundle is not None
    assert failing.terms is not None
    with pytest.raises(VerificationError, match="the bundle does not hold"):
        gather(replace(failing, steps=(replace(failing.steps[-1], outcome=StepOutcome.FAILS),)))
    good = report_of(story)
    with pytest.raises(VerificationError, match="tags are of another engagement"):
        gather(good, tags=TagList(bytes(16), {digest(1): bytes(16)}))
    assert isinstance(story.contents.disclosures[0], FrameDisclosure)
    assert GRID.count == 40
