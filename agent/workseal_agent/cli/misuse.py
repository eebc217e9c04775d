"""What was typed and cannot be meant, in one sentence like every other refusal.

Rule: the library that reads the command line says it in English of its own; what is not known of
its sentences is shown as it is.
"""

import re
from collections.abc import Callable
from typing import Any

import typer

from workseal_agent.errors import UsageProblem
from workseal_agent.language import Phrase, phrase

# What the library raises for each of them, and does not name in public.
Misuse: type[Exception] = typer.BadParameter.__bases__[0]

_KNOWN: tuple[tuple[str, Callable[..., Phrase]], ...] = (
    (
        r"No such command '(?P<name>.*)'\. Did you mean (?P<near>.*)\?",
        lambda **told: phrase("there is no command {name}; near it: {near}", **told),
    ),
    (
        r"No such command '(?P<name>.*)'\.",
        lambda **told: phrase("there is no command {name}", **told),
    ),
    (
        r"No such option: (?P<name>\S+) (?:Did you mean (?P<near>.*)\?|\(.*: (?P<several>.*)\))",
        lambda name, near, several: phrase(
            "there is no option {name}; near it: {near}", name=name, near=near or several
        ),
    ),
    (
        r"No such option: (?P<name>\S+)",
        lambda **told: phrase("there is no option {name}", **told),
    ),
    (
        r"Option '(?P<name>.*)' requires an argument\.",
        lambda **told: phrase("{name} needs a value", **told),
    ),
    (
        r"Option '(?P<name>.*)' does not take a value\.",
        lambda **told: phrase("{name} takes no value", **told),
    ),
    (
        r"Missing (?:argument|option|parameter) '(?P<name>[^']*)'\..*",
        lambda **told: phrase("{name} is missing", **told),
    ),
    (
        r"Got unexpected extra argument(?:\(s\)|s)? \((?P<words>.*)\)",
        lambda **told: phrase("more was typed than is expected: {words}", **told),
    ),
    (
        # Where pydantic is installed, `typer` lets it say what kind of error it is.
        (
            r"Invalid value for '(?P<name>[^']*)': (?:Value error, )?"
            r"'(?P<value>.*)' is not one of (?P<choices>.*)\."
        ),
        lambda **told: phrase("{name} is {value}, expected one of {choices}", **told),
    ),
    (
        (
            r"Invalid value for '(?P<name>[^']*)': (?:Value error, )?"
            r"(?:'.*' is not a valid int|Input should be a valid integer).*"
        ),
        lambda **told: phrase("{name} is no whole number", **told),
    ),
    (
        (
            r"Invalid value for '(?P<name>[^']*)': (?:Value error, )?"
            r"(?:'.*' is not a valid float|Input should be a valid number).*"
        ),
        lambda **told: phrase("{name} is no number", **told),
    ),
    (
        (
            r"Invalid value for '(?P<name>[^']*)': (?:Value error, )?"
            r"(?:Input should be greater than or equal to (?P<least>\S+?)"
            r"|.* is not in the range x>=(?P<bound>\S+?))\.?"
        ),
        lambda name, least, bound: phrase(
            "{name} is too small, expected {least} or more", name=name, least=least or bound
        ),
    ),
    (
        r"Invalid value for '(?P<name>[^']*)': (?:Value error, )?(?P<why>.*?)\.?",
        lambda **told: phrase("{name} cannot be that: {why}", **told),
    ),
)


def problem_of(error: Any) -> UsageProblem:
    """Return the refusal for what the library could not read; nothing typed shows the help."""
    said, context = error.format_message(), error.ctx
    if context is not None and said == context.get_help():
        error.show()
        raise SystemExit(UsageProblem.exit_code)
    command = "workseal-agent" if context is None else context.command_path
    for form, told in _KNOWN:
        found = re.fullmatch(form, said, re.DOTALL)
        if found is not None:
            said = told(**found.groupdict())
            break
    return UsageProblem(phrase("{said}; `{command} --help`", said=said, command=command))
