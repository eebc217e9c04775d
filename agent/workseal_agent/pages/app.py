"""All pages in one application, and what is shown when one of them cannot be."""

from collections import Counter

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from workseal_agent.errors import AgentError
from workseal_agent.language import own_reason
from workseal_agent.pages import (
    agreement,
    deeds,
    door,
    inbox,
    left,
    login,
    machine,
    pictures,
    redaction,
    settings,
    today,
)
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.drafts import Drafts
from workseal_agent.pages.entrance import Entrance
from workseal_agent.pages.guard import Denial
from workseal_agent.pages.refusals import status_of
from workseal_agent.pages.render import Notices, page
from workseal_agent.pages.words import say
from workseal_protocol.cli.text import bounded
from workseal_protocol.errors import WorksealError


class _NumberConvertor(Convertor[int]):
    """Read a number that fits everywhere; a longer one is no place here."""

    regex = "[0-9]{1,15}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _NumberConvertor())

_PARTS = (door, today, deeds, pictures, inbox, redaction, agreement, left, machine, settings, login)


def all_routes() -> list[BaseRoute]:
    """Return the routes of all pages."""
    return [route for part in _PARTS for route in part.routes()]


def build_app(desk: Desk, entrance: Entrance, denied: Counter[Denial], drafts: Drafts) -> Starlette:
    """Put the pages together; `Guard` must stand before them."""
    app = Starlette(
        routes=all_routes(),
        exception_handlers={
            AgentError: _told,
            WorksealError: _told,
            OSError: _told,
            404: _absent,
            405: _absent,
            Exception: _unforeseen,
        },
    )
    app.state.desk = desk
    app.state.entrance = entrance
    app.state.notices = Notices()
    app.state.drafts = drafts
    app.state.denied = denied
    return app


def _told(request: Request, error: Exception) -> Response:
    text = (error.strerror or "") if isinstance(error, OSError) else own_reason(error)
    said = bounded(text or type(error).__name__)
    # What has no translation is still English, and a page says so of it.
    english = isinstance(error, OSError) or text == str(error)
    return _problem(request, said, status_of(error, request.method), english=english)


def _absent(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _problem(request, say("problem.absent"), status)


def _unforeseen(_request: Request, error: Exception) -> Response:
    # The class alone: a text could hold what was on a screen.
    return PlainTextResponse(say("problem.unforeseen", kind=type(error).__name__), 500)


def _problem(request: Request, text: str, status: int, *, english: bool = False) -> Response:
    if request.scope.get("workseal.session") is None:
        return PlainTextResponse(text, status)
    return page(request, "problem.html", place="", status=status, text=text, english=english)
