"""What is typed wrongly is one sentence with exit code 2, which names what is near."""

import pytest
from typer.main import get_command

from workseal_agent.cli import app, main
from workseal_agent.cli.commands import GROUPS, load_all


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C")


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["workseal-agent", *words])
    return main()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("stauts",), "there is no command stauts; near it: 'status', "),
        (("xyzzy",), "there is no command xyzzy; `workseal-agent --help`"),
        (
            ("slots", "lst"),
            "there is no command lst; near it: 'list'; `workseal-agent slots --help`",
        ),
        (("status", "--jsn"), "there is no option --jsn; near it: --json"),
        (("status", "--xyzzy"), "there is no option --xyzzy; `workseal-agent status --help`"),
        (("frames", "--view"), "--view needs a value"),
        (("status", "--json=1"), "--json takes no value"),
        (("withdraw",), " is missing; `workseal-agent withdraw --help`"),
        (("pause", "now"), "more was typed than is expected: now; "),
        (
            ("mode", "asleep"),
            " is asleep, expected one of 'working', 'off-screen', 'sealed'; `workseal-agent mode",
        ),
        (("slots", "remove", "one"), "slot is no whole number; `workseal-agent slots"),
        (("export", "x", "--wait", "soon"), "--wait is no number; `workseal-agent export"),
        (("export", "x", "--wait", "-1"), "--wait is too small, expected 0 or more; `workseal-a"),
    ],
)
def test_it_is_one_sentence_that_names_what_is_near(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    sentence: str,
) -> None:
    assert typed(monkeypatch, *words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert sentence in told.err
    assert told.err.startswith("workseal-agent: ")
    assert told.err.count("\n") == 1


def test_it_is_told_in_german(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert typed(monkeypatch, "slots", "lst") == 2
    assert capsys.readouterr().err == (
        "workseal-agent: Den Befehl lst gibt es nicht; ähnlich: 'list';"
        " `workseal-agent slots --help`\n"
    )


@pytest.mark.parametrize("words", [(), ("slots",)])
def test_nothing_typed_shows_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert typed(monkeypatch, *words) == 2
    told = capsys.readouterr()
    assert "Usage: " in told.out + told.err
    assert "there is no" not in told.err


def test_the_overview_names_every_command_once_and_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_all()
    commands = {
        name: one
        for name, one in get_command(app).commands.items()  # type: ignore[attr-defined]
        if not one.hidden
    }
    assert sorted(name for _, group in GROUPS for name in group) == sorted(commands)
    assert typed(monkeypatch, "--help") == 0
    told = capsys.readouterr().out
    assert "..." not in told.partition("To begin")[2]
    # What is wrapped is read as one.
    read = " ".join(told.split())
    for name, one in commands.items():
        assert f"{name} {' '.join(one.help.split())}" in read, name
    assert max(map(len, told.splitlines())) <= 80
