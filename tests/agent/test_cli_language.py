"""What commands print in another language, and what of it is English for ever."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from support.paged import PagedHome
from support.pseudo import PSEUDO, english_in, speaking
from workseal_agent.cli import app, evidence, main, vault
from workseal_agent.cli import status as module
from workseal_agent.cli.commands import load_all
from workseal_agent.cli.home import Home
from workseal_agent.cli.ownhelp import in_own_words
from workseal_agent.language import ENGLISH, language_of, phrase
from workseal_agent.ledger import SendState, StoredStatement
from workseal_agent.vaultcheck import Depth, VaultState
from workseal_protocol.cli.acting import ABOUT, DETAILS
from workseal_protocol.digest import Digest

Run = Callable[..., tuple[int, str, str]]
# Names of things, and what is typed.
APART = re.compile(
    r"`[^`]*`|http://\S+|[0-9a-f]{8,}|(?:Etc|Europe|America)/\w+|\bmin\b|UTC|GiB"
    r"|segment\b|bank|wrong of the verifier"
)
WRONG: dict[str, Any] = {
    "daemon": True,
    "recording": "",
    "session": "00" * 16,
    "zone": "America/New_York",
    "restored": True,
    "troubles": ["the screen does not answer"],
    "halted": True,
    "captured": 3,
    "missed": 1,
    "captures_failing": "the screen is locked",
    "rules_never_matched": ["bank"],
    "incidents": [{"number": 1, "at_ms": 0, "text": "wrong of the verifier"}],
    "parked": 1,
    "vault_bytes": 9 << 30,
    "vault_warn_bytes": 2 << 30,
    "frames_due": 1,
    "frames_disputed": 2,
    "last_receipt_index": 7,
}


GERMAN = language_of({"LANG": "de_DE"})


@pytest.fixture(scope="module")
def paged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagedHome]:
    home = PagedHome(tmp_path_factory.mktemp("language"), capture_rate=65_536)
    home.rig.recorder.start()
    home.rig.work(65)
    home.rig.recorder.stop()
    yield home
    home.rig.ledger.close()
    home.rig.client.close()


@pytest.fixture
def run(
    paged: PagedHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command as its owner's session would, in one language or another."""

    def run(language: str, *words: str) -> tuple[int, str, str]:
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("LANG", language)
        monkeypatch.setattr("sys.argv", ["workseal-agent", "--home", str(paged.home), *words])
        with speaking(ENGLISH):
            code = main()
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        WRONG,
        {**WRONG, "daemon": False, "frames_due": 2},
        {**WRONG, "frames_held_up": True},
    ],
)
def test_no_english_is_left_of_the_status(
    paged: PagedHome, capsys: pytest.CaptureFixture[str], wrong: dict[str, Any]
) -> None:
    home = Home(paged.home, None, None, None)
    facts = module._facts(home, paged.rig.engagement, None) | wrong
    with speaking(PSEUDO):
        module._tell(home, paged.rig.engagement, facts)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= (14 if wrong else 3)
    assert [line for line in lines if english_in(APART.sub("", line))] == []


