"""Beginning with the log-in: what stands for it on this machine, and switching it on and off.

Rules: what would be written is shown first, to the byte, and exactly that is written. What begins
by itself begins paused, so more is seen of nothing: no passphrase is asked for.
"""

from hashlib import sha256
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.autostart import Entry, LogIn, shows_icons
from workseal_agent.autostart.switch import State
from workseal_agent.errors import AgentError
from workseal_agent.keystore import Key, SlotKind
from workseal_agent.language import own_reason
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.refusals import FormError
from workseal_agent.pages.render import desk_of, fields_of, go, notices_of
from workseal_agent.pages.words import say

_AFTERWARDS = "/machine/settings#login"


def routes() -> list[BaseRoute]:
    """Return the routes of the log-in."""
    return [Route("/machine/login", _switch, methods=["POST"])]


def login_of(desk: Desk) -> dict[str, Any]:
    """Say what begins with the log-in now, and what would be written for it."""
    log_in = _log_in(desk)
    slot = desk.keystore().slot(SlotKind.KEYRING)
    told: dict[str, Any] = {
        "found": [],
        "offers": [],
        "changed": False,
        "wrong": None,
        "by_itself": slot is not None and Key.SIGNING in slot.boxes,
        "notices": desk.settings.notices.show,
    }
    try:
        found = log_in.switch().found()
        told["offers"] = [_offer(log_in, tray=tray) for tray in (False, True)[: 1 + shows_icons()]]
    except AgentError as error:
        # A folder that no entry can name, or a damaged list: the other settings do not mind.
        return told | {"wrong": own_reason(error)}
    told["changed"] = any(one.state is State.CHANGED for one in found)
    told["found"] = [
        {"place": one.entry.place, "state": say(f"login.{one.state}")} for one in found
    ]
    return told


def _log_in(desk: Desk) -> LogIn:
    return LogIn.of(desk.settings.home, desk.settings.autostart_file)


def _offer(log_in: LogIn, *, tray: bool) -> dict[str, Any]:
    entries = log_in.entries(tray=tray)
    return {"act": "on-tray" if tray else "on", "entries": entries, "seen": _digest(entries)}


def _digest(entries: tuple[Entry, ...]) -> str:
    return sha256(repr(entries).encode()).hexdigest()


async def _switch(request: Request) -> Response:
    fields = {name: values[0] for name, values in (await fields_of(request)).items()}
    did = await run_in_threadpool(_switched, desk_of(request), fields)
    notices_of(request).add(say(f"did.{did}"))
    return go(_AFTERWARDS)


def _switched(desk: Desk, fields: dict[str, str]) -> str:
    """Switch as a form asks for; returns which notice tells of it."""
    log_in = _log_in(desk)
    match fields.get("act"):
        case "off":
            log_in.switch().turn_off()
            return "login_off"
        case "on" | "on-tray" as act:
            entries = log_in.entries(tray=act == "on-tray")
            if fields.get("seen") != _digest(entries):
                raise AgentError(say("problem.login_shown"))
            log_in.switch().turn_on(entries)
            return "login_on"
        case _:
            raise FormError(say("problem.unknown_act"))
