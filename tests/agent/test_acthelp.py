"""What `workseal-agent case act ACT --help` tells."""

import re

import pytest
import typer
from typer.testing import CliRunner

from workseal_agent.cli import casework  # noqa: F401
from workseal_agent.cli.app import app
from workseal_protocol.cli.acting import DETAILS, spelled
from workseal_protocol.cli.acting.said import GROUNDS


def told(*words: str) -> str:
    return CliRunner().invoke(app, ["case", "act", *words, "--help"]).output


def options() -> set[str]:
    command: object = typer.main.get_command(app)
    for name in ("case", "act"):
        command = command.commands[name]  # type: ignore[attr-defined]
    return {one.opts[0] for one in command.params if one.param_type_name == "option"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("act", DETAILS)
def test_the_help_of_an_act_has_its_own_options_alone(act: str) -> None:
    shown = set(re.findall(r"^  (--[a-z-]+)", told(act), re.MULTILINE))
    details = DETAILS[act].needs | DETAILS[act].may
    words = {"--text-file"} if "text" in details else set()
    expected = {spelled(one) for one in details} & options() | words
    assert shown == expected | {"--yes", "--help"}


def test_an_answer_has_what_the_guide_says_it_has() -> None:
    assert {spelled(one) for one in DETAILS["answer"].may} <= options()


def test_the_help_names_every_ground() -> None:
    text = re.sub(r"(?<=-)\s+", "", told())
    for act in ("object", "withhold"):
        assert set(GROUNDS[act]) <= set(re.findall(r"[a-z-]+", text))
    assert "--amount" in told()
