"""A stranger who names people in as many offers as it likes, with the lowest numbers there are."""

from support.office import Office
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import Offer, sign

STRANGER = SeedSigner(b"\x66" * 32)


def crowd(office: Office, count: int, **terms: object) -> None:
    """Log offers of a stranger: to the office's freelancer, where the terms do not say another."""
    named = office.terms(**({"client": STRANGER.public_key} | terms))
    office.post(
        [
            sign(
                Offer(engagement=number.to_bytes(16, "big"), claimed_at=office.now, terms=named),
                STRANGER,
            )
            for number in range(count)
        ]
    )
