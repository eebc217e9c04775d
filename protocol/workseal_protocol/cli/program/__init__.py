"""The program: its commands and options, and the one place where an error becomes an exit code."""

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from workseal_protocol.cli.files import reason_of
from workseal_protocol.cli.problem import MALFORMED, CommandError
from workseal_protocol.cli.program.acts import SHOW
from workseal_protocol.cli.program.asking import add_asking
from workseal_protocol.cli.program.attestations import add_attestations
from workseal_protocol.cli.program.billing import add_billing
from workseal_protocol.cli.program.cases import add_case
from workseal_protocol.cli.program.checks import add_checks
from workseal_protocol.cli.program.disputes import add_disputes
from workseal_protocol.cli.program.ownkeys import add_ownkeys
from workseal_protocol.cli.program.parser import Command, Parser, complain, silence
from workseal_protocol.cli.program.parties import add_parties


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises for bad input."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without UTF-8 shows an escape instead of ending the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    words = _spelled(sys.argv[1:] if arguments is None else arguments)
    options = _parser(whole=words[:1] == ["case"], about=_helped(words)).parse_args(words)
    command: Command = options.command
    try:
        code = command(options)
        if sys.stdout is not None:  # closed by whoever wants the exit code alone
            sys.stdout.flush()
    except CommandError as error:
        complain(str(error))
        return error.code
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain at exit either.
        silence(sys.stdout)
        return MALFORMED
    except OSError as error:
        # Commands name the file that fails them. What is left is the output, and a report that
        # nobody can read must not end like one that does not hold.
        silence(sys.stdout)
        complain(f"cannot write the output: {reason_of(error)}")
        return MALFORMED
    except KeyboardInterrupt:
        complain("interrupted")
        return MALFORMED
    return code


def _spelled(words: Sequence[str]) -> list[str]:
    """Spell out `workseal case --terms …`, which is short for `workseal case show --terms …`."""
    case_alone = words[:1] == ["case"] and words[1:2] == ["--terms"]
    return ["case", SHOW, *words[1:]] if case_alone else list(words)


def _helped(words: Sequence[str]) -> str | None:
    """Name the act whose help is asked for, if that is what was typed."""
    asks = list(words[:2]) == ["case", "act"] and not {"-h", "--help"}.isdisjoint(words)
    return next((word for word in words[2:] if not word.startswith("-")), None) if asks else None


def _parser(*, whole: bool = True, about: str | None = None) -> Parser:
    """Describe the commands; without `whole`, none of those below `case`.

    With `about`, of the options of `case act` those that this act takes.
    """
    parser = Parser(
        prog="workseal",
        description="Check evidence of work offline, and sign what client and arbitrator say.",
        epilog="exit code: 0 holds, 1 does not hold, 2 malformed input or wrong use",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"workseal {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_checks(commands)
    add_parties(commands)
    add_ownkeys(commands)
    add_billing(commands)
    add_attestations(commands)
    add_disputes(commands)
    add_case(commands, whole=whole, about=about)
    add_asking(commands)
    return parser


def _version() -> str:
    try:
        return version("workseal")
    except PackageNotFoundError:
        return "of a source tree that is not installed"
