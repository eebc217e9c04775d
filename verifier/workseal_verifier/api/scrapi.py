"""SCRAPI (draft-ietf-scitt-scrapi-11): one statement in, one COSE receipt out, and the log's key.

Rules: an entry's identifier is its statement's digest, so the same bytes are the same entry. A
registration is answered when it is finished; nothing is polled. Problems here are concise CBOR.
"""

import base64

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from workseal_protocol.encoding import Value
from workseal_protocol.keys import PublicKey
from workseal_verifier.api.answers import logged
from workseal_verifier.api.body import read_body
from workseal_verifier.api.lanes import Lanes, run_in
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import COSE, FRESH, PRIVATE, RECEIPT, STATEMENT, cbor, digest
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.schema import STATEMENT_BYTES

router = APIRouter()

_KEYS = "/.well-known/scitt-keys"
# COSE_Key of RFC 9053, section 7.2: an Ed25519 key, its name, and what it is for.
_OKP, _ED25519, _EDDSA = 1, 6, -8


@router.post("/entries", status_code=201)
async def post_entry(request: Request, given: Given) -> Response:
    """Register one signed statement and answer with its receipt."""
    body = await read_body(request, limit=STATEMENT_BYTES, media=(COSE, STATEMENT))
    candidates = given.intake.read_items_quickly([body])
    if candidates is None:
        lanes: Lanes = request.app.state.lanes
        candidates = await run_in(lanes.submitting, given.intake.read_items, [body])
    await logged(request, given, candidates)
    name = candidates[0].digest
    receipt = await run_in_threadpool(given.reader.cose_receipt, name)
    headers = {**PRIVATE, "location": f"/entries/{name}"}
    return Response(receipt, 201, headers, _accepted(request))


@router.get("/entries/{name}")
def get_entry(name: str, request: Request, given: Given) -> Response:
    """Return the receipt of a registered statement, against the newest checkpoint."""
    receipt = given.reader.cose_receipt(digest(name))
    return Response(receipt, 200, {**PRIVATE, "vary": "accept"}, _accepted(request))


@router.get(_KEYS)
def get_keys(given: Given) -> Response:
    """Return the keys that verify receipts of this log, as a COSE_KeySet."""
    return cbor([_cose_key(given.identity.log.public_key)], FRESH)


@router.get(_KEYS + "/{kid}")
def get_key(kid: str, given: Given) -> Response:
    """Return the key that a receipt names."""
    key = given.identity.log.public_key
    if kid != _name_of(key):
        raise RefusedError(Reason.NOT_FOUND, "no key of this log has this name")
    return cbor(_cose_key(key), FRESH)


def _accepted(request: Request) -> str:
    """Name a receipt as the client knows it: some know only COSE in general."""
    accepted = {
        part.partition(";")[0].strip().lower()
        for line in request.headers.getlist("accept")
        for part in line.split(",")
    }
    return COSE if COSE in accepted and RECEIPT not in accepted else RECEIPT


def _cose_key(key: PublicKey) -> Value:
    return {1: _OKP, 2: key.thumbprint.raw, 3: _EDDSA, -1: _ED25519, -2: key.raw}


def _name_of(key: PublicKey) -> str:
    return base64.urlsafe_b64encode(key.thumbprint.raw).rstrip(b"=").decode()
