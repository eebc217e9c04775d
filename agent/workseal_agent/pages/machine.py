"""The machine itself: what waits to be sent, what is stored, settings, and who was turned away."""

import shutil
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.config import Settings
from workseal_agent.connection import Departures
from workseal_agent.language import own
from workseal_agent.ledger import Engagement, SendState
from workseal_agent.mask import load_only, load_rules
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.render import desk_of, go, notices_of, page
from workseal_agent.pages.words import say
from workseal_agent.pages.wrongs import wrongs_of
from workseal_agent.possessiontold import possession_lines
from workseal_agent.possessionweeks import said_of

# More than anybody reads; the number says how many there are.
_SHOWN = 50


def routes() -> list[BaseRoute]:
    """Return the routes of the machine."""
    return [Route("/machine", _machine), Route("/machine/send", _send, methods=["POST"])]


def _machine(request: Request) -> Response:
    desk = desk_of(request)
    engagement = desk.engagement()
    settings = desk.settings
    return page(
        request,
        "machine.html",
        place="machine",
        queue=_queue(desk, engagement),
        recorded=engagement is not None and desk.recorded(engagement) is not None,
        wrong=wrongs_of(desk, engagement, desk.recorded(engagement)) if engagement else [],
        stored=_stored(settings),
        held=_held(desk, engagement),
        free=shutil.disk_usage(settings.home).free,
        settings=settings,
        own_rules=[rule for rule in load_rules(settings) if not rule.default],
        only_rules=load_only(settings, engagement.id) if engagement else (),
        default_rules=sum(rule.default for rule in load_rules(settings)),
        sums=Departures(settings.sent_file).sums(),
        denied=[(own(denial.value), count) for denial, count in request.app.state.denied.items()],
    )


async def _send(request: Request) -> Response:
    """Send what is unsent now, refused records too: the command `send`."""
    did = await run_in_threadpool(_sent, desk_of(request))
    notices_of(request).add(say(f"did.{did}"))
    return go("/machine")


def _sent(desk: Desk) -> str:
    """Send what is unsent or parked; returns which notice tells what came of it."""
    engagement = desk.need()
    with desk.ledger.write() as writing:
        writing.unpark(engagement.id)
    if desk.recorded(engagement) is not None:
        # What was parked is in its queue again: two senders would only be in each other's way.
        return "sends" if desk.ledger.counts(engagement.id).unsent else "send"
    return "send" if desk.send_now(engagement) else "not_sent"


def _queue(desk: Desk, engagement: Engagement | None) -> dict[str, Any]:
    if engagement is None:
        return {"statements": 0, "unsent": [], "count": 0, "parked": []}
    unsent = desk.ledger.statements(engagement.id, SendState.UNSENT)
    return {
        "statements": desk.ledger.counts(engagement.id).statements,
        "unsent": unsent[:_SHOWN],
        "count": len(unsent),
        "parked": desk.ledger.statements(engagement.id, SendState.PARKED),
    }


def _held(desk: Desk, engagement: Engagement | None) -> dict[str, Any]:
    """Tell how far the weekly proof that pictures are still here has come, and when it goes on."""
    if engagement is None or not desk.ledger.has_captures(engagement.id):
        return {"lines": [], "lost": 0, "next_ms": None}
    said = said_of(desk.ledger, engagement, desk.clock.wall_ms())
    return {
        "lines": [own(line) for line in possession_lines(said)],
        "lost": said.lost,
        "next_ms": said.next_ms,
    }


def _stored(settings: Settings) -> list[dict[str, Any]]:
    """Say how much room each part of the home takes."""
    folders: tuple[tuple[str, Path], ...] = (
        ("vault", settings.vault_folder),
        ("ledger", settings.ledger_file),
        ("sent", settings.sent_file),
        ("keys", settings.keys_file),
    )
    return [{"name": name, **_size(path)} for name, path in folders]


def _size(path: Path) -> dict[str, int]:
    files = list(path.iterdir()) if path.is_dir() else list(path.parent.glob(f"{path.name}*"))
    sizes = []
    for file in files:
        try:
            sizes.append(file.stat().st_size)
        except FileNotFoundError:
            continue  # destroyed while we looked
    return {"files": len(sizes), "bytes": sum(sizes)}
