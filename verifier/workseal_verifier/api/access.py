"""The door: what a request shows of whose it is, and whether the table lets it in.

Rules: it stands before every route, and an operation without a row is not answered. A request shows
a signature or a session, never what it likes of both. What is refused uses up no nonce. A session's
requests come from our own pages: the host is one of ours, and the browser says so; silence is not
taken for an answer, because a browser is silent where a name is not trustworthy (DNS rebinding).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.httpsignature import (
    CONTENT_DIGEST,
    SIGNATURE,
    SIGNATURE_INPUT,
    RequestSignature,
    Target,
)
from workseal_verifier.api import values
from workseal_verifier.api.edge import ASKED
from workseal_verifier.api.services import Services
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.access import TABLE, About, Row, Shown, Verdict, decide
from workseal_verifier.services.proving import unproven
from workseal_verifier.services.signin import TOKEN_BYTES
from workseal_verifier.services.sites import Site
from workseal_verifier.store.access import SessionRow

COOKIE: Final = "__Host-workseal"
# What everybody hears who is not let in, whether there is such a thing or not.
HIDDEN: Final[Mapping[About, str]] = {
    About.ENGAGEMENT: "no such engagement",
    About.REQUEST: "no request with this digest is logged",
    About.STATEMENT: "no statement with this digest is logged",
    About.CASE: "no such case",
    About.SAID: "no such case",
}
_OWN_PAGE = frozenset({"same-origin"})
# A page that the person opened themselves may be read, and nothing be changed by it.
_OWN_VISIT = frozenset({"same-origin", "none"})

Signed: TypeAlias = tuple[Target, RequestSignature]


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose key asks, the session if it was shown by one, and which cases stay closed to them."""

    thumbprint: Digest
    session: SessionRow | None
    fresh: bool
    closed: frozenset[Digest] = frozenset()


async def authorise(request: Request) -> None:
    """Let a request in or refuse it, as its operation's row says."""
    operation = f"{request.method} {request.scope['route'].path}"
    row = TABLE[operation]
    if row.shown in {Shown.NOTHING, Shown.CONTENT}:
        return
    services: Services = request.app.state.services
    name = _name(request, row.about)
    asker = await run_in_threadpool(_admitted, request, services, row, name)
    request.state.asker = asker


def site_of(request: Request) -> Site:
    """Return the site that a request was sent to, or refuse a name that is not ours."""
    services: Services = request.app.state.services
    site = services.sites.find(_authority(request))
    if site is None:
        raise RefusedError(Reason.MISDIRECTED, "this server is not known by this name")
    return site


def require_own_page(request: Request, site: Site) -> None:
    """Refuse what a page of ours did not ask for."""
    told = request.headers.get("sec-fetch-site")
    if request.method == "GET":
        own = told in _OWN_VISIT
    else:
        own = told in _OWN_PAGE and request.headers.get("origin") == site.origin
    if not own:
        raise RefusedError(Reason.CROSS_SITE, "this does not come from a page of this server")


def signature_of(request: Request) -> Signed | None:
    """Read a request's signature, None where it has none."""
    headers = request.headers
    inputs, signatures = headers.getlist(SIGNATURE_INPUT), headers.getlist(SIGNATURE)
    if not inputs and not signatures:
        return None
    if len(inputs) != 1 or len(signatures) != 1:
        raise RefusedError(Reason.MALFORMED, "expected one signature-input and one signature")
    try:
        signature = RequestSignature.parse(
            inputs[0], signatures[0], ", ".join(headers.getlist(CONTENT_DIGEST))
        )
        target = Target(
            request.scope.get(ASKED, request.method),
            _authority(request),
            request.scope["raw_path"].decode("latin-1"),
            "?" + request.scope["query_string"].decode("latin-1"),
        )
    except MalformedError as error:
        raise RefusedError(Reason.MALFORMED, str(error)) from error
    except ValueError as error:
        raise RefusedError(Reason.MALFORMED, f"the request's address: {error}") from error
    request.state.signature = signature
    return target, signature


def read_token(text: str) -> bytes | None:
    """Read a token as it stands behind a link's number sign, None for what is none."""
    try:
        token = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return token if len(token) == TOKEN_BYTES else None


def write_token(token: bytes) -> str:
    """Write a token for a link or a cookie."""
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def _admitted(request: Request, services: Services, row: Row, name: bytes) -> Asker:
    site = site_of(request)
    signed = signature_of(request)
    asker = _asker(request, services, row, site, signed)
    if asker is None:
        raise unproven()
    closed = _require_allowed(services, row, name, asker)
    if signed is not None:
        services.prover.take(*signed)
    return replace(asker, closed=closed)


def _require_allowed(services: Services, row: Row, name: bytes, asker: Asker) -> frozenset[Digest]:
    """Refuse whom the row does not let in; give the cases that stay closed to who is."""
    standings = services.standings.of(asker.thumbprint, row.about, name)
    match decide(row, standings, fresh=asker.fresh, now_ms=services.clock.now_ms()):
        case Verdict.ALLOWED:
            return frozenset().union(*(one.closed for one in standings))
        case Verdict.UNPROVEN:
            raise unproven()
        case Verdict.HIDDEN:
            raise RefusedError(Reason.NOT_FOUND, HIDDEN[row.about])
        case Verdict.WAITING:
            raise RefusedError(
                Reason.WAITING,
                "this key replaced another one, and reads when the other parties had time to see"
                " it; what it signs counts already",
                retry_after=3_600,
            )
        case Verdict.NOT_FRESH:
            raise RefusedError(Reason.NOT_FRESH, "use a passkey, then ask again within 5 minutes")


def _asker(
    request: Request, services: Services, row: Row, site: Site, signed: Signed | None
) -> Asker | None:
    if signed is not None and row.shown is not Shown.SESSION:
        return Asker(services.prover.require_signed(*signed), None, fresh=True)
    token = read_token(request.cookies.get(COOKIE, ""))
    if signed is not None or token is None or row.shown is Shown.SIGNATURE:
        return None
    require_own_page(request, site)
    session = services.signin.session(token)
    if session is None:
        return None
    return Asker(session.thumbprint, session, fresh=services.signin.is_fresh(session))


def _name(request: Request, about: About) -> bytes:
    match about:
        case About.NOTHING:
            return b""
        case About.ENGAGEMENT:
            return values.engagement(request.path_params["name"])
        case About.REQUEST | About.STATEMENT | About.CASE | About.SAID:
            return values.digest(request.path_params["name"]).raw


def _authority(request: Request) -> str:
    return request.headers.get("host", "").lower()


async def _asker_of(request: Request) -> Asker:
    # A plain function would be called in another thread, for each request.
    asker: Asker = request.state.asker
    return asker


async def _session_of(request: Request) -> SessionRow:
    session = (await _asker_of(request)).session
    if session is None:
        raise unproven()
    return session


Asking = Annotated[Asker, Depends(_asker_of)]
OwnSession = Annotated[SessionRow, Depends(_session_of)]
HERE = Depends(authorise)
