"""Reading a submission: whose key is known shows neither in the answer nor in the work."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from support.office import Office
from support.simulator import seeded
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Algorithm, PublicKey, Role, SeedSigner
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Offer,
    RevocationReason,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.candidate import LEAST_BATCH, Elsewhere, Intake
from workseal_verifier.signaturechecks import LOAD, SignatureChecks
from workseal_verifier.signatureprocess import Question
from workseal_verifier.store.parties import PartyStore
from workseal_verifier.store.records import RecordStore

STRANGER = SeedSigner(bytes(range(32)))
NEW = SeedSigner(bytes(range(1, 33)))


def revocation(key: SeedSigner, number: int) -> Statement:
    reason = RevocationReason.COMPROMISED
    return sign(KeyRevoke(claimed_at=number, key=key.public_key.thumbprint, reason=reason), key)


def forged(key: SeedSigner, count: int) -> bytes:
    """Make statements in the name of a key that its holder did not sign."""
    said = (revocation(key, number) for number in range(1, count + 1))
    return b"".join(
        replace(one, signature=bytes([n]) + one.signature[1:63] + b"\0").encode()
        for n, one in enumerate(said)
    )


@pytest.fixture
def peopled(office: Office) -> Office:
    """A log with an offer, and a rotation of its freelancer's key."""
    people = office.people
    offer = Offer(engagement=bytes(16), claimed_at=office.now, terms=office.terms())
    old = people.freelancer
    rotate = KeyRotate.make(claimed_at=office.now, old=old.public_key, new=NEW)
    office.post([sign(offer, people.client)])
    office.post([sign(rotate, old)])
    return office


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write down each signature that is checked, and each question to the store."""
    done: list[str] = []

    def noting(kind: type, name: str) -> None:
        real: Any = getattr(kind, name)

        def noted(*given: object) -> object:
            done.append(name)
            return real(*given)

        monkeypatch.setattr(kind, name, noted)

    noting(PublicKey, "verify")
    noting(PartyStore, "key")
    noting(RecordStore, "rotation_to")
    return done


def holds(question: Question) -> bool:
    key, signature, message = question
    try:
        key.verify(signature, message)
    except VerificationError:
        return False
    return True


def by_itself(batch: Sequence[Question]) -> Sequence[bool]:
    """Answer as the other process does, in this one, where the work is seen."""
    return [holds(one) for one in batch]


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize(("count", "elsewhere"), [(1, None), (40, None), (40, by_itself)])
def test_false_signatures_cost_as_much_work_whoever_is_known(
    peopled: Office, work: list[str], count: int, elsewhere: Elsewhere | None, *, remembered: bool
) -> None:
    people, found = peopled.people, []
    for key in (people.freelancer, people.client, NEW, STRANGER):
        intake = Intake(peopled.verifier.records, elsewhere)
        if remembered:
            intake.read(revocation(key, 1).encode())
        work.clear()
        assert intake.read_quickly(forged(key, count)) is None
        candidates = intake.read(forged(key, count))
        assert not any(one.signed for one in candidates)
        found.append(list(work))
    assert found[1:] == found[:1] * 3
    assert found[0].count("verify") == 3 * count
    assert found[0].count("key") == found[0].count("rotation_to") == 1


def test_what_memory_says_is_signed_asks_nothing(peopled: Office, work: list[str]) -> None:
    intake = Intake(peopled.verifier.records)
    body = revocation(peopled.people.client, 1).encode()
    assert intake.read_quickly(body) is None
    intake.read(body)
    work.clear()
    again = intake.read_quickly(body)
    assert again is not None
    assert again[0].signed
    assert work == ["verify"]


def test_a_key_is_read_from_terms_and_from_a_rotation(peopled: Office) -> None:
    intake = Intake(peopled.verifier.records)
    for key in (peopled.people.client, peopled.people.freelancer, NEW):
        assert intake.read(revocation(key, 1).encode())[0].signed is True
        assert intake.read(forged(key, 1))[0].signed is False
    assert intake.read(revocation(STRANGER, 1).encode())[0].signed is None


def test_an_offer_in_somebody_elses_name_is_left_to_the_admission(
    peopled: Office, work: list[str]
) -> None:
    seed = seeded(peopled.seed, "other")
    record = Offer(engagement=bytes(16), claimed_at=peopled.now, terms=peopled.terms())
    intake = Intake(peopled.verifier.records)
    work.clear()
    found = intake.read_quickly(sign(record, SeedSigner(seed)).encode())
    assert found is not None
    assert found[0].signed is None
    assert work == []


@pytest.fixture(scope="module")
def process() -> Iterator[SignatureChecks]:
    """A process that already checks."""
    checks = SignatureChecks(1)
    question = (STRANGER.public_key, STRANGER.sign(b"said"), b"said")
    deadline = time.monotonic() + 20
    try:
        while checks.ask([question] * LOAD) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield checks
    finally:
        checks.close()


def announced(number: int) -> Statement:
    key = SeedSigner(bytes([number]) * 32)
    return sign(KeyAnnounce(claimed_at=1, public_key=key.public_key, role=Role.CLIENT), key)


def spoilt(one: Statement) -> Statement:
    return replace(one, signature=bytes([one.signature[0] ^ 1]) + one.signature[1:])


def mislabelled(one: Statement) -> Statement:
    """Name an algorithm that is not the key's."""
    return replace(one, algorithm=Algorithm.ML_DSA_44, signature=bytes(2_420))


def outcome(intake: Intake, items: Sequence[bytes]) -> object:
    try:
        return [(one.digest, one.signed) for one in intake.read_items(items)]
    except RefusedError as error:
        return error.reason, str(error), error.item


def test_another_process_changes_no_answer(peopled: Office, process: SignatureChecks) -> None:
    people, records = peopled.people, peopled.verifier.records
    good = [revocation(people.client, n) for n in range(1, 9)]
    good += [revocation(NEW, n) for n in range(1, 5)] + [announced(n) for n in range(1, 5)]
    assert len(good) == LEAST_BATCH
    bad, own = revocation(people.client, 10), announced(10)
    cases: list[list[Statement]] = [
        good,
        [*good, spoilt(bad), revocation(STRANGER, 1), spoilt(revocation(STRANGER, 2))],
        [*good, mislabelled(bad)],
        [*good, mislabelled(own)],
        [*good[:8], spoilt(own), *good[8:], mislabelled(own)],
        [*good[:8], mislabelled(own), *good[8:], spoilt(own)],
        [spoilt(bad), *good, spoilt(own)],
    ]
    answered: list[bool] = []

    def asked(batch: Sequence[Question]) -> Sequence[bool] | None:
        answers = process.ask(batch)
        answered.append(answers is not None)
        return answers

    here, there = Intake(records), Intake(records, asked)
    for _ in range(2):  # first from the store, then from memory
        for case in cases:
            items = [one.encode() for one in case]
            assert outcome(there, items) == outcome(here, items)
    assert answered
    assert all(answered)


def test_fewer_are_not_worth_another_process(peopled: Office) -> None:
    asked: list[int] = []

    def counted(batch: Sequence[Question]) -> None:
        asked.append(len(batch))

    intake = Intake(peopled.verifier.records, counted)
    items = [announced(n).encode() for n in range(1, LEAST_BATCH + 1)]
    assert all(one.signed for one in intake.read_items(items[1:]))
    assert asked == []
    assert all(one.signed for one in intake.read_items(items))
    assert asked == [LEAST_BATCH]
