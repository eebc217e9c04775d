"""`status`: what a glance must tell."""

import json
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import raw, say
from workseal_agent.clock import SystemClock
from workseal_agent.config import Settings
from workseal_agent.day import worked_today
from workseal_agent.errors import AgentError
from workseal_agent.language import Phrase, own, phrase, phrases
from workseal_agent.ledger import Engagement, SendState, StoredStatement, short_name
from workseal_agent.leftopen import ended_by_itself, left_open_ms
from workseal_agent.localzone import zone_of
from workseal_agent.possessiontold import possession_lines, possession_value
from workseal_agent.possessionweeks import said_of
from workseal_agent.refusal import refusal_told
from workseal_agent.retention import kept_frames
from workseal_agent.vault import vault_size
from workseal_protocol.cli.text import duration, instant


@app.command()
def status(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    public_key: Annotated[
        bool, typer.Option("--public-key", help="Print your public key and nothing else.")
    ] = False,
) -> None:
    """Show what is recorded now, today's worked time, and what is still to be sent."""
    home = home_of(context)
    if public_key:
        raw(home.public_key.text())
        return
    engagement = home.find_engagement()
    running = None if engagement is None else home.records(engagement)
    if as_json:
        raw(json.dumps(_facts(home, engagement, running)))
    elif engagement is None:
        say(phrase("no engagement yet: `workseal-agent join LINK`"))
    else:
        _tell(home, engagement, _facts(home, engagement, running))


def _facts(
    home: Home, engagement: Engagement | None, running: dict[str, Any] | None
) -> dict[str, Any]:
    settings, wrong = _readable(home)
    facts: dict[str, Any] = {
        "daemon": running is not None,
        "recording": home.recorded(),
        "state": running["state"] if running else "stopped",
        "session": running["session"] if running else None,
        "troubles": [*wrong, *(running["troubles"] if running else [])],
        "ended_by_itself_ms": None,
        "only_windows": running.get("only_windows", []) if running else [],
        "halted": running["halted"] if running else False,
        "captured": running["captured"] if running else 0,
        "missed": running["missed"] if running else 0,
        "captures_failing": running.get("captures_failing") if running else None,
        "rules_never_matched": running.get("rules_never_matched", []) if running else [],
        "incidents": [],
        "engagement": None,
        "zone": None,
        "worked_ms_today": 0,
        "statements": 0,
        "unsent": 0,
        "parked": 0,
        "last_receipt_index": None,
        "vault_bytes": vault_size(home.files.vault_folder),
        "vault_warn_bytes": settings.vault.warn_above_gib << 30,
        "restored": False,
        "frames_due": 0,
        "frames_held_up": not running.get("withdrawing", True) if running else False,
        "frames_disputed": 0,
        "possession": None,
    }
    if engagement is not None:
        counts = home.ledger.counts(engagement.id)
        zone = zone_of(settings.display, engagement.terms.zone)
        said = said_of(home.ledger, engagement, SystemClock().wall_ms())
        kept = kept_frames(home.ledger, engagement, SystemClock().wall_ms())
        facts |= {
            "ended_by_itself_ms": None if running else left_open_ms(home.ledger, engagement),
            "restored": home.ledger.is_restored(engagement.id),
            "frames_due": len(kept.due),
            "frames_disputed": len(kept.disputed),
            "possession": possession_value(said),
            "engagement": engagement.id.hex(),
            "zone": zone.key,
            "worked_ms_today": worked_today(
                home.ledger, engagement, running, SystemClock().wall_ms(), zone
            ),
            "statements": counts.statements,
            "unsent": counts.unsent,
            "parked": counts.parked,
            "last_receipt_index": counts.last_index,
            "incidents": [
                {"number": one.number, "at_ms": one.at_ms, "text": one.text}
                for one in home.ledger.incidents(engagement.id)
            ],
        }
    return facts


