import ast
import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workseal_agent.activity
from workseal_agent.activity import Counts, NullActivity, Press, Tally
from workseal_agent.activity.x11 import _SOURCE_ONLY
from workseal_protocol.commitment import ActivitySource

FOLDER = Path(workseal_agent.activity.__file__).parent
PRESS = st.tuples(st.sampled_from(Press), st.booleans(), st.integers(0, 9))


@given(st.lists(PRESS), st.lists(st.integers(0, 9)))
def test_adds_up_what_it_is_told(presses: list[tuple[Press, bool, int]], moves: list[int]) -> None:
    tally = Tally()
    for press, synthetic, second in presses:
        tally.press(press, synthetic=synthetic, second=second)
    for second in moves:
        tally.moved(second)
    counts = tally.take(ActivitySource.XINPUT2)
    assert counts.keys == sum(press is Press.KEY for press, _, _ in presses)
    assert counts.pointer == len(presses) - counts.keys
    assert counts.synthetic == sum(synthetic for _, synthetic, _ in presses)
    assert counts.device == len(presses) - counts.synthetic
    assert counts.active_seconds == len({*moves, *(second for _, _, second in presses)})


def test_starts_again_after_a_take() -> None:
    tally = Tally()
    tally.press(Press.KEY, synthetic=False, second=1)
    tally.take(ActivitySource.XINPUT2)
    assert tally.take(ActivitySource.XINPUT2) == Counts(0, 0, 0, 0, 0, ActivitySource.XINPUT2)


@pytest.mark.parametrize("numbers", [(1, 0, 0, 0, 0), (0, 0, 1, 0, 0), (-1, 0, 0, -1, 0)])
def test_refuses_counts_that_do_not_add_up(numbers: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="add up"):
        Counts(*numbers, ActivitySource.XINPUT2)


def test_refuses_counts_of_no_source() -> None:
    with pytest.raises(ValueError, match="nothing was observed"):
        Counts(1, 0, 1, 0, 1, ActivitySource.NONE)


def test_a_sensor_of_nothing_says_so() -> None:
    sensor = NullActivity()
    assert sensor.take() == Counts(0, 0, 0, 0, 0, ActivitySource.NONE)
    assert sensor.idle_ms() is None
    sensor.close()


# --- no key identity anywhere -------------------------------------------------------------------


def test_counts_has_numbers_only_and_each_is_of_a_whole_class() -> None:
    assert {field.name: field.type for field in dataclasses.fields(Counts)} == {
        "keys": int,
        "pointer": int,
        "synthetic": int,
        "device": int,
        "active_seconds": int,
        "source": ActivitySource,
    }
    assert Tally.__slots__ == ("_device", "_keys", "_pointer", "_seconds", "_synthetic")


def test_the_reader_of_events_skips_the_bytes_of_the_key() -> None:
    # xXIRawEvent after ten bytes: deviceid 2, time 4, detail 4 (the key), sourceid 2
    event = b"\x03\x00" + b"TIME" + b"KEY!" + b"\x09\x00" + bytes(8)
    read, _ = _SOURCE_ONLY.parse_binary(event, None)
    assert read._data == {"deviceid": 3, "sourceid": 9}


def names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.alias(name=name):
                yield name
            case ast.Constant(value=str(name)) if " " not in name:
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_no_line_reads_names_or_keeps_a_key(file: Path) -> None:
    tree = ast.parse(file.read_text())
    words = {name.lower() for name in names_in(tree)}
    for forbidden in ("detail", "keycode", "keysym", "valuator", "xk", "scancode", "lookup_string"):
        assert not [word for word in words if forbidden in word], forbidden
    assert not words & {"logging", "print", "logger", "warnings", "char", "unicode", "button"}


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        tally = Tally()
        tally.press(Press.KEY, synthetic=False, second=1)
        tally.take(ActivitySource.XINPUT2)
    assert caplog.records == []
