"""The settings: what they are, what another value would change exactly, and writing it.

Rules: nothing is written before its effect was shown, and what is written is what was shown, byte
for byte. What lets more be seen takes the passphrase. The file on disk is what counts: it
is read anew, and one that changed meanwhile is left alone. Values travel in forms alone, because a
rule's words would stay in a browser's history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import get_args
from zoneinfo import available_timezones

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from workseal_agent.config import (
    AGREEMENT_ZONE,
    MACHINE_ZONE,
    ActivityKind,
    Hours,
    MaskRuleSettings,
    ScreenKind,
    Totals,
)
from workseal_agent.config.changes import Change, When, changes_between
from workseal_agent.config.editing import (
    RULE_KEYS,
    RuleArray,
    SettingsFile,
    read_settings_file,
    with_rule,
    with_values,
    without_rule,
    write_settings_file,
)
from workseal_agent.config.values import NAMES, values_of
from workseal_agent.errors import SettingsError
from workseal_agent.mask import load_rules
from workseal_agent.pages.desk import Desk
from workseal_agent.pages.login import login_of
from workseal_agent.pages.refusals import FormError
from workseal_agent.pages.render import desk_of, fields_of, go, notices_of, page
from workseal_agent.pages.words import say

PLACE = "/machine/settings"
# As they stand on the page; what is no choice is a line of text.
GROUPS = (
    ("reading", ("display.hours", "display.totals", "display.zone")),
    ("working", ("lock.time", "seal.key", "notices.show")),
    ("sources", ("screen.kind", "screen.display", "screen.replay", "activity.kind")),
    ("hiding", ("mask.defaults",)),
    ("rest", ("vault.warn_above_gib", "witness.listen", "verifier.url", "verifier.ca_file")),
)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "display.hours": get_args(Hours),
    "display.totals": get_args(Totals),
    "lock.time": ("pause", "count"),
    "notices.show": ("true", "false"),
    "mask.defaults": ("true", "false"),
    "screen.kind": get_args(ScreenKind),
    "activity.kind": get_args(ActivityKind),
}
# The zones that are no names.
ZONE_WORDS = (MACHINE_ZONE, AGREEMENT_ZONE)
_KEYS = {
    "rule": ("application", "title", "url"),
    "only": ("application", "title", "engagement"),
}
_ARRAYS: Mapping[str, RuleArray] = {"rule": "rule", "only": "only"}
_ACTS = frozenset({"values", "put", "remove"})

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hold what somebody wants, the file before and after it, and every difference."""

    fields: Fields
    before: SettingsFile
    after: SettingsFile
    changes: tuple[Change, ...]

    @property
    def more(self) -> bool:
        """Tell whether more is seen afterwards, so that the passphrase is asked for."""
        return any(change.more for change in self.changes)


def routes() -> list[BaseRoute]:
    """Return the routes of the settings."""
    return [
        Route(PLACE, _settings, methods=["GET"]),
        Route(PLACE, _write, methods=["POST"]),
        Route(f"{PLACE}/change", _change, methods=["POST"]),
    ]


def _settings(request: Request) -> Response:
    settings = read_settings_file(desk_of(request).settings.home).settings
    values = values_of(settings)
    return page(
        request,
        "settings.html",
        place="machine",
        groups=GROUPS,
        choices={**CHOICES, "display.zone": _zones(values["display.zone"])},
        said=said_choice,
        values=values,
        arrays=(("rule", settings.mask.rules), ("only", settings.mask.only)),
        own_keys=_KEYS,
        default_rules=sum(rule.default for rule in load_rules(settings)),
        file=settings.config_file,
        login=login_of(desk_of(request)),
    )


def _zones(now: str) -> tuple[str, ...]:
    """List the zones to choose from: words first, then names; the one in force is always there."""
    return (*ZONE_WORDS, *sorted((available_timezones() | {now}).difference(ZONE_WORDS)))


async def _change(request: Request) -> Response:
    """Show exactly what a form would change; nothing is written."""
    desk = desk_of(request)
    fields = _asked(await fields_of(request))
    proposal = await run_in_threadpool(propose, desk, fields)
    return page(
        request,
        "change.html",
        place="machine",
        proposal=proposal,
        told=[told(change) for change in proposal.changes],
        masked=any(change.name.startswith("mask.") for change in proposal.changes),
        later=any(change.when is When.START for change in proposal.changes),
        recording=desk.running() is not None,
        lines=_lines(proposal),
    )


