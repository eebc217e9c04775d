"""What the tests of admission ask of an office, and how they catch a refusal."""

from collections.abc import Callable
from typing import Any

import pytest

from support.office import Office, unique
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import KeyAnnounce, Offer, sign
from workseal_protocol.statement import Statement
from workseal_verifier.errors import RefusedError

STRANGER = SeedSigner(bytes(range(32)))


def refused(call: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        call()
    return caught.value


def size_of(office: Office) -> int:
    return office.checkpoint().checkpoint.size


def offer_of(office: Office, word: str = "new", **changes: Any) -> Statement:
    terms = office.terms(**changes)
    record = Offer(engagement=unique(office, word), claimed_at=office.now, terms=terms)
    return sign(record, office.people.client)


def announcement(office: Office, key: SeedSigner, recovery: SeedSigner | None = None) -> Statement:
    record = KeyAnnounce(
        claimed_at=office.now,
        public_key=key.public_key,
        role=Role.FREELANCER,
        recovery=None if recovery is None else recovery.public_key.thumbprint,
    )
    return sign(record, key)
