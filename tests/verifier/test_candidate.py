"""Reading a submission: whose key is known shows neither in the answer nor in the work."""

from dataclasses import replace
from typing import Any

import pytest

from support.office import Office
from support.simulator import seeded
from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.records import KeyRevoke, KeyRotate, Offer, RevocationReason, sign
from workseal_protocol.statement import Statement
from workseal_verifier.services.candidate import Intake
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


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("count", [1, 40])
def test_false_signatures_cost_as_much_work_whoever_is_known(
    peopled: Office, work: list[str], count: int, *, remembered: bool
) -> None:
    people, found = peopled.people, []
    for key in (people.freelancer, people.client, NEW, STRANGER):
        intake = Intake(peopled.verifier.records)
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
