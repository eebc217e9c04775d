from typing import Any

import pytest

from support.builders import digest, make_possession
from workseal_protocol.encoding import decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.records import MAX_DRAWS, Held, HeldAnswer, Possession

SALT = bytes(range(16))
BLOCK = bytes(range(256))
SHOWN = HeldAnswer(Held.SHOWN, SALT, BLOCK, (bytes(32), b"x" * 32))


def test_the_record_is_read_as_it_is_written() -> None:
    record = make_possession(before=digest("before"), answers=(HeldAnswer(Held.LOST), SHOWN, SHOWN))
    assert Possession.read(decode(encode(record.to_value()))) == record


def test_a_week_without_frames_has_no_root() -> None:
    record = make_possession(count=0, root=None, before=digest("before"), answers=(SHOWN,))
    value = record.to_value()
    assert 15 not in value
    assert Possession.read(decode(encode(value))) == record


@pytest.mark.parametrize(
    "row",
    [
        pytest.param([1], id="shown, and nothing is"),
        pytest.param([2, SALT, BLOCK, b""], id="lost, and a block"),
        pytest.param([3], id="no outcome"),
        pytest.param([0], id="not even one"),
        pytest.param([1, SALT[1:], BLOCK, b""], id="a short salt"),
        pytest.param([1, SALT, BLOCK[1:], b""], id="a short block"),
        pytest.param([1, SALT, BLOCK, b"x"], id="half a hash"),
        pytest.param([1, SALT, BLOCK, bytes(32 * 65)], id="a long path"),
        pytest.param([1, SALT, BLOCK, 5], id="no path"),
        pytest.param([], id="an empty row"),
        pytest.param(5, id="no row"),
    ],
)
def test_refuses_an_answer_out_of_its_bounds(row: object) -> None:
    value: dict[int, Any] = {**make_possession(before=digest("before")).to_value(), 16: [row]}
    with pytest.raises(MalformedError):
        Possession.read(value)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({14: 0}, id="a root of nothing"),
        pytest.param({14: (1 << 20) + 1}, id="too many frames"),
        pytest.param({11: bytes(31)}, id="a short value"),
        pytest.param({16: [[2]] * (MAX_DRAWS + 1)}, id="too many draws"),
        pytest.param({13: None}, id="an answer before anything was committed to"),
        pytest.param({17: 1}, id="an unknown key"),
        pytest.param({1: 2}, id="another version"),
    ],
)
def test_refuses_a_statement_out_of_its_bounds(changes: dict[int, object]) -> None:
    made = make_possession(before=digest("b"), answers=(SHOWN,)).to_value()
    value: dict[int, Any] = {**made, **changes}
    with pytest.raises(MalformedError):
        Possession.read({key: one for key, one in value.items() if one is not None})
