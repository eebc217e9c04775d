from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.builders import (
    CLIENT,
    ENGAGEMENT,
    FREELANCER,
    NOW,
    STRANGER,
    digest,
    link,
    make_close,
    make_declaration,
    make_rotate,
    make_sheet_answer,
    octets,
    one_of_each,
    signer,
)
from workseal_protocol.encoding import Value, decode, encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_protocol.records import (
    CHAINED,
    Anchor,
    Capture,
    IssuerRecord,
    KeyRotate,
    Record,
    Segment,
    SegmentState,
    SheetAnswer,
    TimesheetAnswer,
    read_record,
    rotation_message,
    sign,
)
from workseal_protocol.statement import Kind, engagement_subject, sign_statement

RECORDS = [pytest.param(record, by, id=record.KIND) for record, by in one_of_each()]
VALUES = [(type(record), record.to_value()) for record, _ in one_of_each()]
times = st.integers(0, 253_402_300_799_999)
digests = st.integers(0, 99).map(digest)
segments = st.builds(
    lambda seq, begin, length, worked, states, notes, **links: Segment(
        **(link(seq) | links),
        session=bytes(16),
        round=begin // 30_000,
        begin=begin,
        end=min(begin + length, 253_402_300_799_999),
        worked=worked,
        notes=notes,
        agent_value=octets(seq),
        **states,
    ),
    seq=st.integers(0, 2**53 - 1),
    begin=times,
    length=st.integers(0, 600_000),
    worked=st.integers(0, 600_000),
    notes=digests,
    claimed_at=times,
    prev=digests,
    anchor=st.builds(Anchor, digests, st.integers(1, 2**53 - 1)),
    states=st.sampled_from(
        [
            {"state": SegmentState.WORKING},
            {"state": SegmentState.WORKING, "verifier_value": octets(1), "activity": digest(1)},
            {"state": SegmentState.WORKING, "capture": Capture.MISSED},
            {"state": SegmentState.OFF_SCREEN, "activity": digest(1)},
            {"state": SegmentState.SEALED, "verifier_value": octets(1)},
        ]
        + [
            {
                "state": SegmentState.WORKING,
                "capture": Capture.CAPTURED,
                "frames": tuple(digest(each) for each in range(count)),
            }
            for count in (1, 2, 8)
        ]
    ),
)


@given(segments)
def test_read_is_the_inverse_of_to_value(segment: Segment) -> None:
    assert Segment.read(decode(encode(segment.to_value()))) == segment


@pytest.mark.parametrize(("record", "by"), RECORDS)
def test_a_statement_gives_its_record_back(record: Record, by: SeedSigner) -> None:
    statement = sign(record, by)
    assert statement.kind is record.KIND
    assert read_record(statement) == record


def test_every_kind_has_a_record() -> None:
    assert {record.KIND for record, _ in one_of_each()} == set(Kind)
    assert len(one_of_each()) == len(Kind)


@pytest.mark.parametrize(("record", "by"), RECORDS)
def test_the_subject_is_the_engagement_or_the_issuer(record: Record, by: SeedSigner) -> None:
    about_issuer = isinstance(record, IssuerRecord)
    expected = by.public_key.uri if about_issuer else engagement_subject(ENGAGEMENT)
    assert sign(record, by).subject == expected
    assert record.KIND.in_engagement is not about_issuer


@pytest.mark.parametrize(("record", "by"), RECORDS)
def test_refuses_the_subject_of_another_engagement(record: Record, by: SeedSigner) -> None:
    if not record.KIND.in_engagement:
        return
    other = engagement_subject(bytes(16))
    statement = sign_statement(record.KIND, other, record.to_value(), by)
    with pytest.raises(MalformedError, match="not the payload's engagement"):
        read_record(statement)


@pytest.mark.parametrize(("record", "by"), RECORDS)
def test_refuses_an_unknown_key_a_missing_version_and_another(
    record: Record, by: SeedSigner
) -> None:
    value = record.to_value()
    for wrong in (value | {99: 0}, value | {1: 2}, {k: v for k, v in value.items() if k != 1}):
        subject = by.public_key.uri if not record.KIND.in_engagement else None
        statement = sign_statement(
            record.KIND, subject or engagement_subject(ENGAGEMENT), wrong, by
        )
        with pytest.raises(MalformedError, match=r"unknown key 99|version \(1\)"):
            read_record(statement)


