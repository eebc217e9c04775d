"""`forget`: withdraw frames whose days are over, or all of an engagement that has ended.

Rules: the effect is told first. Whether the days are over is asked of the verifier's clock as well
as of this machine's: one that was set ahead destroys nothing. What is kept for a dispute stays. A
verifier that names a case which was not read here, or does not say, leaves it to a person: `--yes`
does not answer that.
"""

from typing import Annotated

import typer

from workseal_agent.chain import OwnChain
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.clock import SystemClock
from workseal_agent.connection import RefusedError, UnreachableError
from workseal_agent.daemon import HomeLock, NotRunningError
from workseal_agent.errors import AgentError
from workseal_agent.evidence import withdraw
from workseal_agent.knowncases import Held
from workseal_agent.language import Phrase, phrase, phrases
from workseal_agent.ledger import CaptureRow
from workseal_agent.retention import Kept, kept_frames
from workseal_agent.unreadcases import running_cases
from workseal_agent.vault import VaultWriter
from workseal_protocol.cli.text import instant
from workseal_protocol.records import WithdrawalReason

_ANSWER_SECONDS = 5.0


@app.command()
def forget(
    context: typer.Context,
    *,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="The engagement has ended: all its frames."),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Do it without being asked, unless an unread case may run."),
    ] = False,
) -> None:
    """Destroy the frames whose days are over; their time stays."""
    home = home_of(context)
    kept = kept_frames(home.ledger, home.engagement(), _proven_ms(home, needed=not everything))
    wanted = dict.fromkeys(kept.due, WithdrawalReason.RETENTION)
    if everything:
        if home.records(home.engagement()):
            raise AgentError("this engagement is being recorded: stop it first")
        wanted |= dict.fromkeys(kept.early, WithdrawalReason.OTHER)
    _tell_effect(home, kept, everything=everything)
    if not wanted:
        say("nothing is to be destroyed")
        return
    doubt = _doubt(home)
    if doubt is not None:
        say(doubt)
    question = phrases(
        len(wanted), "Destroy {count} frame for ever?", "Destroy {count} frames for ever?"
    )
    if (doubt is not None or not yes) and not confirmed(question):
        raise AgentError("nothing was changed")
    sent = _withdraw(home, wanted)
    say(
        phrases(
            len(wanted),
            "{count} frame destroyed; worked time is unchanged",
            "{count} frames destroyed; worked time is unchanged",
        )
    )
    if not sent:
        say("  the statements wait to be sent (`workseal-agent send`)")


def _proven_ms(home: Home, *, needed: bool) -> int | None:
    """Return the earlier of two clocks; None when the verifier does not tell and need not."""
    client = home.client(home.engagement().url, seconds=_ANSWER_SECONDS)
    try:
        return min(client.operator().time_ms, SystemClock().wall_ms())
    except (UnreachableError, RefusedError) as error:
        if needed:
            raise AgentError(
                phrase(
                    "whether the days are over is asked of the verifier's clock too: {error}",
                    error=error,
                )
            ) from error
        return None
    finally:
        client.close()


def _doubt(home: Home) -> Phrase | None:
    """Say what may speak for keeping these frames; None where the verifier names no unread case."""
    engagement = home.engagement()
    client = home.client(engagement.url, seconds=_ANSWER_SECONDS, signer=home.signer)
    try:
        running = running_cases(client, engagement)
    except (UnreachableError, RefusedError) as error:
        return phrase("  whether a case runs about these is not known: {error}", error=error)
    finally:
        client.close()
    if running <= Held.of(home.ledger, engagement).filings:
        return None
    return phrase(
        "  a case runs that you have not read, perhaps about these: `workseal-agent case list`"
    )


def _tell_effect(home: Home, kept: Kept, *, everything: bool) -> None:
    engagement = home.engagement()
    rows = home.ledger.captures(engagement.id)
    say(
        phrase(
            "the terms ask to keep frames for {days}; of {frames}:",
            days=phrases(engagement.terms.retention_days, "{count} day", "{count} days"),
            frames=phrases(len(rows), "{count} frame", "{count} frames"),
        )
    )
    due, early = len(kept.due), len(kept.early)
    say(phrase("  {due} older than that, to be destroyed (reason: retention)", due=due))
    if kept.disputed:
        say(phrase("  {disputed} kept for a dispute", disputed=len(kept.disputed)))
        if len(kept.outside) < len(kept.disputed):
            say("  whether it has ended is read by `workseal-agent case list`")
        if kept.outside:
            say(
                phrase(
                    "  {outside} of them by a request outside of any case, which nothing ends:"
                    " `workseal-agent withdraw NUMBER` alone destroys them",
                    outside=len(kept.outside),
                )
            )
    if not everything:
        say(phrase("  {early} not due yet", early=early))
        return
    say(
        phrase(
            "  {early} that the terms still ask for, to be destroyed too (reason: other)",
            early=early,
        )
    )
    if kept.early and kept.last_due_ms is not None:
        gone = sum(row.withdrawn for row in rows) + early
        until = instant(kept.last_due_ms)
        say(phrase("  the last of these is asked for until {until}", until=until))
        say(
            phrase(
                "  withdrawn early would be {gone} of {all}; the terms name {limit} % as limit",
                gone=gone,
                all=len(rows),
                limit=engagement.terms.max_withdrawn_percent,
            )
        )
    say("  no picture of them can be shown again, not even to an arbitrator; time stays")


def _withdraw(home: Home, wanted: dict[CaptureRow, WithdrawalReason]) -> bool:
    """Withdraw each frame, through the recording process if there is one; True when all is sent."""
    try:
        for row, reason in wanted.items():
            home.ask("withdraw", frame=str(row.commitment), reason=int(reason))
    except NotRunningError:
        with HomeLock(home.files.home):
            chain = OwnChain(home.open_ledger, home.engagement(), home.signer)
            vault = VaultWriter(home.files.vault_folder, home.keystore.vault_public)
            left = {
                row.commitment
                for row in home.ledger.captures(home.engagement().id)
                if not row.withdrawn
            }
            for row, reason in wanted.items():
                if row.commitment in left:
                    now_ms = SystemClock().wall_ms()
                    withdraw(chain, home.open_ledger, vault, row, reason, now_ms=now_ms)
            return home.send_now()
    return True
