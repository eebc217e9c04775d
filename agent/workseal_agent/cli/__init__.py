"""The command line of the agent: `workseal-agent`.

Exit codes: 0 done, 1 refused or not possible now, 2 malformed input or wrong usage. What goes wrong
is one sentence on the error stream, and never anything of what was recorded.
"""

import os
import sys

from workseal_agent.cli import (
    attesting,
    autostart,
    backup,
    bundle,
    casework,
    copying,
    disclosing,
    doctor,
    evidence,
    exporting,
    forgetting,
    frames,
    keys,
    opening,
    proving,
    recording,
    reveals,
    setup,
    slots,
    status,
    tagging,
    timesheets,
    vault,
    witness,
)
from workseal_agent.cli.app import app
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.errors import AgentError, SettingsError
from workseal_agent.language import language_of, own, own_reason, phrase, speak
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.text import bounded, plain
from workseal_protocol.errors import MalformedError, WorksealError

__all__ = [
    "app",
    "attesting",
    "autostart",
    "backup",
    "bundle",
    "casework",
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
    "proving",
    "recording",
    "reveals",
    "setup",
    "slots",
    "status",
    "tagging",
    "timesheets",
    "vault",
    "witness",
]


def main() -> int:
    """Run the command line; return its exit code."""
    speak(language_of(os.environ))
    try:
        return _run()
    except (UsageProblem, SettingsError) as error:
        return _tell(own_reason(error), 2)
    except CommandError as error:
        # What the parties' programs share says by itself which of the two it is.
        return _tell(bounded(str(error)), error.code)
    except MalformedError as error:
        # Commands name the file that they were given: what is left was read from the home.
        return _tell(own(phrase("something in this home is damaged: {error}", error=error)), 1)
    except (AgentError, WorksealError) as error:
        return _tell(own_reason(error), 1)
    except OSError as error:
        return _tell(_reason(error), 1)


def _run() -> int:
    try:
        app()
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else 1
    except KeyboardInterrupt:
        return 1
    return 0


def _reason(error: OSError) -> str:
    reason = (error.strerror or type(error).__name__).lower()
    return f"{plain(str(error.filename))}: {reason}" if error.filename else reason


def _tell(error: object, code: int) -> int:
    sys.stderr.write(f"workseal-agent: {error}\n")
    return code
