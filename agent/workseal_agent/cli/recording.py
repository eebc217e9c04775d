"""`start`, `pause`, `resume`, `stop`, `mode` and `send`."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from workseal_agent.backupmaker import keep_maker
from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.handover import become, given, without_passphrase
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.config import ScreenKind
from workseal_agent.daemon import AlreadyRunningError, HomeLock
from workseal_agent.errors import AgentError
from workseal_agent.handover import Handover, Order
from workseal_agent.language import own, phrase, phrases
from workseal_agent.ledger import short_name
from workseal_agent.leftopen import ended_by_itself, left_open_ms

_PROGRAM = "from workseal_agent import record; raise SystemExit(record())"
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
# For closing a session that was opened just then, and telling the verifier.
_END_SECONDS = 15.0
MAX_MEMO = 2_000


class Screen(StrEnum):
    """Name the sources of pictures."""

    AUTO = "auto"
    X11 = "x11"
    GRIM = "grim"
    CAST = "cast"
    PORTAL = "portal"
    NATIVE = "native"
    REPLAY = "replay"


_KINDS: dict[Screen | None, ScreenKind | None] = {
    None: None,
    Screen.AUTO: "auto",
    Screen.X11: "x11",
    Screen.GRIM: "grim",
    Screen.CAST: "cast",
    Screen.PORTAL: "portal",
    Screen.NATIVE: "native",
    Screen.REPLAY: "replay",
}


class Mode(StrEnum):
    """Name the kinds of work."""

    WORKING = "working"
    OFF_SCREEN = "off-screen"
    SEALED = "sealed"


OwnClock = Annotated[
    bool,
    typer.Option(
        "--own-clock",
        help="Begin also where the verifier's clock is more than 15 hours away, by this machine's.",
    ),
]


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold how recording is to begin."""

    screen: Screen | None = None
    replay: Path | None = None
    paused: bool = False
    own_clock: bool = False


@app.command()
def start(  # noqa: PLR0913 - its options
    context: typer.Context,
    *,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal until stopped.")
    ] = False,
    paused: Annotated[
        bool, typer.Option("--paused", help="Be ready; `resume` begins, and nothing before it.")
    ] = False,
    screen: Annotated[Screen | None, typer.Option(help="Where pictures come from.")] = None,
    replay: Annotated[Path | None, typer.Option(help="Folder of recorded PNG files.")] = None,
    traffic: Annotated[
        Path | None, typer.Option(help="Write every request that leaves into this folder.")
    ] = None,
    own_clock: OwnClock = False,
) -> None:
    """Begin to record the engagement's work."""
    home = home_of(context)
    home.traffic = traffic or home.traffic
    if screen is Screen.REPLAY and not (replay or home.settings.screen.replay):
        raise UsageProblem("a recorded desktop is a folder of PNG files: --replay FOLDER")
    wish = Wish(screen, replay, paused=paused, own_clock=own_clock)
    begin(home, wish, foreground=foreground)


def begin(home: Home, wish: Wish, *, foreground: bool = False) -> None:
    """Begin to record as wished, or raise `AgentError` saying why that cannot be."""
    recorded = home.recorded()
    if recorded is not None and recorded != home.engagement().id.hex():
        # Hours would go to another client than the one that was named.
        raise AlreadyRunningError(
            phrase(
                "engagement {here} is being recorded, and not the one that is meant:"
                " stop it first (`workseal-agent --engagement {here} stop`)",
                here=short_name(bytes.fromhex(recorded)),
            )
        )
    if recorded is not None:
        raise AlreadyRunningError("recording runs already for this home")
    _remove_unfinished(home)
    until_ms = left_open_ms(home.ledger, home.engagement())
    if until_ms is not None:
        say(ended_by_itself(until_ms))
    if home.ledger.is_restored(home.engagement().id):
        from workseal_agent.cli.backup import catch_up_first  # noqa: PLC0415 - few homes were

        catch_up_first(home)
    keep_maker(home.files.maker_file, home.signer)
    handover = Handover(home.engagement().id, home.seed)
    command = _recording_command(home, wish)
    if foreground:
        become(command, handover)
    _start_in_background(home, command, handover)


def _remove_unfinished(home: Home) -> None:
    """Remove what a kill left of a backup or an export; a disk that refuses holds up nothing."""
    settings, removed = home.settings, 0
    left = (settings.left_file, settings.backup_scratch_folder, settings.export_left_file)
    if not any(map(os.path.lexists, left)):
        return
    from workseal_agent.backup import remove_unfinished_backups  # noqa: PLC0415 - rarely there
    from workseal_agent.export import remove_unfinished_exports  # noqa: PLC0415 - the same

    for remove in (remove_unfinished_backups, remove_unfinished_exports):
        with suppress(OSError):
            removed += remove(settings)
    if removed:
        say(
            phrases(
                removed,
                "removed what {count} backup or export left that was broken off",
                "removed what {count} backups or exports left that were broken off",
            )
        )


@app.command()
def pause(context: typer.Context) -> None:
    """Stop counting at this moment; nothing is captured while paused."""
    home = home_of(context)
    _tell_state(home.ask("pause"))


@app.command()
def resume(context: typer.Context, *, own_clock: OwnClock = False) -> None:
    """Count on."""
    home = home_of(context)
    _tell_state(home.ask("resume", **({"own_clock": True} if own_clock else {})))


