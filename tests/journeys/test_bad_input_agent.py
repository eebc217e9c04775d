"""Bad input to `workseal-agent` before any work: homes, passphrases, offers, damaged files."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from parties import PASSPHRASE
from stages import RECORDED
from support.world import REPLAY, Done, Worker, World, unharmed
from workseal_protocol.cli.seeds import read_signer
from workseal_protocol.keys import PublicKey
from workseal_protocol.records import Offer, read_record, sign
from workseal_protocol.statement import Statement

pytestmark = pytest.mark.journey
pytest_plugins = ["support.told"]

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def fresh(world: World) -> Worker:
    """Return a freelancer who has keys and no engagement."""
    worker = Worker(world.folder / "fresh", {})
    worker.agent("init", "--verifier", world.server.url)
    return worker


@pytest.fixture
def copied(world: World, tmp_path: Path) -> Worker:
    return world.freelancer.copy(tmp_path / "freelancer")


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("start",),
        ("withdraw", "1", "--reason", "private", "--yes"),
    ],
    ids=lambda words: words[0],
)
def test_without_a_home_each_command_says_how_to_make_one(
    world: World, tmp_path: Path, words: tuple[str, ...]
) -> None:
    home = tmp_path / "nowhere"
    told = world.freelancer.attempt("--home", home, *words).told(1)
    assert "workseal-agent init" in told
    assert not home.exists()


def test_a_home_is_never_made_twice(world: World) -> None:
    with unharmed(world.freelancer):
        assert "never replaced" in world.freelancer.attempt("init").told(1)


@pytest.mark.parametrize(
    ("words", "passphrase", "named"),
    [
        ((), "short", "8 characters"),
        (("--verifier", "http://elsewhere.example"), PASSPHRASE, "https://"),
        (("--verifier", "http://127.0.0.1:99999"), PASSPHRASE, "https://"),
    ],
)
def test_a_refused_init_leaves_no_home(
    world: World, tmp_path: Path, words: tuple[str, ...], passphrase: str | None, named: str
) -> None:
    home = tmp_path / "home"
    variables = {"env": {"WORKSEAL_PASSPHRASE": passphrase}}
    done = world.freelancer.attempt("--home", home, "init", *words, **variables)
    assert named in done.told(2)
    assert not home.exists()


def test_a_home_that_is_a_file_stays_one(world: World, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("mine")
    assert "home folder" in world.freelancer.attempt("--home", home, "init").told(2)
    assert home.read_text() == "mine"


@pytest.mark.parametrize("content", [None, b"wrong passphrase\n"])
def test_a_passphrase_file_that_opens_nothing_is_refused(
    world: World, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "passphrase"
    if content is not None:
        file.write_bytes(content)
    opened = content is not None and content.isascii()
    with unharmed(world.freelancer):
        done = world.freelancer.attempt(
            "--passphrase-file", file, "withdraw", "2", "--reason", "other", "--yes"
        )
        assert "passphrase" in done.told(1 if opened else 2)


@pytest.mark.parametrize(
    "words",
    [
        ("start", *REPLAY),
        ("export", "never.workseal", "--no-receipts"),
    ],
    ids=["start", "export"],
)
def test_a_wrong_passphrase_does_nothing(world: World, words: tuple[str, ...]) -> None:
    with unharmed(world.freelancer, world.server):
        done = world.freelancer.attempt(*words, env={"WORKSEAL_PASSPHRASE": "quite another"})
        assert "passphrase does not open the key" in done.told(1)
    assert not (world.freelancer.folder / "never.workseal").exists()


def flipped(world: World, at: int) -> bytes:
    data = bytearray(world.offer.read_bytes())
    data[at] ^= 1
    return bytes(data)


OFFERS: dict[str, tuple[Callable[[World], bytes], int]] = {
    "picture": (lambda _: (RECORDED / "00.png").read_bytes(), 2),
    "truncated": (lambda world: world.offer.read_bytes()[:-1], 2),
    "request": (lambda world: world.request.read_bytes(), 2),
    "tampered": (lambda world: flipped(world, -3), 1),
    "for another": (lambda world: world.offer.read_bytes(), 1),
}


@pytest.mark.parametrize("name", OFFERS)
def test_an_offer_that_is_none_or_for_another_is_not_accepted(
    world: World, fresh: Worker, tmp_path: Path, name: str
) -> None:
    make, code = OFFERS[name]
    offer = tmp_path / "offer.cose"
    offer.write_bytes(make(world))
    with unharmed(fresh, world.server):
        assert "offer" in fresh.attempt("join", offer, "--yes").told(code)


def test_terms_in_a_time_zone_that_nobody_knows_are_not_accepted(
    world: World, fresh: Worker, tmp_path: Path
) -> None:
    true = read_record(Statement.parse(world.offer.read_bytes()))
    assert isinstance(true, Offer)
    own = PublicKey.parse_text(fresh.public_key())
    terms = replace(true.terms, zone="Moon/Sea", freelancer=own)
    signer = read_signer(world.client.folder / "key")
    offer = tmp_path / "offer.cose"
    offer.write_bytes(sign(replace(true, terms=terms), signer).encode())
    with unharmed(fresh, world.server):
        assert "time zone" in fresh.attempt("join", offer, "--yes").told(1)


@pytest.mark.parametrize("name", ["missing", "folder", "long"])
def test_an_offer_that_cannot_be_read_is_not_accepted(
    world: World, fresh: Worker, tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "long").write_bytes(bytes(1 << 20))
    with unharmed(fresh, world.server):
        fresh.attempt("join", tmp_path / name, "--yes").told(2)


def test_without_an_engagement_nothing_is_recorded_or_exported(fresh: Worker) -> None:
    with unharmed(fresh):
        for words in (
            ("start", *REPLAY),
            ("export", "never.workseal"),
            ("declare", "--begin", "2026-01-01T10:00", "--end", "2026-01-01T11:00", "--memo", "x"),
        ):
            assert "workseal-agent join" in fresh.attempt(*words).told(1), words
        assert "no engagement" in fresh.attempt("status").fine()
    assert not (fresh.folder / "never.workseal").exists()


def test_joining_needs_the_verifier_and_a_yes(world: World, tmp_path: Path) -> None:
    worker = Worker(tmp_path / "worker", {})
    worker.agent("init")
    policy, offer = tmp_path / "policy", tmp_path / "offer.cose"
    policy.write_text(world.policy_text(freelancer=worker.public_key()))
    world.make_offer(world.client, offer, policy)
    with unharmed(worker, world.server):
        assert "--verifier" in worker.attempt("join", offer, "--yes").told(2)
        told = worker.attempt("join", offer, "--verifier", NOWHERE, "--yes").told(1)
        assert "no answer from the verifier" in told
        told = worker.attempt("join", offer, "--verifier", world.server.url).told(1)
        assert "nothing was signed" in told
    worker.attempt("join", offer, "--verifier", world.server.url, "--yes").fine()
    with unharmed(worker, world.server):
        worker.attempt("join", offer, "--verifier", world.server.url, "--yes").fine()


@pytest.mark.parametrize("name", ["random", "empty", "missing", "half"])
def test_a_damaged_ledger_is_told_and_never_begun_anew(copied: Worker, name: str) -> None:
    ledger = copied.home / "ledger.sqlite"
    data = ledger.read_bytes()
    half = data[: len(data) // 2] + bytes(len(data) - len(data) // 2)
    changed = {"random": bytes(range(256)) * 64, "empty": b"", "half": half}
    ledger.unlink()
    if name in changed:
        ledger.write_bytes(changed[name])
    words = ("start", "--foreground", *REPLAY) if name == "half" else ("status", "--json")
    assert "ledger" in copied.attempt(*words).told(1)
    assert not ledger.exists() if name == "missing" else ledger.read_bytes() == changed[name]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE statements SET body = x'00' WHERE seq = 1", ("start", "--foreground", *REPLAY)),
        ("UPDATE engagements SET offer = x'0102'", ("status",)),
        ("UPDATE checkpoints SET body = x'0102'", ("start", "--foreground", *REPLAY)),
        ("PRAGMA user_version = 99", ("status",)),
    ],
)
def test_a_changed_row_of_the_ledger_is_told(
    copied: Worker, change: str, words: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(copied.home / "ledger.sqlite")) as sql:
        sql.execute(change)
        sql.commit()
    with unharmed(copied):
        told: Done = copied.attempt(*words)
        assert any(word in told.told(1) for word in ("ledger", "damaged")), told.err


@pytest.mark.parametrize(
    ("file", "content", "code", "named"),
    [
        ("keys", b"no keys", 1, "key file"),
        ("config.toml", b"[verifier", 2, "config.toml"),
        ("config.toml", b"[colour]\n", 2, "colour"),
    ],
)
def test_damaged_keys_and_settings_are_told(
    copied: Worker, file: str, content: bytes, code: int, named: str
) -> None:
    (copied.home / file).write_bytes(content)
    with unharmed(copied):
        assert named in copied.attempt("start", "--foreground", *REPLAY).told(code)


@pytest.mark.parametrize(
    "words",
    [(), ("nonsense",), ("mode", "asleep")],
    ids=" ".join,
)
def test_wrong_words_show_the_usage(world: World, words: tuple[str, ...]) -> None:
    assert "--help" in world.freelancer.attempt(*words).usage()


def test_an_engagement_that_nobody_joined_is_refused(world: World) -> None:
    told = world.freelancer.attempt("--engagement", "ffffffff", "status").told(2)
    assert "no such engagement" in told
