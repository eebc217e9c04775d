import os
import re
from pathlib import Path

import pytest

from support.scripted import Story
from workseal_protocol.cli.seeds import write_seed
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import Offer, read_record, sign
from workseal_protocol.statement import Statement
from workseal_protocol.terms import plain_language

from .conftest import Run
from .test_termsfile import FIGURES

CLIENT = SeedSigner(bytes(31) + b"c")


@pytest.fixture
def offer_folder(folder: Path, story: Story) -> Path:
    parties = dict(story.policy.parties) | {Role.CLIENT: (CLIENT.public_key,)}
    (folder / "own-policy").write_text(TrustPolicy(story.policy.tlog, parties).encode())
    (folder / "terms.toml").write_text(FIGURES)
    write_seed(folder / "client.key", bytes(31) + b"c")
    return folder


def offer_words(folder: Path) -> list[object]:
    return [
        "offer", "--terms", folder / "terms.toml", "--policy", folder / "own-policy",
        "--key", folder / "client.key", "--out", folder / "offer.cose",
    ]  # fmt: skip


def test_keygen_makes_a_new_key_each_time_and_shows_it_again(tmp_path: Path, run: Run) -> None:
    one, two = run("keygen", tmp_path / "a"), run("keygen", tmp_path / "b")
    assert one.code == two.code == 0
    assert one.out != two.out
    assert re.fullmatch(r"ed25519:[\w-]{43}\nthumbprint [0-9a-f]{64}\n", one.out)
    assert run("keygen", tmp_path / "a", "--show").out == one.out
    if os.name == "posix":
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_keygen_never_replaces_a_key_and_never_prints_the_seed(tmp_path: Path, run: Run) -> None:
    made = run("keygen", tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    again = run("keygen", tmp_path / "key")
    assert (again.code, again.out) == (2, "")
    assert (tmp_path / "key").read_bytes() == before
    assert before.decode().split(":")[1].strip() not in made.out + made.err + again.err


def test_an_offer_is_signed_by_the_client_and_says_its_terms(offer_folder: Path, run: Run) -> None:
    done = run(*offer_words(offer_folder))
    assert (done.code, done.err) == (0, "")
    statement = Statement.parse((offer_folder / "offer.cose").read_bytes())
    statement.verify_signature(CLIENT.public_key)
    record = read_record(statement)
    assert isinstance(record, Offer)
    assert record.terms.client == CLIENT.public_key
    for sentence in plain_language(record.terms):
        assert f"- {sentence}\n" in done.out
    told = run("terms", offer_folder / "offer.cose")
    assert told.code == 0
    assert told.out.splitlines()[1:] == done.out.splitlines()[1:]


def test_an_offer_overwrites_nothing(offer_folder: Path, run: Run) -> None:
    (offer_folder / "offer.cose").write_text("mine")
    done = run(*offer_words(offer_folder))
    assert (done.code, done.out) == (2, "")
    assert (offer_folder / "offer.cose").read_text() == "mine"


def test_an_offer_with_the_wrong_key_is_refused(offer_folder: Path, run: Run) -> None:
    (offer_folder / "client.key").unlink()
    write_seed(offer_folder / "client.key", bytes(31) + b"x")
    done = run(*offer_words(offer_folder))
    assert done.code == 2
    assert "do not agree on the client" in done.err
    assert not (offer_folder / "offer.cose").exists()


def test_terms_come_from_a_bundle_too(folder: Path, run: Run, story: Story) -> None:
    done = run("terms", folder / "bundle")
    assert done.code == 0
    assert done.out.startswith("acceptance of engagement ")
    for sentence in plain_language(story.agent.terms):
        assert f"- {sentence}\n" in done.out


def test_terms_that_another_key_signed_end_with_1(folder: Path, run: Run, story: Story) -> None:
    record = story.agent.made[0][1]
    forged = sign(record, CLIENT)
    (folder / "forged.cose").write_bytes(forged.encode())
    done = run("terms", folder / "forged.cose")
    assert (done.code, done.out) == (1, "")
    assert "not signed by the client that it names" in done.err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd2\x84", b"round_ms = 1\n"])
def test_terms_of_what_has_none_are_one_sentence(tmp_path: Path, run: Run, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    done = run("terms", tmp_path / "file")
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"workseal: [^\n]+\n", done.err)


def test_a_statement_without_terms_is_one_sentence(folder: Path, run: Run, story: Story) -> None:
    segment = story.agent.made[3][0]
    (folder / "segment.cose").write_bytes(segment.encode())
    done = run("terms", folder / "segment.cose")
    assert done.code == 2
    assert "has no terms" in done.err
