"""The `workseal-verifier` command.

Exit codes: 0 done, 1 the log does not hold or the server cannot run, 2 wrong usage or settings.
Rule: what serves, with its framework, is imported by the commands that need it; the others start
in half the time.
"""

import os
from typing import Final

import typer

from workseal_verifier.cli.guests import invitations, invite
from workseal_verifier.cli.serving import serve
from workseal_verifier.cli.setup import init, keygen, policy, rotate
from workseal_verifier.cli.undelivered import notices
from workseal_verifier.cli.upkeep import check_log, export, migrate, recover
from workseal_verifier.errors import SettingsError, VerifierError

# In the order in which help lists them.
_COMMANDS: Final = (
    init,
    serve,
    check_log,
    export,
    recover,
    migrate,
    keygen,
    rotate,
    policy,
    invite,
    invitations,
    notices,
)

app = typer.Typer(
    help="Run a Workseal verifier: a log that admits, orders and receipts statements.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in _COMMANDS:
    app.command()(_command)


def run() -> None:
    """Run the command; an expected error is one sentence and exit 1 or 2."""
    os.umask(0o077)
    try:
        app()
    except VerifierError as error:
        typer.echo(f"workseal-verifier: {error}", err=True)
        raise SystemExit(2 if isinstance(error, SettingsError) else 1) from None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        place = f"{error.filename}: " if error.filename else ""
        typer.echo(f"workseal-verifier: {place}{reason}", err=True)
        raise SystemExit(1) from None
