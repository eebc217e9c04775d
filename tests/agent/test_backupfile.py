import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.vaults import PRIVATE
from workseal_agent.backupfile import (
    CONTEXT,
    MAGIC,
    Door,
    KeyDoor,
    TypedDoor,
    UnknownMakerError,
    end_backup,
    open_backup,
    padded,
    start_backup,
)
from workseal_agent.backupmaker import maker_secret
from workseal_agent.errors import WrongPassphraseError
from workseal_agent.keystore import Cost, Key, Keystore, SlotKind
from workseal_agent.recoverywords import RecoveryWordsError, words_of
from workseal_agent.sealedstream import SealedStreamError
from workseal_agent.vaultkey import SealingKey
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner

PASSPHRASE = "correct horse ä"  # noqa: S105 - of this test only
SECRET = bytes(range(32))
WORDS = " ".join(words_of(SECRET))
SEED = bytes(range(32))


def store() -> Keystore:
    keys = {Key.SIGNING: SEED, Key.VAULT: PRIVATE}
    made = Keystore.seal(SEED, PRIVATE, PASSPHRASE)
    return made.with_secret(SlotKind.WORDS, keys, dict.fromkeys(Key, SECRET))


def written(door: Callable[[bytes], Door], content: bytes = b"content") -> bytes:
    file = io.BytesIO()
    stream = start_backup(file, door)
    stream.write(content)
    end_backup(stream)
    return file.getvalue()


def typed_door(kind: SlotKind, typed: str) -> Callable[[bytes], Door]:
    return lambda file_key: TypedDoor.seal(kind, typed, file_key, Cost())


STORE = store()
BY_PASSPHRASE = written(typed_door(SlotKind.PASSPHRASE, PASSPHRASE))
BY_WORDS = written(typed_door(SlotKind.WORDS, WORDS))
MAKER = maker_secret(SeedSigner(SEED))
BY_KEY = written(lambda file_key: KeyDoor.seal(STORE, file_key, MAKER))


def by_anybody(file_key: bytes, *, vouched: bool = False) -> Door:
    """Seal as whoever knows the key file can, and as files of before were sealed."""
    sealed = SealingKey(STORE.vault_public).seal(file_key, CONTEXT)
    return KeyDoor(STORE.encode(), sealed, vouched=vouched)


@pytest.mark.parametrize(
    ("data", "typed"),
    [
        pytest.param(BY_PASSPHRASE, PASSPHRASE, id="passphrase"),
        pytest.param(BY_WORDS, WORDS.upper(), id="words"),
        pytest.param(BY_KEY, PASSPHRASE, id="unattended, by passphrase"),
        pytest.param(BY_KEY, WORDS, id="unattended, by words"),
    ],
)
def test_opens_by_what_opens_the_home(data: bytes, typed: str) -> None:
    stream = open_backup(io.BytesIO(data), typed)
    assert stream.read(7) == b"content"
    stream.finish()


@pytest.mark.parametrize("data", [BY_PASSPHRASE, BY_WORDS, BY_KEY])
def test_does_not_open_by_anything_else(data: bytes) -> None:
    with pytest.raises(WrongPassphraseError):
        open_backup(io.BytesIO(data), "incorrect horse")


def test_who_has_a_backup_and_not_the_home_cannot_make_another() -> None:
    forged = written(lambda file_key: KeyDoor.seal(STORE, file_key, bytes(32)))
    with pytest.raises(SealedStreamError):
        open_backup(io.BytesIO(forged), PASSPHRASE).read(7)
    # Nor does the word of the header help, put on a content that is not bound to the secret.
    said = written(lambda file_key: by_anybody(file_key, vouched=True))
    with pytest.raises(SealedStreamError):
        open_backup(io.BytesIO(said), PASSPHRASE).read(7)


def test_what_anybody_could_have_made_opens_only_if_that_is_wanted() -> None:
    data = written(by_anybody)
    with pytest.raises(UnknownMakerError, match="nothing shows who made this backup"):
        open_backup(io.BytesIO(data), PASSPHRASE)
    stream = open_backup(io.BytesIO(data), PASSPHRASE, unknown_maker=True)
    assert stream.read(7) == b"content"
    stream.finish()


def test_the_makers_secret_is_in_no_backup_and_no_repr() -> None:
    for data in (BY_PASSPHRASE, BY_WORDS, BY_KEY):
        assert MAKER not in data
    assert repr(MAKER) not in repr(KeyDoor.seal(STORE, bytes(32), MAKER))


