"""Values of a drand network, relayed."""

from fastapi import APIRouter, Response

from workseal_verifier.api.services import Given
from workseal_verifier.api.values import FOREVER, FRESH, cbor, number
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.relaying import DrandRelay, DrandValue

router = APIRouter(prefix="/v1/beacon/drand")


@router.get("/latest")
def get_latest(given: Given) -> Response:
    """Return the newest value."""
    relay = _relay(given)
    return _answer(relay, relay.latest(), FRESH)


@router.get("/{place}")
def get_value(place: str, given: Given) -> Response:
    """Return the value of a round."""
    relay = _relay(given)
    return _answer(relay, relay.value(number(place, "round")), FOREVER)


def _relay(given: Given) -> DrandRelay:
    if given.drand is None:
        raise RefusedError(Reason.NOT_FOUND, "this server relays no drand network")
    return given.drand


def _answer(relay: DrandRelay, value: DrandValue, headers: dict[str, str]) -> Response:
    return cbor({1: relay.network.chain, 2: value.round, 3: value.signature}, headers)
