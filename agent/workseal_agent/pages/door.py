"""The door: the one page that is shown to who was not let in, and the way in and out."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from workseal_agent.language import own
from workseal_agent.pages.asked import read_json
from workseal_agent.pages.entrance import COOKIE, Entrance
from workseal_agent.pages.guard import DOOR, ENTER, Denial
from workseal_agent.pages.render import FOLDER, bare
from workseal_agent.pages.words import say

_LONGEST_TOKEN = 128


def routes() -> list[BaseRoute]:
    """Return the routes of the door."""
    return [
        Route(DOOR, _door),
        Route(ENTER, _enter, methods=["POST"]),
        Route("/leave", _leave, methods=["POST"]),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
    ]


def _door(_request: Request) -> Response:
    return bare("door.html")


async def _enter(request: Request) -> Response:
    """Take the token that stood behind the # of the address: it never was part of a request."""
    token = read_json(await request.body()).get("token")
    entrance: Entrance = request.app.state.entrance
    if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
        return JSONResponse({"told": say("door.malformed")}, 400)
    session = entrance.enter(token)
    if session is None:
        return JSONResponse({"told": own(Denial.SESSION.value)}, 401)
    answer = Response(status_code=204)
    # `Secure`, and with it the prefix `__Host-`, is for https: not every browser takes it here.
    answer.set_cookie(COOKIE, session.identity, path="/", httponly=True, samesite="strict")
    return answer


def _leave(request: Request) -> Response:
    """End the session and, with it, the command."""
    request.app.state.desk.unlocked.forget()
    request.app.state.entrance.leave()
    return bare("left_door.html")