def _tell(home: Home, engagement: Engagement, facts: dict[str, Any]) -> None:
    today = duration(facts["worked_ms_today"])
    say(phrase("{state}; today {worked}", state=own(facts["state"]), worked=today))
    if facts["zone"] != engagement.terms.zone:
        zones = {"yours": facts["zone"], "theirs": engagement.terms.zone}
        say(phrase("  your day in {yours}; your client counts days in {theirs}", **zones))
    named = {"number": facts["engagement"], "url": engagement.url}
    say(phrase("engagement {number} at {url}", **named))
    say(_sent(facts))
    if facts["only_windows"]:
        names = ", ".join(facts["only_windows"])
        say(phrase("pictures have these windows only: {names}", names=names))
    _tell_parked(home.ledger.statements(engagement.id, SendState.PARKED))
    _tell_wrongs(facts)
    _tell_vault(facts)
    for line in possession_lines(said_of(home.ledger, engagement, SystemClock().wall_ms())):
        say(line)
    for other in home.ledger.engagements():
        if other.id != engagement.id:
            recorded = facts["recording"] == other.id.hex()
            if recorded:
                say(phrase("other engagement: {number}, being recorded now", number=other.id.hex()))
            else:
                say(phrase("other engagement: {number}", number=other.id.hex()))
            due = len(kept_frames(home.ledger, other, SystemClock().wall_ms()).due)
            if due and not recorded:
                name = short_name(other.id)
                say(
                    phrases(
                        due,
                        "  {count} of its frames is past the terms' days:",
                        "  {count} of its frames are past the terms' days:",
                    )
                )
                say(
                    phrase("  `workseal-agent --engagement {name} forget` destroys them", name=name)
                )


def _tell_parked(parked: Iterable[StoredStatement]) -> None:
    """Tell what was refused; what was said in a case is not sent again, but said again."""
    waits = False
    for stored in parked:
        about = {
            "kind": stored.kind,
            "number": str(stored.digest)[:16],
            "problem": refusal_told(stored.problem),
        }
        if stored.kind.startswith("dispute."):
            say(phrase("not taken: {kind} {number}: {problem}", **about))
            say(phrase("  nothing waits behind it; the same command signs it anew"))
        else:
            waits = True
            say(phrase("parked: {kind} {number}: {problem}", **about))
    if waits:
        say(
            phrase(
                "later statements of the chain wait behind it; `workseal-agent send` tries again"
            )
        )


def _sent(facts: dict[str, Any]) -> Phrase:
    last = facts["last_receipt_index"]
    receipts = phrase("none yet")
    if last is not None:
        receipts = phrase("newest at index {last} of the log", last=last)
    return phrase(
        "{all} statements, {unsent} unsent; receipts: {receipts}",
        all=facts["statements"], unsent=facts["unsent"], receipts=receipts,
    )  # fmt: skip


def _tell_vault(facts: dict[str, Any]) -> None:
    """Tell how large the vault is where that is too large, and what is kept longer than agreed."""
    size, limit = facts["vault_bytes"], facts["vault_warn_bytes"]
    if size > limit:
        say(
            phrase(
                "the vault has {size:,.1f} GiB, more than the {limit} GiB of your settings;"
                " nothing is destroyed for that",
                size=size / (1 << 30),
                limit=limit >> 30,
            )
        )
    if facts["frames_due"]:
        when = phrase("soon, by itself")
        if facts["frames_held_up"]:
            when = phrase("by itself, once the trouble is over")
        elif not facts["daemon"]:
            when = phrase("by the next recording, or `forget`")
        say(
            phrases(
                facts["frames_due"],
                "{count} frame past the terms' days: withdrawn {when}",
                "{count} frames past the terms' days: withdrawn {when}",
                when=when,
            )
        )
    if facts["frames_disputed"]:
        say(
            phrases(
                facts["frames_disputed"],
                "{count} frame is kept by all means, for a dispute",
                "{count} frames are kept by all means, for a dispute",
            )
        )


def _readable(home: Home) -> tuple[Settings, list[str]]:
    """Return the settings; where they cannot be read the defaults, and why."""
    try:
        return home.settings, []
    except AgentError as error:
        return home.files, [str(error)]


def _tell_wrongs(facts: dict[str, Any]) -> None:
    """Tell what goes wrong, or did: on this machine, on the way, and in the log."""
    if facts["restored"]:
        say(
            phrase(
                "restored from a backup: nothing is signed before `workseal-agent catch-up`"
                " succeeded"
            )
        )
    if facts["ended_by_itself_ms"] is not None:
        say(ended_by_itself(facts["ended_by_itself_ms"]))
    # Several parts that meet the same trouble need not say so each.
    for trouble in dict.fromkeys(facts["troubles"]):
        say(phrase("trouble: {text}", text=own(trouble)))
    if facts["halted"]:
        say(phrase("nothing more is sent until the next start: keep this home as evidence"))
    if facts["session"]:
        counted = {"taken": facts["captured"], "missed": facts["missed"]}
        say(phrase("captures in this session: {taken} taken, {missed} missed", **counted))
    if facts["captures_failing"]:
        say(phrase("captures fail: {text}", text=own(facts["captures_failing"])))
    for incident in facts["incidents"]:
        about = {"number": incident["number"], "at": instant(incident["at_ms"])}
        say(phrase("evidence {number} of {at}: {text}", text=own(incident["text"]), **about))
    for rule in facts["rules_never_matched"]:
        say(phrase("mask rule that never matched since the start: {rule}", rule=rule))
