"""Where one is told, said to a real verifier by its command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.office import LiveServer, Office, new_home
from support.postal import SENDER
from support.scripted import ScriptedAgent
from support.simulator import START, seeded
from workseal_protocol.cli.contact import Contact
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.cli.seeds import write_seed
from workseal_verifier.outsiders import SmtpSettings

from .conftest import Run


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    smtp = SmtpSettings(host="localhost", sender=SENDER)
    made = Office(new_home(tmp_path, smtp=smtp)).open()
    made.now = START
    write_seed(tmp_path / "client", seeded(made.seed, "party", "client"))
    ScriptedAgent(made, terms=made.terms())
    yield made
    made.close()


@pytest.fixture
def url(office: Office) -> Iterator[str]:
    with LiveServer(office) as live:
        yield live.url


def test_what_is_not_named_stays_as_it_was(url: str, tmp_path: Path, run: Run) -> None:
    def say(*words: str) -> list[str]:
        done = run("contact", f"{url}/", "--key", tmp_path / "client", *words)
        assert (done.code, done.err) == (0, "")
        return [str(line) for line in done.out.splitlines()]

    assert say() == [
        "mail      none",
        "webhook   none",
        "zone      that of the terms",
        "digest    none",
        "this verifier sends no webhook; its pages tell you always",
    ]
    to_confirm = "mail      anna@example.com, not confirmed: open the link in the mail to it"
    weekly = "digest    each week, by mail"
    assert to_confirm in say("--mail", "anna@example.com", "--digest")
    told = say("--zone", "Europe/Berlin")
    assert told[:4] == [to_confirm, "webhook   none", "zone      Europe/Berlin", weekly]
    assert say("--no-digest")[3] == "digest    none"
    say("--digest")
    # A digest comes by mail: without an address there is none.
    assert say("--mail", "")[:4] == [
        "mail      none", "webhook   none", "zone      Europe/Berlin", "digest    none",
    ]  # fmt: skip
    assert say("--forget") == ["forgotten: notices stand on the verifier's pages alone"]
    assert say()[2] == "zone      that of the terms"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--mail", "nobody"), "mail: expected an address like name@example.com"),
        (("--zone", "Mars/Olympus"), "zone: expected a time zone"),
        (("--digest",), "digest: a weekly digest comes by mail"),
        (("--webhook", "https://a.example/x"), "this server sends no webhook"),
    ],
)
def test_what_the_verifier_refuses_is_said_and_changes_nothing(
    url: str, tmp_path: Path, run: Run, words: tuple[str, ...], why: str
) -> None:
    key = ("--key", tmp_path / "client")
    before = run("contact", url, *key).out
    refused = run("contact", url, *key, *words)
    assert (refused.code, refused.out) == (1, "")
    assert why in refused.err
    assert run("contact", url, *key).out == before


@pytest.mark.parametrize(
    "change",
    [{"mail": 1}, {"digest": None}, {"confirmed": "yes"}, {"sends": "mail"}],
    ids=lambda change: next(iter(change)),
)
def test_refuses_an_answer_in_another_form(change: dict[str, object]) -> None:
    fields = {"mail": None, "webhook": None, "zone": None, "digest": False, "confirmed": False}
    whole = fields | {"sends": ["mail"]}
    assert Contact.read(json.dumps(whole).encode()).sends == ("mail",)
    with pytest.raises(CommandError, match="not in the right form"):
        Contact.read(json.dumps(whole | change).encode())
