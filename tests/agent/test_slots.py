import re
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.errors import KeyringLocked

from support.keyrings import MemoryKeyring
from support.typed import PASSPHRASE, Done, Typed, typed_in
from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.config import Settings
from workseal_agent.keystore import Key, Keystore
from workseal_agent.recoverywords import secret_of

OLD = Path(__file__).parent.parent / "vectors" / "keystore-v1.hex"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home")


@pytest.fixture
def run(
    home: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Typed:
    run = typed_in(home.home, monkeypatch, capfd)
    assert run("init").code == 0
    return run


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def words_in(done: Done) -> str:
    shown = done.out.split("shown once:")[1].split("slot")[0]
    return " ".join(re.findall(r"\d+ ([a-z]+)", shown))


def without_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSPHRASE_VARIABLE)


def test_words_on_paper_open_what_the_passphrase_opens(
    run: Typed, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("slots", "add", "words", "--yes")
    assert done.code == 0, done.err
    words = words_in(done)
    store = Keystore.load(home.keys_file)
    assert store.unlock_vault(words) == store.unlock_vault(PASSPHRASE)
    assert [line.split()[0] for line in run("slots", "list").out.splitlines()] == [
        "slot", "1", "2",
    ]  # fmt: skip
    assert words not in run("slots", "list").out
    # A passphrase that was forgotten: the words make a new one.
    without_passphrase(monkeypatch)
    done = run("slots", "passphrase", lines=(words.upper(), "a new passphrase", "a new passphrase"))
    assert done.code == 0, done.err
    store = Keystore.load(home.keys_file)
    assert store.unlock_vault("a new passphrase") == store.unlock_vault(words)
    assert "copy of the key file that was made before still opens" in done.out


def test_words_that_nobody_wrote_down_open_nothing(run: Typed, home: Settings) -> None:
    before = home.keys_file.read_bytes()
    for answer in (("n",), ()):
        done = run("slots", "add", "words", lines=answer)
        assert (done.code, "these words open nothing" in done.err) == (1, True)
        assert secret_of(words_in(done))
    assert home.keys_file.read_bytes() == before


def test_a_slot_goes_only_when_another_one_was_shown_to_work(
    run: Typed, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("slots", "remove", "1")
    assert (done.code, "must remain" in done.err) == (1, True)
    words = words_in(run("slots", "add", "words", "--yes"))
    before = home.keys_file.read_bytes()
    done = run("slots", "remove", "1")
    assert (done.code, "type what opens one of the others" in done.err) == (1, True)
    assert run("slots", "remove", "7").code == 1
    assert home.keys_file.read_bytes() == before
    without_passphrase(monkeypatch)
    done = run("slots", "remove", "1", lines=(words,))
    assert done.code == 0, done.err
    (left,) = Keystore.load(home.keys_file).slots
    assert left.number == 2


def test_a_new_passphrase_comes_from_a_file_or_is_typed_twice(
    run: Typed, home: Settings, tmp_path: Path
) -> None:
    before = home.keys_file.read_bytes()
    file = tmp_path / "new"
    file.write_text("short\n")
    for words, lines, sentence in (
        (("--new-passphrase-file", file), None, "at least 8"),
        ((), None, "typed on a terminal"),
        ((), ("one passphrase", "another one"), "differ"),
        (("--new-passphrase-file", tmp_path / "absent"), None, "cannot be read"),
    ):
        done = run("slots", "passphrase", *words, lines=lines)
        assert (done.code, sentence in done.err) == (2, True), done.err
    assert home.keys_file.read_bytes() == before
    file.write_text("from a file\n")
    assert run("slots", "passphrase", "--new-passphrase-file", file).code == 0
    assert Keystore.load(home.keys_file).unlock_seed("from a file")


def test_a_keyring_opens_without_being_asked(
    run: Typed, home: Settings, memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("slots", "add", "keyring").code == 0
    assert len(memory.kept) == 2
    without_passphrase(monkeypatch)
    assert run("frames", "--check").code == 0
    # Opening the vault fetched nothing of the key that signs.
    slot = Keystore.load(home.keys_file).slots[-1]
    assert set(memory.asked[2:]) == {slot.boxes[Key.VAULT].salt.hex()}
    done = run("slots", "add", "words", "--yes")
    assert (done.code, "no passphrase" in done.err) == (2, True)
    memory.error = KeyringLocked("/home/ada")
    done = run("frames", "--check")
    assert done.code == 1
    assert "keyring is locked, and was not unlocked; the passphrase opens it too" in done.err
    assert run("frames", "--check", lines=(PASSPHRASE,)).code == 0


def test_a_keyring_for_recording_alone_opens_no_picture(
    run: Typed, memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("slots", "add", "keyring", "--recording-only")
    assert "keyring opens recording alone" in done.out
    assert len(memory.kept) == 1
    without_passphrase(monkeypatch)
    done = run("frames", "--check")
    assert (done.code, "no passphrase" in done.err) == (2, True)
    assert run("slots", "add", "words", "--recording-only").code == 2


def test_a_removed_keyring_forgets(run: Typed, memory: MemoryKeyring) -> None:
    for _ in range(2):
        assert run("slots", "add", "keyring").code == 0
        assert len(memory.kept) == 2
    assert run("slots", "remove", "3").code == 0
    assert memory.kept == {}


def test_a_keyring_that_fails_leaves_the_file_as_it_was(
    run: Typed, home: Settings, memory: MemoryKeyring
) -> None:
    before = home.keys_file.read_bytes()
    memory.error = KeyringLocked()
    done = run("slots", "add", "keyring")
    assert (done.code, "is locked" in done.err) == (1, True)
    assert home.keys_file.read_bytes() == before


def test_a_file_that_cannot_be_written_leaves_nothing_in_the_keyring(
    run: Typed, memory: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        done = run("slots", "add", "keyring")
    assert (done.code, "No space left" in done.err) == (1, True)
    assert memory.kept == {}


def test_an_old_file_opens_and_its_first_change_makes_it_a_new_one(
    run: Typed, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "workseal test vector")
    old = bytes.fromhex(OLD.read_text())
    home.keys_file.write_bytes(old)
    assert run("frames", "--check").code == 0
    assert "passphrase" in run("slots", "list").out
    assert home.keys_file.read_bytes() == old
    words = words_in(run("slots", "add", "words", "--yes"))
    store = Keystore.load(home.keys_file)
    assert store.version == 2
    assert store.unlock_vault(words) == Keystore.parse(old).unlock_vault("workseal test vector")


def test_a_wrong_passphrase_changes_nothing(
    run: Typed, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = home.keys_file.read_bytes()
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "not this one")
    for words in (("add", "words", "--yes"), ("add", "keyring"), ("passphrase",)):
        done = run("slots", *words)
        assert (done.code, "does not open" in done.err) == (1, True), done.err
    assert home.keys_file.read_bytes() == before
