import json

import pytest

from support.builders import make_segment
from workseal_protocol.cli import openedframe
from workseal_protocol.cli.frames import PlacedFrame
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import VerifiedTiles, open_frame, verify_disclosure
from workseal_protocol.frame import FrameHeader, commit_frame

MARK = Digest(b"m" * 32)


def opened_of(tiles: tuple[int, ...]) -> tuple[PlacedFrame, VerifiedTiles]:
    header = FrameHeader(512, 256, 128, display=0, round=1, offset_ms=0, nonce=bytes(16))
    pixels = bytes(512 * 256 * 3)
    tree = commit_frame(header, pixels, bytes(16))
    shown = open_frame(tree, tiles, pixels=pixels, seed=bytes(16))
    place = PlacedFrame(8, 0, Digest(b"s" * 32), make_segment(frames=(tree.commitment,)))
    return place, verify_disclosure(shown, tree.commitment)


@pytest.mark.parametrize(
    ("tiles", "within"),
    [((0,), "128 x 128"), ((0, 1), "256 x 128"), ((0, 1, 2, 3), ""), ((0, 3), ""), ((), "")],
    ids=["one", "a row", "a square", "two corners", "none"],
)
def test_what_is_too_small_to_keep_its_mark_is_said_to_be(
    tiles: tuple[int, ...], within: str
) -> None:
    _, shown = opened_of(tiles)
    said = openedframe._lost(shown)
    assert said == (
        f"; it lies within {within} pixels: a part that small, cut out, may not tell whose copy it"
        " was"
        if within
        else ""
    )


def test_who_draws_nothing_is_told_the_same_line() -> None:
    alone = openedframe.line_alone(*opened_of((0, 3)), MARK)
    drawn = openedframe.parts_of(*opened_of((0, 3)), MARK)
    assert (alone.line, alone.share) == (drawn.line, drawn.share)
    assert alone.parts == ()
    assert "frame 000008: holds; 2 of 8 tiles shown" in alone.line
    assert "2 shown tiles of one colour only" in alone.line


def test_a_picture_has_beside_it_what_of_it_is_shown() -> None:
    (name, picture), (beside, facts) = openedframe.parts_of(*opened_of((0, 3)), MARK).parts
    assert (name, beside) == ("000008.png", "000008.json")
    assert picture.startswith(b"\x89PNG")
    told = json.loads(facts)
    assert told["mark"] == str(MARK)
    assert [(box["left"], box["top"]) for box in told["shown"]] == [(0, 0), (128, 128)]
