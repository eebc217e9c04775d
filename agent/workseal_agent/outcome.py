"""How a program of the agent ends: an exit code, and what went wrong in one sentence.

Exit codes: 0 done, 1 refused or not possible now, 2 malformed input or wrong usage. A sentence
never holds anything of what was recorded.
"""

import os
import sys
from collections.abc import Callable

from workseal_agent.errors import AgentError
from workseal_agent.language import language_of, own, own_reason, phrase, speak
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.text import bounded, plain
from workseal_protocol.errors import MalformedError, WorksealError


def outcome_of(program: Callable[[], object]) -> int:
    """Run a program to its end, tell what went wrong, and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without UTF-8 shows an escape instead of ending the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    speak(language_of(os.environ))
    try:
        return _run(program)
    except AgentError as error:
        return _tell(own_reason(error), error.exit_code)
    except CommandError as error:
        # What the parties' programs share says by itself which of the two it is.
        return _tell(error, error.code)
    except MalformedError as error:
        # Commands name the file that they were given: what is left was read from the home.
        return _tell(own(phrase("something in this home is damaged: {error}", error=error)), 1)
    except WorksealError as error:
        return _tell(own_reason(error), 1)
    except OSError as error:
        return _tell(_reason(error), 1)


def _run(program: Callable[[], object]) -> int:
    try:
        program()
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else 1
    except KeyboardInterrupt:
        return 1
    return 0


def _reason(error: OSError) -> str:
    reason = (error.strerror or type(error).__name__).lower()
    return f"{plain(str(error.filename))}: {reason}" if error.filename else reason


def _tell(error: object, code: int) -> int:
    # A reason may hold what a verifier, a file or its name says: nothing of it steers a terminal.
    sys.stderr.write(f"workseal-agent: {bounded(str(error))}\n")
    return code