async def _write(request: Request) -> Response:
    every = await fields_of(request)
    changes = await run_in_threadpool(_written, desk_of(request), every)
    notices_of(request).add(say("did.settings", count=len(changes)))
    if any(change.when is When.START for change in changes):
        notices_of(request).add(say("did.settings_later"))
    return go(PLACE)


def _written(desk: Desk, every: Mapping[str, list[str]]) -> tuple[Change, ...]:
    proposal = propose(desk, _asked(every))
    shown = [every.get(name, [""])[0] for name in ("seen", "meant")]
    if shown != [proposal.before.digest, proposal.after.digest]:
        raise SettingsError(say("problem.settings_shown"))
    if proposal.more:
        # It signs nothing: who can open the keys is who may let more be seen.
        desk.signer(every.get("passphrase", [""])[0])
    write_settings_file(desk.settings.home, proposal.before.digest, proposal.after)
    desk.settings = proposal.after.settings
    return proposal.changes


def propose(desk: Desk, fields: Fields) -> Proposal:
    """Work out what a form wants of the file as it is now; `FormError` for what cannot be."""
    before = read_settings_file(desk.settings.home)
    try:
        after = _edited(before, fields)
    except SettingsError as error:
        raise FormError(str(error)) from error
    changes = changes_between(before.settings, after.settings)
    if not changes:
        raise FormError(say("problem.no_change"))
    return Proposal(fields, before, after, changes)


def _edited(file: SettingsFile, fields: Fields) -> SettingsFile:
    act, array = fields.get("act"), _ARRAYS.get(fields.get("array", ""))
    if act == "values":
        return with_values(file, {name: fields[name] for name in NAMES if name in fields})
    if act not in _ACTS or array is None:
        raise FormError(say("problem.unknown_act"))
    if act == "remove":
        return without_rule(file, array, fields.get("was", ""))
    return with_rule(file, array, fields, was=fields.get("was") or None)


def _asked(every: Mapping[str, Sequence[str]]) -> Fields:
    """Take what a form of these pages has; spaces around a value are nobody's wish."""
    known = ("act", "array", "was", *RULE_KEYS, *NAMES)
    return {name: every[name][0].strip() for name in known if name in every}


def told(change: Change) -> dict[str, object]:
    """Say a change in words."""
    name = change.name.replace(".", "_")
    return {
        "label": say(f"setting.{name}"),
        "before": _said(change.name, change.before),
        "after": _said(change.name, change.after),
        "effect": say(f"effect.{change.effect.replace('.', '_')}"),
        "when": say(f"when.{change.when}"),
        "more": change.more,
    }


def _said(name: str, value: str | MaskRuleSettings | None) -> str:
    if isinstance(value, MaskRuleSettings):
        parts = [say(f"rule.said_{key}", value=text) for key, text in _parts(value) if text]
        return say("rule.said", name=value.name, parts=", ".join(parts))
    if value is None:
        return say("setting.no_rule")
    if not value:
        return say("setting.nothing")
    return said_choice(name, value)


def said_choice(name: str, value: str) -> str:
    """Say a value: a choice in its words, anything else as it is."""
    if value not in CHOICES.get(name, ZONE_WORDS if name == "display.zone" else ()):
        return value
    return say(f"choice.{name.replace('.', '_')}_{value}")


def _parts(rule: MaskRuleSettings) -> tuple[tuple[str, str | None], ...]:
    return (
        ("application", rule.application),
        ("title", rule.title),
        ("url", rule.url),
        ("engagement", rule.engagement),
    )


def _lines(proposal: Proposal) -> list[str]:
    """List the lines of the file that go and come."""
    old, new = (one.data.decode().splitlines() for one in (proposal.before, proposal.after))
    return [
        line for line in unified_diff(old, new, lineterm="", n=0) if line[:3] not in {"---", "+++"}
        if not line.startswith("@@")
    ]  # fmt: skip