def test_frames_past_their_days_are_said_to_wait_while_something_holds_them_up(
    paged: PagedHome, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(paged.home, None, None, None)
    running = {
        "state": "recording", "session": None, "running": [], "troubles": ["it waits"],
        "halted": False, "captured": 0, "missed": 0,
    }  # fmt: skip
    for withdrawing, when in (
        (True, "soon, by itself"),
        (False, "by itself, once the trouble is over"),
    ):
        said = running | {"withdrawing": withdrawing}
        facts = module._facts(home, paged.rig.engagement, said) | {"frames_due": 2}
        module._tell(home, paged.rig.engagement, facts)
        told = capsys.readouterr().out
        assert f"2 frames past the terms' days: withdrawn {when}\n" in told


def test_several_parts_with_the_same_trouble_say_it_once(
    paged: PagedHome, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(paged.home, None, None, None)
    trouble = phrase("no answer from the verifier: {reason}", reason=phrase("it took too long"))
    facts = module._facts(home, paged.rig.engagement, None) | {"troubles": [trouble, trouble]}
    with speaking(GERMAN):
        module._tell(home, paged.rig.engagement, facts)
    told = "Störung: Keine Antwort vom Prüfdienst: Es hat zu lange gedauert\n"
    assert capsys.readouterr().out.count(told) == 1


def test_the_status_is_told_in_german(run: Run) -> None:
    code, out, _ = run("de_DE.UTF-8", "status")
    assert code == 0
    assert out.startswith("angehalten; heute ")
    assert "Einträge" in out
    assert run("en_US.UTF-8", "status")[1].startswith("stopped; today ")


def test_what_programs_read_is_the_same_in_every_language(run: Run) -> None:
    for words in (("status", "--json"), ("status", "--public-key")):
        assert run("de_DE.UTF-8", *words) == run("C", *words)
    assert json.loads(run("de_DE.UTF-8", "status", "--json")[1])["state"] == "stopped"


@pytest.mark.parametrize(
    ("words", "code", "german", "english"),
    [
        (
            ("pause",), 1,
            "Der Agent zeichnet nicht auf: `workseal-agent start`",
            "the agent is not recording: `workseal-agent start`",
        ),
        (
            ("timesheet", "--from", "2026-03-02"), 2,
            "--from und --to gehören zusammen",
            "--from and --to go together",
        ),
    ],
)  # fmt: skip
def test_an_error_is_told_in_german_with_the_same_exit_code(
    run: Run, words: tuple[str, ...], code: int, german: str, english: str
) -> None:
    assert run("de_DE.UTF-8", *words) == (code, "", f"workseal-agent: {german}\n")
    assert run("C", *words) == (code, "", f"workseal-agent: {english}\n")


def test_an_error_with_values_is_told_in_german(run: Run, paged: PagedHome) -> None:
    code, _, told = run("de_DE.UTF-8", "--engagement", "ffff", "status")
    short = paged.rig.engagement.id.hex()[:8]
    assert code == 2
    assert told == (
        "workseal-agent: So eine Vereinbarung gibt es in diesem Agentenordner nicht:"
        f" Er hat {short}\n"
    )


def test_no_english_is_left_of_any_help() -> None:
    load_all()
    with speaking(PSEUDO):
        told = list(helps_of(in_own_words(get_command(app))))
    assert len(told) > 150
    # What is typed is in no catalogue.
    typed = {", ".join(ABOUT), ", ".join(DETAILS)}
    assert [text for text in told if text not in typed and english_in(APART.sub("", text))] == []


def helps_of(command: Any) -> Iterator[str]:
    """Yield the texts that the help of a command, and of those below it, shows."""
    yield command.help
    yield from filter(None, (getattr(one, "help", None) for one in command.params))
    for below in getattr(command, "commands", {}).values():
        yield from helps_of(below)


def test_what_a_case_refused_holds_up_nothing_and_is_said_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def parked(kind: str) -> StoredStatement:
        body = kind.encode()
        return StoredStatement(
            1, b"", None, Digest.of(body), kind, body, SendState.PARKED, "too late", None
        )

    module._tell_parked([parked("dispute.act")])
    told = capsys.readouterr().out
    assert "not taken: dispute.act" in told
    assert "the same command signs it anew" in told
    assert "wait behind it" not in told
    module._tell_parked([parked("dispute.act"), parked("segment")])
    assert "later statements of the chain wait behind it" in capsys.readouterr().out


def test_what_a_withdrawal_does_is_told_without_english(
    paged: PagedHome, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(paged.home, None, None, None)
    (row, *_) = paged.rig.ledger.captures(paged.rig.engagement.id)
    with speaking(PSEUDO):
        evidence._tell_effect(home, row)
        evidence._tell_waiting(sent=False)
        vault._tell_whole(VaultState(Depth.PIXELS, 3, 9_000_000, 2, 1, ()))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    apart = re.compile(APART.pattern + r"|MiB|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
    assert [line for line in lines if english_in(apart.sub("", line))] == []


def test_the_help_is_told_in_german_and_untouched_in_english(run: Run) -> None:
    code, told, _ = run("de_DE.UTF-8", "case", "act", "--help")
    assert code == 0
    assert told.startswith("Aufruf: ")
    assert "\nOptionen:\n" in told
    assert "Diese Hilfe zeigen und aufhören." in told
    assert max(map(len, told.splitlines())) <= 80
    assert english_in(APART.sub("", run("C", "case", "act", "--help")[1]))
    assert "Usage: " in run("C", "--help")[1]


def test_a_language_that_there_is_not_is_english(run: Run, tmp_path: Path) -> None:
    assert run("tlh", "status") == run("C", "status")
    assert not list(tmp_path.iterdir())
