import pytest

from support.builders import (
    CLIENT,
    FREELANCER,
    digest,
    make_offer,
    make_segment,
    make_tombstone,
)
from workseal_protocol.cli.frames import FrameTable
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.records import Capture, Record, sign
from workseal_protocol.statement import Statement

ONE, LEFT, RIGHT, GONE = (digest(name) for name in ("one", "left", "right", "gone"))


def signed(record: Record) -> tuple[Statement, Record]:
    return sign(record, FREELANCER), record


def table() -> FrameTable:
    return FrameTable(
        [
            (sign(make_offer(), CLIENT), make_offer()),
            signed(make_segment(1, frames=(ONE,), capture=Capture.CAPTURED)),
            signed(make_segment(2, frames=(LEFT, RIGHT), capture=Capture.CAPTURED)),
            signed(make_segment(3, frames=(GONE,), capture=Capture.CAPTURED)),
            signed(make_tombstone(4, frame=GONE)),
        ]
    )


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["000001"], [ONE]),
        (["1"], [ONE]),
        (["000002"], [LEFT, RIGHT]),
        (["000002-1"], [RIGHT]),
        ([str(LEFT)], [LEFT]),
        (["1", str(ONE), "000001"], [ONE]),
    ],
)
def test_finds_frames_by_number_and_by_commitment(words: list[str], found: list[object]) -> None:
    assert [one.commitment for one in table().named(words)] == found


def test_names_files_as_the_bundle_names_its_entries() -> None:
    assert [one.name for one in table().named(["1", "2"])] == ["000001", "000002-0", "000002-1"]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("000000", "no frame"),
        ("000009", "no frame"),
        ("000001-1", "no frame"),
        (str(digest("unknown")), "no frame"),
        ("first", "statement number or 64 hex digits"),
        ("\u0661", "statement number or 64 hex digits"),
        ("3", "was withdrawn"),
        (str(GONE), "was withdrawn"),
    ],
)
def test_refuses(word: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        table().named([word])
