"""The `workseal-witness` command.

Exit codes: 0 done, 1 not possible now, or a fork is kept, 2 malformed input or wrong usage.
Results go to standard output, what goes wrong to standard error as one sentence.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from workseal_protocol.cli.files import fill_folder, read_typed
from workseal_protocol.cli.problem import MALFORMED, CommandError
from workseal_protocol.cli.text import bounded, count
from workseal_protocol.errors import MalformedError
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TrustPolicy
from workseal_witness import home as homes
from workseal_witness import logs
from workseal_witness.errors import WitnessError
from workseal_witness.serving import Server, bind
from workseal_witness.store import Fork, SeenRow

_HEADER = "workseal-policy v1\n"

Item = TypeVar("Item")

app = typer.Typer(
    help="Cosign what continues a transparency log, and never two histories of it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

HomeOption = Annotated[
    Path, typer.Option("--home", help="The witness's folder.", envvar="WORKSEAL_WITNESS_HOME")
]


def main() -> int:
    """Run the command line; return its exit code."""
    os.umask(0o077)
    try:
        app()
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else 1
    except CommandError as error:
        return _tell(str(error), error.code)
    except MalformedError as error:
        # Commands name the file that they were given: what is left was read from the home.
        return _tell(f"something in this home is damaged: {error}", 1)
    except WitnessError as error:
        return _tell(str(error), 1)
    except OSError as error:
        return _tell((error.strerror or type(error).__name__).lower(), 1)
    return 0


def _tell(text: str, code: int) -> int:
    sys.stderr.write(f"workseal-witness: {bounded(text)}\n")
    return code


@app.command()
def init(
    home: HomeOption,
    name: Annotated[
        str, typer.Option(help="The witness's name for ever, such as witness.example.com/w1.")
    ],
    *,
    pq: Annotated[bool, typer.Option("--pq", help="Also cosign with ML-DSA-44.")] = False,
) -> None:
    """Make a home: keys, and an empty state; print the keys that others verify with."""
    try:
        homes.create(homes.Home(home), name, pq=pq)
    except ValueError as error:
        raise CommandError(f"the name of a witness: {error}") from error
    _print_keys(home)


@app.command(name="add-log")
def add_log(
    home: HomeOption,
    *,
    vkey: Annotated[str | None, typer.Option(help="The log's verifier key.")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="A policy file, or what `workseal-verifier policy` prints.")
    ] = None,
) -> None:
    """Cosign a log from now on; a running witness knows it at once."""
    keys = _log_keys(vkey, policy)
    with homes.opened(homes.Home(home)) as state, state.store.write() as writing:
        for key in keys:
            new = writing.add_log(key)
            typer.echo(f"{key.name}: {'added' if new else 'known already'}")


@app.command()
def serve(
    home: HomeOption,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port.")] = 8090,
    *,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", hidden=True, help="End with the standard input.")
    ] = False,
) -> None:
    """Run the witness until it is told to stop."""
    logs.begin()
    with homes.opened(homes.Home(home)) as state:
        witness = homes.witness_of(homes.Home(home), state)
        listener = bind(host, port)
        server = Server(witness, listener)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        if until_eof:
            threading.Thread(target=_end_with_input, args=(server,), daemon=True).start()
        line = f"serving {state.name} on http://{host}:{listener.getsockname()[1]}"
        server.run(lambda: typer.echo(line, color=False))


@app.command()
def vkey(home: HomeOption) -> None:
    """Print the keys that others verify this witness with."""
    _print_keys(home)


@app.command()
def status(home: HomeOption) -> None:
    """Show each log, how far it was cosigned, and whether it forked."""
    with homes.opened(homes.Home(home)) as state:
        with state.store.write() as reading:
            rows = {key.name: reading.seen(key.name) for key in reading.logs()}
            forks = reading.forks()
        _show(state.name, rows, forks)
        # Last, so that the rest is seen too: this one cosigns no more.
        state.require_not_restored()


def _show(name: str, rows: Mapping[str, SeenRow | None], forks: Sequence[Fork]) -> None:
    typer.echo(f"witness {name}")
    for origin, row in rows.items():
        found = "nothing cosigned yet"
        if row is not None:
            found = f"size {row.seen.size}, cosigned {_instant(row.cosigned_at)}"
        kept = sum(fork.origin == origin for fork in forks)
        typer.echo(f"{origin}: {found}" + (f"; {count(kept, 'FORK')} kept" if kept else ""))
    if not rows:
        typer.echo("no log yet: workseal-witness add-log")


@app.command()
def forks(
    home: HomeOption,
    out: Annotated[
        Path | None, typer.Option(help="Write both checkpoints of each fork into this new folder.")
    ] = None,
) -> None:
    """List the proofs that a log has two histories; exit 1 if there is one."""
    with homes.opened(homes.Home(home)) as state, state.store.write() as reading:
        kept = reading.forks()
    for fork in kept:
        typer.echo(
            f"{fork.number}: {fork.origin} has two trees of size {fork.size},"
            f" found {_instant(fork.found_at)}"
        )
    if out is not None and kept:
        pairs = [(one, part) for one in kept for part in ("cosigned", "refused")]
        fill_folder(out, {f"{one.number}.{part}": getattr(one, part) for one, part in pairs})
    if kept:
        raise typer.Exit(1)
    typer.echo("no log has shown this witness two histories")


def _end_with_input(server: Server) -> None:
    # Whoever started this may die: its end of the pipe closes with it.
    sys.stdin.buffer.read()
    server.stop()


def _log_keys(vkey: str | None, policy: Path | None) -> list[VerifierKey]:
    match vkey, policy:
        case str(text), None:
            key = _parsed(lambda: VerifierKey.parse(text), "the log's key")
            if key.type is not NoteType.LOG_ED25519:
                raise CommandError("the key is a witness's (type 04 or 06), expected a log's (01)")
            return [key]
        case None, Path() as path:
            text = read_typed(path, what="policy")
            # What `workseal-verifier policy` prints has no first line yet.
            text = text if text.startswith(_HEADER) else _HEADER + text
            return list(_parsed(lambda: TrustPolicy.parse(text), f"the policy {path}").tlog.logs)
        case _:
            raise CommandError("which log: --vkey KEY or --policy FILE, one of them", MALFORMED)


def _parsed(parse: Callable[[], Item], what: str) -> Item:
    try:
        return parse()
    except MalformedError as error:
        raise CommandError(f"{what} is malformed: {error}") from error


def _print_keys(home: Path) -> None:
    with homes.opened(homes.Home(home)) as state:
        for key in state.keys:
            typer.echo(key.encode())


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
