"""Who runs this, its beacon, and whether it answers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from workseal_verifier.api.services import Given
from workseal_verifier.api.values import FOREVER, FRESH, OCTETS, TEXT, cbor, number
from workseal_verifier.errors import Reason, RefusedError

router = APIRouter()


@router.get("/healthz")
def get_health(given: Given) -> Response:
    """Answer "ok" when the log is open, can be signed, and its loops work; name what fails."""
    given.reader.checkpoint()
    given.check_clock()
    failing = given.health.failing()
    if given.health.down():
        raise RefusedError(Reason.BUSY, f"failing: {', '.join(failing)}; see the server's log")
    return Response("\nfailing: ".join(("ok", *failing)), 200, FRESH, TEXT)


@router.get("/readyz")
def get_readiness(given: Given) -> Response:
    """Answer "ready" when requests of every kind would be done; else say what stands in the way."""
    given.readiness.require()
    return Response("ready", 200, FRESH, TEXT)


@router.get("/v1/operator")
def get_operator(given: Given) -> Response:
    """Return the operator's key, log policy, authorities, round lengths, clock, witnesses."""
    return cbor(
        {
            1: given.identity.operator.public_key.raw,
            2: given.identity.policy.encode(),
            3: list(given.tsa_certificates),
            4: list(given.beacon.periods_ms),
            5: given.clock.now_ms(),
            # Besides the log's own cosigners; whether they are independent is the reader's to say.
            6: len(given.identity.witnesses),
        },
        FRESH,
    )


@router.get("/v1/beacon/{period}")
def get_chain(
    period: str, given: Given, place: Annotated[str | None, Query(alias="round")] = None
) -> Response:
    """Return the commitment in force for a round length, or the one that covers a round."""
    length = number(period, "period")
    if place is None:
        row = given.beacon.in_force(length)
    else:
        row = given.beacon.chain_of(length, number(place, "round"))
    return cbor({1: row.first_round, 2: row.count, 3: row.head.raw, 4: row.statement.raw}, FRESH)


@router.get("/v1/beacon/{period}/{place}")
def get_value(period: str, place: str, given: Given) -> Response:
    """Return the value of a round that has begun."""
    value = given.beacon.release(number(period, "period"), number(place, "round"))
    return Response(value, 200, FOREVER, OCTETS)
