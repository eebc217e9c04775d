"""Sessions of people in browsers: links, the session itself, passkeys.

Rules: a token reaches a browser behind a link's number sign alone, where no server and no log sees
it, and a cookie that no script reads. What begins or changes something comes from a page of ours.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from workseal_verifier.api.access import (
    COOKIE,
    Asker,
    Asking,
    OwnSession,
    read_token,
    require_own_page,
    site_of,
    write_token,
)
from workseal_verifier.api.body import require_no_body
from workseal_verifier.api.forms import Form, read_form
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import PRIVATE
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.access import Who
from workseal_verifier.services.passkeys import Maker
from workseal_verifier.services.signin import LINK_MS, SESSION_MS, Begun, Root, hashed

router = APIRouter(prefix="/v1")


class LinkToken(Form):
    """A link's token, as it stands behind `#signin=`."""

    token: str = Field(max_length=64)


class PasskeyAnswer(Form):
    """What `navigator.credentials` answered, by its `toJSON()`."""

    credential: dict[str, Any]


@router.post("/signin/links", status_code=201)
async def post_link(request: Request, asking: Asking, given: Given) -> Response:
    """Make a link that signs its reader in, once and soon, as the key that signed this."""
    await require_no_body(request)
    token = await run_in_threadpool(given.signin.link, asking.thumbprint, Root.KEY)
    answer = {"token": write_token(token), "expires_in": LINK_MS // 1000}
    return JSONResponse(answer, 201, PRIVATE)


@router.post("/signin", status_code=204)
async def post_signin(request: Request, given: Given) -> Response:
    """Use a link's token up, and begin a session in the place of the browser's earlier one."""
    require_own_page(request, site_of(request))
    form = await read_form(request, LinkToken)
    token = read_token(form.token)
    if token is None:
        raise RefusedError(Reason.MALFORMED, "a token is the base64url of 32 bytes")
    return await _begun(request, given, lambda: given.signin.begin(token))


@router.get("/session")
def get_session(session: OwnSession, given: Given) -> Response:
    """Say whose session this is, what it rests on, until when, and which passkeys there are."""
    return JSONResponse(
        {
            "key": str(session.thumbprint),
            "root": Root(session.root).name.lower(),
            "until": session.until_ms,
            "fresh": given.signin.is_fresh(session),
            "passkeys": [one.made_ms for one in given.passkeys.of(session.thumbprint)],
        },
        headers=PRIVATE,
    )


@router.delete("/session", status_code=204)
def delete_session(session: OwnSession, given: Given) -> Response:
    """End this session."""
    given.signin.end(session.token)
    return _ended()


@router.delete("/sessions", status_code=204)
def delete_sessions(asking: Asking, given: Given) -> Response:
    """End all sessions of this key, and its link."""
    given.signin.end_all(asking.thumbprint)
    return _ended()


@router.post("/passkeys/options")
async def post_registration_options(request: Request, asking: Asking, given: Given) -> Response:
    """Return what a page hands to `navigator.credentials.create`."""
    await require_no_body(request)
    options = await run_in_threadpool(
        given.passkeys.registration_options, _maker(asking), site_of(request)
    )
    return JSONResponse(options, headers=PRIVATE)


@router.post("/passkeys", status_code=204)
async def post_passkey(request: Request, asking: Asking, given: Given) -> Response:
    """Keep the passkey that the browser made."""
    form = await read_form(request, PasskeyAnswer)
    await run_in_threadpool(
        given.passkeys.register, _maker(asking), site_of(request), form.credential
    )
    return Response(status_code=204, headers=PRIVATE)


@router.delete("/passkeys", status_code=204)
def delete_passkeys(asking: Asking, given: Given) -> Response:
    """End all passkeys of this key, and all its sessions."""
    given.passkeys.end_all(asking.thumbprint)
    return _ended()


@router.post("/signin/passkey/options")
def post_sign_in_options(request: Request, given: Given) -> Response:
    """Return what a page hands to `navigator.credentials.get`."""
    return JSONResponse(given.passkeys.sign_in_options(site_of(request)), headers=PRIVATE)


@router.post("/signin/passkey", status_code=204)
async def post_passkey_signin(request: Request, given: Given) -> Response:
    """Begin a fresh session with a passkey; it takes the place of the browser's earlier one."""
    site = site_of(request)
    require_own_page(request, site)
    form = await read_form(request, PasskeyAnswer)
    return await _begun(request, given, lambda: given.passkeys.sign_in(site, form.credential))


def _maker(asking: Asker) -> Maker:
    return Maker(asking.thumbprint, asking.session)


def _is_nobodys(given: Services, begun: Begun) -> bool:
    return given.standings.anywhere(begun.session.thumbprint).who is Who.PUBLIC


async def _begun(request: Request, given: Services, begin: Callable[[], Begun]) -> Response:
    begun = await run_in_threadpool(begin)
    if await run_in_threadpool(_is_nobodys, given, begun):
        # Such a session reads nothing: without a word its owner would come back here again and
        # again. Who is told holds a link or a passkey of that key.
        await run_in_threadpool(given.signin.end, begun.session.token)
        why = "the key that this was made for has ended; sign in with the one that came after it"
        raise RefusedError(Reason.REFUSED, why)
    earlier = read_token(request.cookies.get(COOKIE, ""))
    if earlier is not None:
        # Nobody could end it any more: its cookie is overwritten.
        await run_in_threadpool(given.signin.end, hashed(earlier))
    answer = Response(status_code=204, headers=PRIVATE)
    answer.set_cookie(
        COOKIE,
        write_token(begun.token),
        max_age=SESSION_MS // 1000,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return answer


def _ended() -> Response:
    answer = Response(status_code=204, headers=PRIVATE)
    answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return answer
