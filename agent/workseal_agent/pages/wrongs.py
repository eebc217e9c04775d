"""What goes wrong now, or did, as the pages say it."""

from typing import Any

from workseal_agent.language import own
from workseal_agent.ledger import Engagement, SendState
from workseal_agent.leftopen import left_open_ms
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.words import say
from workseal_agent.refusal import refusal_told
from workseal_protocol.cli.text import instant


def wrongs_of(desk: Desk, engagement: Engagement, running: dict[str, Any] | None) -> list[str]:
    """Say what goes wrong now, or did, in sentences; nothing is left out."""
    told = running or {}
    # Several parts that meet the same trouble need not say so each.
    troubles = dict.fromkeys(told.get("troubles", ()))
    wrong = [say("wrong.trouble", text=own(text)) for text in troubles]
    until_ms = None if running else left_open_ms(desk.ledger, engagement)
    if until_ms is not None:
        wrong.append(say("wrong.ended", at=instant(until_ms)))
    if told.get("halted"):
        wrong.append(say("wrong.halted"))
    if told.get("captures_failing"):
        wrong.append(say("wrong.captures", text=own(told["captures_failing"])))
    wrong += [say("wrong.rule", name=name) for name in told.get("rules_never_matched", ())]
    wrong += [
        say("wrong.parked", kind=one.kind, problem=own(refusal_told(one.problem)))
        for one in desk.ledger.statements(engagement.id, SendState.PARKED)
    ]
    wrong += [
        say("wrong.incident", text=own(one.text)) for one in desk.ledger.incidents(engagement.id)
    ]
    return wrong
