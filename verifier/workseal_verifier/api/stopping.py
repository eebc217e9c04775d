"""The links in mails: what stops mails, and what confirms an address: a page with one button each.

Rules (RFC 8058): looking at a link changes nothing, for mail programs look at links by themselves;
a POST to it does what it is for, whoever sends it, and nothing else.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from workseal_verifier.api.access import read_token
from workseal_verifier.api.body import read_body
from workseal_verifier.api.pageform import HEADERS, told
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import PRIVATE
from workseal_verifier.errors import Reason, RefusedError

router = APIRouter(include_in_schema=False)

_MOST = 1_024


@router.get("/stop/{token}")
def get_stop(token: str) -> Response:
    """Show the button; whether the token is anybody's is not told."""
    _read(token, "stops")
    return _page(
        "Stop these mails",
        "Press the button, and no such mail comes from here any more. Your cases go on as they are:"
        " who must act by when stands in them.",
        button="Stop these mails",
    )


@router.post("/stop/{token}")
async def post_stop(token: str, request: Request, given: Given) -> Response:
    """Stop the mails that the token stands for."""
    await read_body(request, limit=_MOST, media=())
    await run_in_threadpool(given.contacts.stop, _read(token, "stops"))
    return _page("Stopped", "No such mail comes from here any more.")


@router.get("/confirm/{token}")
def get_confirm(token: str) -> Response:
    """Show the button; whether the token is anybody's is not told."""
    _read(token, "confirms")
    return _page(
        "Confirm your address",
        "Press the button, and notices are sent to the address that this link came to. If you did"
        " not ask for it, close this page.",
        button="Confirm",
    )


@router.post("/confirm/{token}")
async def post_confirm(token: str, request: Request, given: Given) -> Response:
    """Confirm the address that the token stands for."""
    await read_body(request, limit=_MOST, media=())
    await run_in_threadpool(given.contacts.confirm, _read(token, "confirms"))
    return _page("Confirmed", "Notices are sent to this address. Each has a link that stops them.")


def _read(text: str, does: str) -> bytes:
    token = read_token(text)
    if token is None:
        raise RefusedError(Reason.NOT_FOUND, f"this link {does} nothing any more")
    return token


def _page(title: str, text: str, button: str = "") -> Response:
    return HTMLResponse(told(title, text, button), headers={**HEADERS, **PRIVATE})
