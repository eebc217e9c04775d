"""What another set of settings changes: each difference, from when on, and whether more is seen.

Rules: differences are found between what two files say, never taken from what somebody asked for,
so that nothing can change untold. In doubt more is seen: a rule that was rewritten may miss what it
hid before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workseal_agent.config.settings import MaskRuleSettings, Settings
from workseal_agent.config.values import NAMES, values_of


class When(StrEnum):
    """Say from when on a change holds."""

    NOW = "now"
    START = "start"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one difference.

    `name` is the setting's, or `mask.rule` or `mask.only`; `effect` names what it comes to. Of a
    rule there is the one before and the one after, of anything else both texts.
    """

    name: str
    effect: str
    before: str | MaskRuleSettings | None
    after: str | MaskRuleSettings | None
    when: When = When.START
    more: bool = False


def changes_between(old: Settings, new: Settings) -> tuple[Change, ...]:
    """Return every difference between two sets of settings, in the order of `NAMES`."""
    before, after = values_of(old), values_of(new)
    values = [
        _value(name, before[name], after[name]) for name in NAMES if before[name] != after[name]
    ]
    rules = _rules("mask.rule", old.mask.rules, new.mask.rules)
    only = _rules("mask.only", old.mask.only, new.mask.only)
    wider = shows_more(old.mask.only, new.mask.only)
    return (
        *values,
        *(_hiding(one, new.mask.rules) for one in rules),
        *(_showing(one, old, new, more=wider) for one in only),
    )


def shows_more(old: Sequence[MaskRuleSettings], new: Sequence[MaskRuleSettings]) -> bool:
    """Tell whether, in any engagement there may be, other windows than before are wanted.

    Which rules an engagement has follows from the longest of the beginnings that fit it, and one
    that none fits has those without a beginning.
    """
    scopes = {"", *(one.engagement or "" for one in (*old, *new))}
    return any(
        bool(wanted := _wanted(old, scope)) and not (set() < _wanted(new, scope) <= wanted)
        for scope in scopes
    )


def _wanted(rules: Sequence[MaskRuleSettings], scope: str) -> set[tuple[str | None, ...]]:
    return {_content(one) for one in rules if scope.startswith(one.engagement or "")}


def _content(rule: MaskRuleSettings) -> tuple[str | None, ...]:
    return rule.application, rule.title, rule.url


def _value(name: str, before: str, after: str) -> Change:
    when = When.NOW if name.startswith(("display.", "vault.")) else When.START
    if name == "verifier.url":
        when = When.JOIN
    return Change(
        name, _effect(name, before, after), before, after, when, _more(name, before, after)
    )


def _effect(name: str, before: str, after: str) -> str:
    """Name what a change comes to: for some settings it hangs on the new value."""
    by_value = {"notices.show", "lock.time", "mask.defaults", "display.totals"}
    if name in by_value:
        return f"{name}.{after}"
    if name == "activity.kind" and "none" in {before, after}:
        return f"{name}.{'off' if after == 'none' else 'on'}"
    if name in {"seal.key", "witness.listen"}:
        return f"{name}.{'off' if not after else 'other' if before else 'on'}"
    return name


def _more(name: str, before: str, after: str) -> bool:
    """Tell whether somebody may see, count or reach more than before."""
    if name == "mask.defaults":
        return after == "false"
    if name == "activity.kind":
        return after != "none"
    if name == "seal.key":
        # The key that the hand knows would seal no more.
        return bool(before)
    if name == "witness.listen":
        return bool(after)
    return name.startswith(("screen.", "verifier."))


def _rules(
    name: str, old: Sequence[MaskRuleSettings], new: Sequence[MaskRuleSettings]
) -> Iterator[Change]:
    """Find rules that came, went or are other ones; one that only has another name is the same."""
    gone = [one for one in old if one not in new]
    come = [one for one in new if one not in old]
    for one in gone:
        twin = next((two for two in come if two.name == one.name), None) or next(
            (two for two in come if _same(one, two)), None
        )
        if twin is not None:
            come.remove(twin)
        yield Change(name, name, one, twin)
    for two in come:
        yield Change(name, name, None, two)


def _same(one: MaskRuleSettings, other: MaskRuleSettings) -> bool:
    return (_content(one), one.engagement) == (_content(other), other.engagement)


def _kind(change: Change) -> str:
    before, after = change.before, change.after
    if not isinstance(before, MaskRuleSettings):
        return "added"
    if not isinstance(after, MaskRuleSettings):
        return "removed"
    return "renamed" if _same(before, after) else "changed"


def _hiding(change: Change, now: Sequence[MaskRuleSettings]) -> Change:
    old = change.before
    missing = isinstance(old, MaskRuleSettings) and _content(old) not in map(_content, now)
    return Change(
        change.name, f"mask.rule.{_kind(change)}", change.before, change.after, more=missing
    )


def _showing(change: Change, old: Settings, new: Settings, *, more: bool) -> Change:
    kind = _kind(change)
    one = change.after or change.before
    scope = (one.engagement or "") if isinstance(one, MaskRuleSettings) else ""
    if kind == "added" and not _wanted(old.mask.only, scope):
        kind = "first"
    if kind == "removed" and not _wanted(new.mask.only, scope):
        kind = "last"
    return Change(change.name, f"mask.only.{kind}", change.before, change.after, more=more)