@app.command()
def stop(context: typer.Context) -> None:
    """End the session and the recording process."""
    home = home_of(context)
    home.ask("stop")
    ended = _ends(home)
    counts = home.ledger.counts(home.engagement().id)
    say("stopped")
    if counts.unsent:
        say(
            phrases(
                counts.unsent,
                "  {count} statement waits to be sent",
                "  {count} statements wait to be sent",
            )
        )
    if not ended:
        say("  its process has not ended yet")


def _ends(home: Home) -> bool:
    """Wait until the recording process lets go of the home; False when the time for it is over."""
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            with HomeLock(home.files.home):
                return True
        except AlreadyRunningError:
            time.sleep(0.05)
    return False


@app.command()
def mode(
    context: typer.Context,
    kind: Annotated[Mode, typer.Argument(help="What you do from now on.")],
    *,
    memo: Annotated[
        str | None,
        typer.Option(help="What the off-screen work is; - reads it from standard input."),
    ] = None,
) -> None:
    """Change the kind of work; sealed keeps time, and neither pictures nor counts."""
    home = home_of(context)
    if memo is not None and kind is not Mode.OFF_SCREEN:
        raise UsageProblem("a memo describes off-screen work")
    if memo is not None:
        memo = read_memo(memo)
    _tell_state(home.ask("mode", mode=str(kind), memo=memo))


@app.command()
def seal(context: typer.Context) -> None:
    """Seal at once, or if you are sealed, go on: one command for a key of your desktop."""
    home = home_of(context)
    _tell_state(home.ask("seal"))


@app.command()
def send(context: typer.Context) -> None:
    """Send what is unsent now, parked statements too."""
    home = home_of(context)
    engagement = home.engagement()
    with home.ledger.write() as writing:
        writing.unpark(engagement.id)
    if home.records(engagement) is not None:
        # What was parked is in its queue again: two senders would be in each other's way.
        say("the recording process sends by itself")
        return
    if not home.send_now():
        counts = home.ledger.counts(engagement.id)
        raise AgentError(
            phrase(
                "{unsent} statements are unsent and {parked} parked; they are kept",
                unsent=counts.unsent,
                parked=counts.parked,
            )
        )
    say("everything is sent and receipted")


def read_memo(given: str) -> str:
    """Return a memo that can be kept: the one given, or for "-" what stands on standard input.

    What is typed as an argument stands in the shell's history, and in the list of processes while
    the command runs. The sentence of a refusal holds nothing of it.
    """
    try:
        # One more than a memo has, and the end of its line.
        memo = sys.stdin.read(MAX_MEMO + 2).removesuffix("\n") if given == "-" else given
        memo.encode()
    except UnicodeError as error:
        raise UsageProblem("a memo is text in UTF-8, and this one is not") from error
    if not 1 <= len(memo) <= MAX_MEMO:
        found = len(memo) if len(memo) <= MAX_MEMO else phrase("more")
        raise UsageProblem(
            phrase(
                "a memo has 1 to {most} characters, and this one has {found}",
                most=MAX_MEMO,
                found=found,
            )
        )
    return memo


def _recording_command(home: Home, wish: Wish) -> list[str]:
    # -P: a file in the folder where one stands must not be taken for a library.
    order = Order(
        home=home.folder,
        screen=_KINDS[wish.screen],
        replay=wish.replay and wish.replay.absolute(),
        traffic=home.traffic and home.traffic.absolute(),
        paused=wish.paused,
        own_clock=wish.own_clock,
    )
    return [sys.executable, "-P", "-c", _PROGRAM, order.encode()]


def _start_in_background(home: Home, command: list[str], handover: Handover) -> None:
    log = home.folder / "agent.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as output, given(handover) as pipe:
        process = subprocess.Popen(  # noqa: S603 - this program, with the options given
            command,
            stdin=pipe,
            stdout=output,
            stderr=output,
            env=without_passphrase(os.environ),
            start_new_session=True,
        )
    begun = late = False
    try:
        begun = _begins(home, process)
    finally:
        # What did not begin by now must not begin later, when nobody knows of it.
        late = not begun and _end(process)
    if begun:
        for line in _lines(log):
            say(line)
        # It lives on after this process, on purpose: nobody is to wait for it.
        process.returncode = 0
        return
    reason: str = phrase("nothing answered within {seconds:.0f} seconds", seconds=_START_SECONDS)
    if not late:
        *_, last = "", *_lines(log)
        reason = last.removeprefix("workseal-agent: ") or phrase("no reason was told")
    raise AgentError(phrase("recording did not begin: {reason}", reason=reason))


def _begins(home: Home, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the process records; False when it ended, or the time for it did."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if home.recorded() is not None:
            return True
        time.sleep(0.1)
    return False


def _end(process: subprocess.Popen[bytes]) -> bool:
    """End a process: first asked, then made to; False when it had ended by itself."""
    if process.poll() is not None:
        return False
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return True


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").strip().splitlines()


def _tell_state(answer: dict[str, Any]) -> None:
    say(f"{answer['state']}")
    for trouble in answer.get("troubles", ()):
        say(phrase("  {trouble}", trouble=own(trouble)))
