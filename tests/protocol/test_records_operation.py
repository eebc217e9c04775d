"""A log that continues another names the last good checkpoint of that one."""

import json
from pathlib import Path

import pytest

from support.builders import LOG_ORIGIN, OPERATOR, digest, make_log_policy, signer
from workseal_protocol.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from workseal_protocol.encoding import decode, encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.note import NoteLine
from workseal_protocol.records import LogPolicy, read_record, sign
from workseal_protocol.statement import Statement

VECTOR = json.loads(
    (Path(__file__).parents[1] / "vectors/log/policy-continued.json").read_text("utf-8")
)


def last_of(origin: str = "old.workseal.example") -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(origin, 7, digest(7)), signer("log"))


def test_the_last_good_checkpoint_comes_back_with_all_its_lines() -> None:
    record = make_log_policy(previous=last_of())
    assert LogPolicy.read(decode(encode(record.to_value()))) == record
    read = read_record(sign(record, OPERATOR))
    assert isinstance(read, LogPolicy)
    assert read.previous == last_of()


def test_the_bytes_stay_the_same_for_ever() -> None:
    record = make_log_policy(previous=last_of())
    assert sign(record, OPERATOR).encode().hex() == VECTOR["statement"]
    assert read_record(Statement.parse(bytes.fromhex(VECTOR["statement"]))) == record
    assert last_of().encode().decode() == VECTOR["previous"]


@pytest.mark.parametrize(
    "previous",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no note\n", id="no note"),
        pytest.param(last_of().encode()[:-1], id="no last newline"),
        pytest.param(last_of(LOG_ORIGIN).encode(), id="of the log itself"),
        pytest.param(7, id="a number"),
    ],
)
def test_refuses(previous: bytes | int) -> None:
    value = make_log_policy().to_value() | {13: previous}
    with pytest.raises(MalformedError):
        LogPolicy.read(value)


def test_refuses_more_lines_than_a_statement_should_carry() -> None:
    lines = tuple(NoteLine(f"w{n}", b"1234", bytes(2_428)) for n in range(6))
    signed = last_of()
    long = SignedCheckpoint(signed.checkpoint, (*signed.lines, *lines))
    with pytest.raises(ValueError, match="at most 16384"):
        make_log_policy(previous=long)


def test_the_page_that_the_operator_means_comes_back() -> None:
    record = make_log_policy(page=digest("page"))
    assert record.to_value()[14] == digest("page").raw
    read = read_record(sign(record, OPERATOR))
    assert isinstance(read, LogPolicy)
    assert read.page == digest("page")
    with pytest.raises(MalformedError):
        LogPolicy.read(record.to_value() | {14: bytes(31)})