def test_a_mistyped_word_is_told_as_such() -> None:
    with pytest.raises(RecoveryWordsError, match="do not belong together"):
        open_backup(io.BytesIO(BY_WORDS), " ".join(["zoo", *WORDS.split()[1:]]))


def test_shows_nothing_of_whose_it_is_unless_it_was_made_unattended() -> None:
    for data, shown in ((BY_PASSPHRASE, False), (BY_WORDS, False), (BY_KEY, True)):
        assert (STORE.signing_public in data) is shown
        assert (STORE.vault_public[:32] in data) is shown


@pytest.mark.parametrize("at", [12, 20, 40, 60, 90])
@pytest.mark.parametrize(("data", "typed"), [(BY_PASSPHRASE, PASSPHRASE), (BY_WORDS, WORDS)])
def test_a_changed_header_opens_nothing(data: bytes, typed: str, at: int) -> None:
    changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with pytest.raises((MalformedError, WrongPassphraseError, SealedStreamError)):
        open_backup(io.BytesIO(changed), typed).finish()


def test_a_changed_key_of_an_unattended_backup_opens_nothing() -> None:
    at = BY_KEY.index(STORE.encode()) + len(STORE.encode()) + 100
    changed = BY_KEY[:at] + bytes([BY_KEY[at] ^ 1]) + BY_KEY[at + 1 :]
    with pytest.raises(WrongPassphraseError):
        open_backup(io.BytesIO(changed), PASSPHRASE)


def test_the_content_is_bound_to_the_header() -> None:
    """The same file key under another header does not open the content."""
    keys = []

    def door(file_key: bytes) -> Door:
        keys.append(file_key)
        return TypedDoor.seal(SlotKind.WORDS, WORDS, file_key, Cost())

    data = written(door)
    other = written(lambda _: TypedDoor.seal(SlotKind.WORDS, WORDS, keys[0], Cost()))
    assert len(other) == len(data)
    mixed = other[: len(other) - len(data[-23:])] + data[-23:]
    with pytest.raises(SealedStreamError):
        open_backup(io.BytesIO(mixed), WORDS).read(7)


def header(value: object) -> bytes:
    data = encode(value)  # type: ignore[arg-type]
    return MAGIC + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 something", id="another file"),
        pytest.param(MAGIC, id="ends in its length"),
        pytest.param(MAGIC[:-1] + b"\x02" + BY_WORDS[9:], id="a version to come"),
        pytest.param(BY_WORDS[:40], id="ends in its header"),
        pytest.param(MAGIC + b"\xff" * 4, id="a header without end"),
        pytest.param(header({1: 1}), id="a map"),
        pytest.param(header([9, [], bytes(16), bytes(12), bytes(48)]), id="unknown kind"),
        pytest.param(header([2, [], bytes(16), bytes(12), bytes(48)]), id="a keyring"),
        pytest.param(header([1, [], bytes(16), bytes(12), bytes(48)]), id="no cost"),
        pytest.param(header([1, [2**32, 3, 4], bytes(16), bytes(12), bytes(48)]), id="memory"),
        pytest.param(header([3, [1], bytes(16), bytes(12), bytes(48)]), id="words with a cost"),
        pytest.param(header([3, [], bytes(15), bytes(12), bytes(48)]), id="a short salt"),
        pytest.param(header([b"keys", bytes(1168)]), id="no key file"),
        pytest.param(header([STORE.encode(), bytes(7)]), id="a short sealed key"),
        pytest.param(header([STORE.encode(), bytes(1168), 2]), id="vouched for otherwise"),
        pytest.param(header([STORE.encode(), bytes(1168), 1, 1]), id="something after it"),
    ],
)
def test_what_is_no_backup_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        open_backup(io.BytesIO(data), PASSPHRASE)


@given(st.integers(0, 1 << 50))
def test_a_length_grows_by_an_eighth_at_most_and_is_one_of_few(size: int) -> None:
    assert size <= padded(size) <= size * 1.12 + 1
    assert padded(padded(size)) == padded(size)


def test_lengths_that_are_near_are_one() -> None:
    assert len({padded(size) for size in range(10**9, 10**9 + 10**6)}) <= 2
    sizes = [len(written(typed_door(SlotKind.WORDS, WORDS), bytes(n))) for n in (99_500, 100_000)]
    assert sizes[0] == sizes[1]
