"""What `--help` shows as examples, read by the real parser."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from click import Context
from typer.main import get_command

from support.pseudo import PSEUDO, english_in, speaking
from workseal_agent.cli import app
from workseal_agent.cli.commands import load_all
from workseal_agent.cli.examples import EXAMPLES, with_examples
from workseal_agent.cli.pasted import link_in
from workseal_agent.errors import UsageProblem

LINES = [(words, rest) for words, examples in EXAMPLES.items() for rest, _ in examples]
# What a person types at most with a number or a name that `--help` explains, or with nothing.
WITHOUT = {
    "begin-at-login", "case act", "case check", "case file", "case list", "catch-up", "copy",
    "evidence", "keys", "pause", "resume", "seal", "send", "slots list", "slots passphrase",
    "slots remove", "stop", "tags", "timesheets", "vault prove",
}  # fmt: skip


def parsed(words: list[str]) -> Context:
    """Have the real parser read a line; it raises at what it does not know."""
    command: Any = get_command(app)
    context: Context = command.make_context("workseal-agent", words)
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    return context


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if not below:
        yield " ".join(words)
    for name, one in below.items():
        yield from leaves(one, (*words, name))


@pytest.mark.parametrize(("words", "rest"), LINES, ids=[f"{one} {rest}" for one, rest in LINES])
def test_an_example_is_what_the_parser_takes(words: str, rest: str) -> None:
    context = parsed(shlex.split(f"{words} {rest}"))
    assert context.command_path == f"workseal-agent {words}"
    assert context.args == []


def test_a_line_that_is_no_example_is_refused() -> None:
    for line in ("withdraw 3 --reason other-reason", "withdraw", "start --nothing", "nothing"):
        with pytest.raises(Exception, match=r"reason|missing|Missing|nothing|option"):
            parsed(shlex.split(line))


def test_every_command_has_examples_or_needs_none() -> None:
    load_all()
    assert set(leaves(get_command(app))) == EXAMPLES.keys() | WITHOUT
    assert not EXAMPLES.keys() & WITHOUT


def test_the_link_of_an_example_has_the_form_of_an_invitation() -> None:
    (link,) = shlex.split(EXAMPLES["join"][0][0])
    whole = link.replace("…", f"{'a' * 32}.{'b' * 64}")
    assert link_in(whole) is not None
    with pytest.raises(UsageProblem):
        link_in(link)


def helped(words: str) -> str:
    load_all()
    command: Any = with_examples(get_command(app))
    context = command.make_context(
        "workseal-agent", [*words.split(), "--help"], resilient_parsing=True
    )
    for name in words.split():
        command = command.commands[name]
        context = Context(command, info_name=name, parent=context)
    return str(command.get_help(context))


def test_the_help_ends_with_its_examples_each_on_one_line() -> None:
    told = helped("declare")
    _, _, examples = told.partition("Examples:\n")
    (rest, what) = EXAMPLES["declare"][0]
    assert examples == f"  workseal-agent declare {rest}\n    {what}"
    assert "Examples:" not in helped("pause")


def test_examples_are_told_in_the_owners_language() -> None:
    with speaking(PSEUDO):
        _, _, told = helped("autostart").rpartition(":\n")
    said = [line for line in told.splitlines() if "workseal-agent" not in line]
    assert len(said) == len(EXAMPLES["autostart"])
    assert english_in(" ".join(said)) == []
