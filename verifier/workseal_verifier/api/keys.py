"""The keys of an engagement's parties: which there were, and which are to come."""

from fastapi import APIRouter, Response

from workseal_protocol.partykeys import encode_keys
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import CBOR, PRIVATE, answer, engagement

router = APIRouter(prefix="/v1/engagements")


@router.get("/{name}/keys")
def get_keys(name: str, given: Given) -> Response:
    """Return every key that a party had, has or will read with, by role and age."""
    keys = given.standings.keys_of(engagement(name))
    return answer(encode_keys(keys), PRIVATE, CBOR)
