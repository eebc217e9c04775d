"""The command line of the agent: `workseal-agent`."""

import typer
from typer.main import get_command

from workseal_agent.cli import (
    attesting,
    autostart,
    backup,
    bundle,
    casechecking,
    caseopening,
    casework,
    contact,
    copying,
    disclosing,
    doctor,
    evidence,
    exporting,
    forgetting,
    frames,
    keys,
    opening,
    ownkeys,
    proving,
    recording,
    reveals,
    setup,
    slots,
    status,
    tagging,
    timesheets,
    tray,
    vault,
    witness,
)
from workseal_agent.cli.app import app
from workseal_agent.cli.examples import with_examples
from workseal_agent.cli.misuse import Misuse, problem_of
from workseal_agent.cli.ownhelp import in_own_words
from workseal_agent.outcome import outcome_of

__all__ = [
    "app",
    "attesting",
    "autostart",
    "backup",
    "bundle",
    "casechecking",
    "caseopening",
    "casework",
    "contact",
    "copying",
    "disclosing",
    "doctor",
    "evidence",
    "exporting",
    "forgetting",
    "frames",
    "keys",
    "main",
    "opening",
    "ownkeys",
    "proving",
    "recording",
    "reveals",
    "setup",
    "slots",
    "status",
    "tagging",
    "timesheets",
    "tray",
    "vault",
    "witness",
]


def main() -> int:
    """Run the command line; return its exit code."""
    return outcome_of(_run)


def _run() -> None:
    # In the language that is known by now.
    command = with_examples(in_own_words(get_command(app)))
    try:
        # Which returns a code where a command ends with one.
        raise SystemExit(command(prog_name="workseal-agent", standalone_mode=False) or 0)
    except Misuse as error:
        raise problem_of(error) from error
    except typer.Abort:
        raise SystemExit(1) from None
