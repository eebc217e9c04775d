"""`withdraw` and `declare`: what is added to the chain by hand."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from workseal_agent.chain import OwnChain
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.cli.recording import read_memo
from workseal_agent.cli.typedtime import read_instant
from workseal_agent.clock import SystemClock
from workseal_agent.daemon import HomeLock, NotRunningError
from workseal_agent.daemon.either import withdraw_either_way
from workseal_agent.deliverables import DeliverableError, digest_of
from workseal_agent.errors import AgentError
from workseal_agent.evidence import (
    LateWork,
    UnknownFrameError,
    declare_late,
    find_frame,
)
from workseal_agent.language import phrase
from workseal_agent.ledger import CaptureRow
from workseal_agent.vault import VaultWriter
from workseal_agent.withdrawal import effect_of
from workseal_protocol.cli.text import duration, instant
from workseal_protocol.records import WithdrawalReason


class Reason(StrEnum):
    """Name the reasons for withdrawing a frame."""

    PRIVATE = "private"
    THIRD_PARTY = "third-party"
    CREDENTIALS = "credentials"
    RETENTION = "retention"
    OTHER = "other"


_REASONS = {
    Reason.PRIVATE: WithdrawalReason.PRIVATE,
    Reason.THIRD_PARTY: WithdrawalReason.THIRD_PARTY,
    Reason.CREDENTIALS: WithdrawalReason.CREDENTIALS,
    Reason.RETENTION: WithdrawalReason.RETENTION,
    Reason.OTHER: WithdrawalReason.OTHER,
}


@app.command()
def withdraw(
    context: typer.Context,
    frame: Annotated[str, typer.Argument(help="Number or commitment of the frame.")],
    *,
    reason: Annotated[Reason, typer.Option(help="Why; the reason is signed.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it without being asked.")] = False,
) -> None:
    """Destroy a frame's picture for ever; its time stays."""
    home = home_of(context)
    engagement = home.engagement()
    row = find_frame(home.ledger, engagement.id, frame)
    if row.withdrawn:
        raise UnknownFrameError("the frame is withdrawn already")
    _tell_effect(home, row)
    if not yes and not confirmed("Withdraw it?"):
        raise AgentError("nothing was changed")
    recorded = withdraw_either_way(
        home.files,
        engagement,
        row,
        _REASONS[reason],
        ledger=home.ledger,
        vault=lambda: VaultWriter(home.files.vault_folder, home.keystore.vault_public),
        signer=lambda: home.signer,
        now_ms=SystemClock().wall_ms(),
    )
    # Before it is sent: that needs the settings, and what is destroyed is destroyed without them.
    say(phrase("frame {number} is withdrawn; worked time is unchanged", number=row.number))
    _tell_waiting(sent=recorded or home.send_now())


@app.command()
def declare(
    context: typer.Context,
    *,
    begin: Annotated[str, typer.Option(help="Like 2026-11-23T14:00, in the terms' time zone.")],
    end: Annotated[str, typer.Option(help="Like 2026-11-23T15:30.")],
    memo: Annotated[
        str,
        typer.Option(
            help="What the work was; only its commitment is sent. - reads it from standard input."
        ),
    ],
    worked_minutes: Annotated[
        int | None, typer.Option(help="Less than the whole time, if so.", min=0)
    ] = None,
    artefact: Annotated[
        Path | None, typer.Option(help="A file that shows the work; only a commitment is sent.")
    ] = None,
) -> None:
    """Declare work that was not recorded; it is shown as declared late."""
    home = home_of(context)
    engagement = home.engagement()
    zone = ZoneInfo(engagement.terms.zone)
    begin_ms, end_ms = read_instant(begin, zone), read_instant(end, zone)
    worked_ms = end_ms - begin_ms if worked_minutes is None else worked_minutes * 60_000
    if not 0 <= worked_ms <= end_ms - begin_ms or begin_ms == end_ms:
        raise UsageProblem("the declared time ends before it begins, or is shorter than the work")
    work = LateWork(begin_ms, end_ms, worked_ms, read_memo(memo), _digest(artefact))
    sent = _declare(home, work)
    say(phrase("declared late: {worked}", worked=duration(worked_ms)))
    _tell_waiting(sent=sent)


def _declare(home: Home, work: LateWork) -> bool:
    asked: dict[str, Any] = {
        "begin_ms": work.begin_ms,
        "end_ms": work.end_ms,
        "worked_ms": work.worked_ms,
        "memo": work.memo,
        "artefact": work.artefact.hex() if work.artefact else None,
    }
    try:
        home.ask("declare", **asked)
    except NotRunningError:
        with HomeLock(home.files.home):
            chain = OwnChain(home.open_ledger, home.engagement(), home.signer)
            now_ms = SystemClock().wall_ms()
            declare_late(chain, work, now_ms=now_ms, recorded_from_ms=None)
            return home.send_now()
    return True


def _tell_effect(home: Home, row: CaptureRow) -> None:
    effect = effect_of(home.ledger, home.engagement(), [row])
    size = f"{row.width} x {row.height}"
    taken = {"number": row.number, "size": size, "at": instant(row.captured_ms)}
    say(phrase("frame {number}, {size}, taken {at}:", **taken))
    say("  its picture is destroyed and can never be shown again, not even to an arbitrator;")
    worked = duration(effect.worked_ms)
    say(phrase("  worked time stays {worked}: not one second is lost;", worked=worked))
    say(
        phrase(
            "  withdrawn would be {gone} of {all} frames; the terms name {limit} % as limit",
            gone=effect.gone,
            all=effect.gone + effect.kept,
            limit=effect.limit_percent,
        )
    )


def _digest(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        digest, _ = digest_of(path)
    except DeliverableError as error:
        raise UsageProblem(str(error)) from error
    return digest.raw


def _tell_waiting(*, sent: bool) -> None:
    if not sent:
        say("  it waits to be sent (`workseal-agent send`)")
