"""What is done by the buttons that every page shares: recording, choosing, opening, locking."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.pages.refusals import FormError
from workseal_agent.pages.render import desk_of, fields_of, go, notices_of
from workseal_agent.pages.words import say

MAX_MEMO = 2_000
_ACTS = frozenset({"pause", "resume", "stop", "working", "off-screen", "sealed"})


def routes() -> list[BaseRoute]:
    """Return the routes of what is done."""
    return [
        Route("/act", _act, methods=["POST"]),
        Route("/engagement", _choose, methods=["POST"]),
        Route("/unlock", _unlock, methods=["POST"]),
        Route("/lock", _lock, methods=["POST"]),
    ]


async def _act(request: Request) -> Response:
    """Pause, go on, stop, or change the kind of work, in the recording process."""
    fields = await fields_of(request)
    act = fields.get("act", [""])[0]
    desk = desk_of(request)
    engagement = desk.need()
    if act not in _ACTS:
        raise FormError(say("problem.unknown_act"))
    if act in {"pause", "resume", "stop"}:
        await run_in_threadpool(desk.tell, engagement, act)
    else:
        memo = fields.get("memo", [""])[0].strip() or None
        if memo is not None and (act != "off-screen" or len(memo) > MAX_MEMO):
            raise FormError(say("problem.memo", longest=MAX_MEMO))
        await run_in_threadpool(desk.tell, engagement, "mode", mode=act, memo=memo)
    notices_of(request).add(say(f"did.{act}"))
    return go("/today")


async def _choose(request: Request) -> Response:
    """Show another engagement."""
    wanted = (await fields_of(request)).get("engagement", [""])[0]
    desk = desk_of(request)
    if not any(one.id.hex() == wanted for one in desk.ledger.engagements()):
        raise FormError(say("problem.unknown_engagement"))
    desk.chosen = bytes.fromhex(wanted)
    return go("/today")


async def _unlock(request: Request) -> Response:
    """Open the vault for looking, and go back to where it was asked."""
    fields = await fields_of(request)
    await run_in_threadpool(desk_of(request).unlock, fields.get("passphrase", [""])[0])
    back = fields.get("back", ["/pictures"])[0]
    # Only a path of these pages: "//host" would be another place.
    return go(back if back.startswith("/") and not back.startswith("//") else "/pictures")


def _lock(request: Request) -> Response:
    desk_of(request).unlocked.forget()
    notices_of(request).add(say("did.lock"))
    return go("/pictures")
