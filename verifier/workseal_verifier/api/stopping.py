"""The link in each mail that stops mails: a page with one button, and what it presses.

Rules (RFC 8058): looking at the link changes nothing, for mail programs look at links by
themselves; a POST to it stops the mails, whoever sends it, and does nothing else.
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

router = APIRouter(prefix="/stop", include_in_schema=False)

_MOST = 1_024


@router.get("/{token}")
def get_stop(token: str) -> Response:
    """Show the button; whether the token is anybody's is not told."""
    _read(token)
    return _page(
        "Stop these mails",
        "Press the button, and no such mail comes from here any more. Your cases go on as they are:"
        " who must act by when stands in them.",
        button="Stop these mails",
    )


@router.post("/{token}")
async def post_stop(token: str, request: Request, given: Given) -> Response:
    """Stop the mails that the token stands for."""
    await read_body(request, limit=_MOST, media=())
    await run_in_threadpool(given.contacts.stop, _read(token))
    return _page("Stopped", "No such mail comes from here any more.")


def _read(text: str) -> bytes:
    token = read_token(text)
    if token is None:
        raise RefusedError(Reason.NOT_FOUND, "this link stops nothing any more")
    return token


def _page(title: str, text: str, button: str = "") -> Response:
    return HTMLResponse(told(title, text, button), headers={**HEADERS, **PRIVATE})