OPTIONAL = {
    Kind.SEGMENT: {16, 17},
    Kind.DECLARATION: {15},
    Kind.KEY_ANNOUNCE: {13},
    Kind.TIMESHEET: {16},
    Kind.TIMESHEET_ANSWER: {12},
    Kind.DISPUTE_ACT: {9},
}


@pytest.mark.parametrize(
    "record",
    [
        make_sheet_answer(answer=SheetAnswer.ACCEPTED)
        if isinstance(record, TimesheetAnswer)
        else record
        for record, _ in one_of_each()
    ]
    + [make_declaration(artefact=digest(1))],
    ids=lambda record: record.KIND,
)
def test_every_key_is_needed_unless_it_is_optional(record: Record) -> None:
    value = record.to_value()
    for key in value:
        less = {each: part for each, part in value.items() if each != key}
        if key in OPTIONAL.get(record.KIND, set()):
            assert type(record).read(less).to_value() == less
        else:
            with pytest.raises(MalformedError):
                type(record).read(less)


@pytest.mark.parametrize("value", [0, b"", "text", [], {}, {-1: 0}, [[]]])
@pytest.mark.parametrize("kind", [kind for kind, _ in VALUES])
def test_refuses_what_is_no_such_map(kind: type[Record], value: Value) -> None:
    with pytest.raises(MalformedError):
        kind.read(value)


junk: st.SearchStrategy[Value] = st.recursive(
    st.integers(-1, 2**53 - 1)
    | st.integers(0, 9)
    | st.sampled_from([bytes(16), bytes(32), b"", "text", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers(0, 9), inner),
    max_leaves=5,
)


@settings(max_examples=300)
@given(st.sampled_from(VALUES), st.integers(0, 24), junk)
def test_read_raises_only_malformed_and_reads_one_form(
    example: tuple[type[Record], dict[int, Value]], key: int, value: Value
) -> None:
    kind, good = example
    payload = good | {key: value}
    with suppress(MalformedError):
        assert kind.read(payload).to_value() == payload


def test_refuses_a_payload_that_is_not_strict() -> None:
    statement = sign(make_close(), FREELANCER)
    loose = b"\xb8" + bytes((len(make_close().to_value()),)) + statement.payload[1:]
    with pytest.raises(MalformedError, match="shortest form"):
        read_record(replace(statement, payload=loose))


def test_the_new_key_agrees_to_replace_the_old_one() -> None:
    record = make_rotate()
    record.verify_proof()
    other = signer("another")
    for wrong in (
        replace(record, old=CLIENT.public_key.thumbprint),
        replace(record, public_key=other.public_key),
        replace(record, proof=other.sign(rotation_message(record.old, digest(1)))),
        replace(record, proof=STRANGER.sign(b"")),
    ):
        with pytest.raises(VerificationError):
            wrong.verify_proof()


def test_the_rotation_message_is_that_of_the_specification() -> None:
    record = make_rotate()
    message = b"workseal/key.rotate/v1" + record.old.raw + record.public_key.thumbprint.raw
    record.public_key.verify(record.proof, message)


def test_a_key_cannot_replace_itself() -> None:
    with pytest.raises(ValueError, match="replace itself"):
        make_rotate(FREELANCER, FREELANCER)


def test_a_key_may_be_replaced_by_one_of_another_algorithm() -> None:
    new = SeedSigner(bytes(32), Algorithm.ML_DSA_44)
    record = KeyRotate.make(claimed_at=NOW, old=FREELANCER.public_key, new=new)
    record.verify_proof()
    assert KeyRotate.read(decode(encode(record.to_value()))) == record


def test_the_chained_kinds_are_those_with_a_place_in_the_chain() -> None:
    found = {record.KIND for record, _ in one_of_each() if hasattr(record, "prev")}
    assert found == CHAINED
