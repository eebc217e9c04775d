"""Accepting an operator's invitation with a key of one's own."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from workseal_protocol.errors import MalformedError
from workseal_protocol.httpsignature import RequestSignature, Target
from workseal_protocol.keys import PublicKey
from workseal_verifier.api.access import read_token, signature_of, site_of
from workseal_verifier.api.forms import Form, read_form
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import PRIVATE
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.proving import unproven

router = APIRouter(prefix="/v1/invitations")


class Acceptance(Form):
    """An invitation's token, and the key that its holder names; the key signs the request."""

    token: str = Field(max_length=64)
    key: str = Field(max_length=64)


@router.post("/accept")
async def post_acceptance(request: Request, given: Given) -> Response:
    """Accept an invitation for the key that signs this request."""
    site_of(request)
    signed = signature_of(request)
    form = await read_form(request, Acceptance)
    if signed is None:
        raise unproven()
    token = read_token(form.token)
    if token is None:
        raise RefusedError(Reason.MALFORMED, "a token is the base64url of 32 bytes")
    key = _key(form.key)
    role = await run_in_threadpool(_accepted, given, signed, token, key)
    return JSONResponse({"role": role}, headers=PRIVATE)


def _accepted(
    given: Services, signed: tuple[Target, RequestSignature], token: bytes, key: PublicKey
) -> str:
    given.prover.require_signed_by(*signed, key)
    return given.invitations.accept(token, key).name.lower()


def _key(text: str) -> PublicKey:
    try:
        return PublicKey.parse_text(text)
    except MalformedError as error:
        raise RefusedError(Reason.MALFORMED, str(error)) from error
