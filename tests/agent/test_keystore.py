import stat
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.errors import KeystoreError, WrongPassphraseError
from workseal_agent.keystore import MAX_FILE_BYTES, Cost, Key, Keystore, Slot, SlotKind
from workseal_agent.recoverywords import words_of
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError

PASSPHRASE = "correct horse ä"  # noqa: S105 - of this test only
SEED = bytes(range(32))
VAULT = bytes(range(96))
KEYS = {Key.SIGNING: SEED, Key.VAULT: VAULT}
SECRET = bytes(range(100, 132))
WITH = dict.fromkeys(Key, SECRET)
WORDS = " ".join(words_of(SECRET))
VECTORS = Path(__file__).parent.parent / "vectors"
OLD, NEW = (bytes.fromhex((VECTORS / f"keystore-v{n}.hex").read_text()) for n in (1, 2))


def with_words(store: Keystore) -> Keystore:
    return store.with_secret(SlotKind.WORDS, KEYS, WITH)


@pytest.fixture(scope="module")
def store() -> Keystore:
    return Keystore.seal(SEED, VAULT, PASSPHRASE)


def test_unlocks_what_was_sealed(store: Keystore) -> None:
    assert store.unlock_vault(PASSPHRASE) == VAULT
    signer = store.unlock_signer(PASSPHRASE)
    assert signer.public_key.raw == store.signing_public
    signer.public_key.verify(signer.sign(b"message"), b"message")
    assert store.vault_public == public_of(VAULT)


def test_parse_is_the_inverse_of_encode(store: Keystore) -> None:
    assert Keystore.parse(store.encode()) == store


def test_refuses_a_wrong_passphrase(store: Keystore) -> None:
    for unlock in (store.unlock_signer, store.unlock_vault):
        with pytest.raises(WrongPassphraseError) as caught:
            unlock("incorrect horse")
        assert "horse" not in str(caught.value)


def test_one_passphrase_in_two_spellings_is_one(store: Keystore) -> None:
    spelled = unicodedata.normalize("NFD", PASSPHRASE)
    assert spelled != PASSPHRASE
    assert store.unlock_vault(spelled) == VAULT


def test_refuses_a_short_passphrase() -> None:
    with pytest.raises(KeystoreError, match="at least 8"):
        Keystore.seal(SEED, VAULT, "seven77")


def test_the_two_keys_have_salts_of_their_own_and_new_ones_each_time(store: Keystore) -> None:
    again = Keystore.seal(SEED, VAULT, PASSPHRASE)
    salts = [box.salt for item in (store, again) for box in item.slots[0].boxes.values()]
    assert len(set(salts)) == 4


def test_any_changed_field_keeps_the_keys_shut(store: Keystore) -> None:
    other = Keystore.seal(bytes(32), generate_private(), PASSPHRASE)
    raw, foreign = cbor2.loads(store.encode()), cbor2.loads(other.encode())
    number, kind, cost, signing, vault = raw[5][0]
    for changed in (
        raw | {3: foreign[3]},
        raw | {4: foreign[4]},
        raw | {5: foreign[5]},
        raw | {2: 3, 5: [[2, kind, cost, signing, vault]]},
        raw | {5: [[number, kind, [65_537, 3, 4], signing, vault]]},
        raw | {5: [[number, 3, [], signing, vault]]},
        raw | {5: [[number, kind, cost, [vault[0], *signing[1:]], vault]]},
        raw | {5: [[number, kind, cost, [*signing[:2], bytes(48)], vault]]},
    ):
        with pytest.raises(WrongPassphraseError):
            Keystore.parse(encode(changed)).unlock_signer(PASSPHRASE)


@pytest.mark.parametrize(
    "cost",
    [
        pytest.param([65_535, 3, 4], id="too little memory"),
        pytest.param([2**32, 3, 4], id="all the memory"),
        pytest.param([65_536, 2, 4], id="too few passes"),
        pytest.param([65_536, 3, 0], id="no lanes"),
        pytest.param([65_536, 3], id="two numbers"),
        pytest.param([65_536, 3, b"4"], id="not a number"),
        pytest.param([], id="none"),
    ],
)
def test_refuses_a_cost_out_of_bounds(store: Keystore, cost: list[int]) -> None:
    value = cbor2.loads(store.encode())
    value[5][0][2] = cost
    old = cbor2.loads(OLD) | {2: cost}
    for changed in (value, old):
        with pytest.raises(MalformedError):
            Keystore.parse(encode(changed))


def changed_slots(change: Callable[[list[Any]], object]) -> Callable[[dict[int, Any]], object]:
    return lambda value: change(value[5])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda value: value.update({1: 3}), id="a version to come"),
        pytest.param(lambda value: value.update({1: 1}), id="another version's form"),
        pytest.param(lambda value: value.update({6: 0}), id="an unknown field"),
        pytest.param(lambda value: value.update({2: 2}), id="a next number that is taken"),
        pytest.param(changed_slots(lambda slots: slots.clear()), id="no slot"),
        pytest.param(changed_slots(lambda slots: slots.reverse()), id="out of order"),
        pytest.param(changed_slots(lambda slots: slots.append(slots[-1])), id="a number twice"),
        pytest.param(
            changed_slots(lambda slots: slots.append([3, *slots[0][1:]])), id="two passphrases"
        ),
        pytest.param(changed_slots(lambda slots: slots[0].append(0)), id="a longer slot"),
        pytest.param(changed_slots(lambda slots: slots[1].__setitem__(1, 9)), id="unknown kind"),
        pytest.param(
            changed_slots(lambda slots: slots[1].__setitem__(4, [])), id="words for one key"
        ),
        pytest.param(
            changed_slots(lambda slots: slots[1].__setitem__(3, [])), id="words for the other key"
        ),
        pytest.param(
            changed_slots(lambda slots: slots.extend([n, *slots[1][1:]] for n in range(3, 11))),
            id="too many",
        ),
    ],
)
def test_refuses_another_form(store: Keystore, change: Callable[[dict[int, Any]], object]) -> None:
    value = cbor2.loads(with_words(store).encode())
    value[2] = 20
    Keystore.parse(encode(value))
    change(value)
    with pytest.raises(MalformedError):
        Keystore.parse(encode(value))


@given(st.binary(max_size=120), st.integers(0, 1600), st.integers(0, 255))
def test_parse_raises_only_malformed(store: Keystore, tail: bytes, at: int, byte: int) -> None:
    good = store.encode()
    for data in (tail, good + tail, good[:at] + bytes([byte]) + good[at + 1 :]):
        try:
            assert Keystore.parse(data).encode() == data
        except MalformedError:
            continue


@pytest.mark.parametrize(
    ("data", "typed"),
    [
        pytest.param(OLD, "workseal test vector", id="version 1"),
        pytest.param(NEW, "workseal test vector", id="version 2"),
        pytest.param(NEW, " ".join(words_of(SECRET)), id="version 2, by words"),
    ],
)
def test_opens_the_published_vectors(data: bytes, typed: str) -> None:
    assert Keystore.parse(data).encode() == data
    assert Keystore.parse(data).unlock_vault(typed) == VAULT
    assert Keystore.parse(data).unlock_signer(typed).public_key.raw.hex() == (
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    )


def test_the_file_is_what_its_description_says(store: Keystore) -> None:
    value = cbor2.loads(with_words(store).encode())
    (_, _, (memory, passes, lanes), *_), (number, kind, cost, *_) = value[5]
    assert (memory, passes, lanes) == (65_536, 3, 4)  # RFC 9106, section 4, second choice
    assert (number, kind, cost, value[2]) == (2, 3, [], 3)
    for slot in value[5]:
        head = cbor2.dumps([*slot[:3], value[3], value[4]])
        for place, which, key in ((3, 5, SEED), (4, 6, VAULT)):
            salt, nonce, sealed = slot[place]
            if slot[1] == 1:
                wrapping = Argon2id(
                    salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory
                ).derive(PASSPHRASE.encode())
            else:
                info = b"workseal/keystore/v2"
                wrapping = HKDF(SHA256(), length=32, salt=salt, info=info).derive(SECRET)
            bound = b"workseal/keystore/v2" + bytes([which]) + head
            assert AESGCM(wrapping).decrypt(nonce, sealed, bound) == key


def test_each_way_opens_both_keys_and_nothing_else_does(store: Keystore) -> None:
    both = with_words(store)
    for typed in (PASSPHRASE, WORDS, WORDS.upper().replace(" ", "  ")):
        assert (both.unlock_seed(typed), both.unlock_vault(typed)) == (SEED, VAULT)
    other = " ".join(words_of(bytes(32)))
    for typed in (other, other + " more"):
        with pytest.raises(WrongPassphraseError, match="does not open"):
            both.unlock_seed(typed)
    with pytest.raises(WrongPassphraseError, match="do not belong together"):
        both.unlock_seed(" ".join(["zoo", *WORDS.split()[1:]]))


def test_a_passphrase_of_24_words_is_a_passphrase() -> None:
    long = " ".join(["correct"] * 24)
    store = with_words(Keystore.seal(SEED, VAULT, long))
    assert store.unlock_seed(long) == SEED


def test_a_new_passphrase_takes_the_place_of_the_old_one(store: Keystore) -> None:
    changed = with_words(store).with_passphrase(KEYS, "another passphrase")
    assert [slot.number for slot in changed.slots] == [2, 3]
    assert changed.unlock_seed("another passphrase") == changed.unlock_seed(WORDS) == SEED
    with pytest.raises(WrongPassphraseError):
        changed.unlock_seed(PASSPHRASE)


def test_a_number_is_never_given_twice(store: Keystore) -> None:
    again = with_words(with_words(store).without(2))
    assert [slot.number for slot in again.slots] == [1, 3]
    assert Keystore.parse(again.encode()) == again


def test_the_last_way_that_its_owner_carries_stays(store: Keystore) -> None:
    secret = dict.fromkeys(Key, SECRET)
    keyring = store.with_secret(SlotKind.KEYRING, KEYS, secret)
    for number in (1, 9):
        with pytest.raises(KeystoreError, match=r"must remain|no slot 9"):
            keyring.without(number)
    assert with_words(keyring).without(1).unlock_vault(WORDS) == VAULT
    assert keyring.without(2).slots == store.slots


def test_a_keyring_for_recording_gives_nothing_of_the_vault(store: Keystore) -> None:
    alone = {Key.SIGNING: SEED}
    keyring = store.with_secret(SlotKind.KEYRING, alone, {Key.SIGNING: SECRET})
    slot = keyring.slots[-1]
    assert keyring.unlock_by_secret(Key.SIGNING, slot, SECRET) == SEED
    for key, secret in ((Key.VAULT, SECRET), (Key.SIGNING, bytes(32))):
        with pytest.raises(KeystoreError, match="does not open"):
            keyring.unlock_by_secret(key, slot, secret)


def test_there_is_one_keyring_and_a_bound_on_sheets(store: Keystore) -> None:
    for _ in range(2):
        store = store.with_secret(SlotKind.KEYRING, KEYS, dict.fromkeys(Key, SECRET))
    assert [slot.kind for slot in store.slots] == [SlotKind.PASSPHRASE, SlotKind.KEYRING]
    for _ in range(6):
        store = with_words(store)
    assert len(store.encode()) < MAX_FILE_BYTES
    with pytest.raises(KeystoreError, match="remove one first"):
        with_words(store)


def test_an_old_file_stays_as_it_is_until_something_is_changed() -> None:
    old = Keystore.parse(OLD)
    with pytest.raises(ValueError, match="upgraded first"):
        with_words(old)
    new = with_words(old.upgraded("workseal test vector"))
    assert new.upgraded("whatever") is new
    assert (new.version, new.signing_public) == (2, old.signing_public)
    for typed in ("workseal test vector", WORDS):
        assert (new.unlock_seed(typed), new.unlock_vault(typed)) == (SEED, VAULT)
    with pytest.raises(WrongPassphraseError):
        old.upgraded("another passphrase")


def test_a_key_that_is_not_the_public_one_is_told(store: Keystore) -> None:
    other = Keystore.seal(bytes(32), VAULT, PASSPHRASE)
    publics = (store.signing_public, store.vault_public)
    slot = Slot.seal(1, SlotKind.WORDS, publics, {**KEYS, Key.SIGNING: bytes(32)}, WITH)
    mixed = replace(store, slots=(slot,))
    assert other.signing_public != store.signing_public
    with pytest.raises(KeystoreError, match="does not belong to its public key"):
        mixed.unlock_seed(WORDS)


def test_a_new_file_is_private_and_holds_new_keys(tmp_path: Path) -> None:
    first = Keystore.create(tmp_path / "keys", PASSPHRASE)
    second = Keystore.create(tmp_path / "other", PASSPHRASE)
    assert Keystore.load(tmp_path / "keys") == first
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    assert first.signing_public != second.signing_public
    assert first.vault_public != second.vault_public
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "other"]


def test_a_key_file_is_never_replaced(tmp_path: Path) -> None:
    Keystore.create(tmp_path / "keys", PASSPHRASE)
    before = (tmp_path / "keys").read_bytes()
    with pytest.raises(KeystoreError, match="never replaced"):
        Keystore.create(tmp_path / "keys", PASSPHRASE)
    assert (tmp_path / "keys").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_missing_or_damaged_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="cannot be read"):
        Keystore.load(tmp_path / "keys")
    (tmp_path / "keys").write_bytes(b"x" * 9000)
    with pytest.raises(KeystoreError, match="damaged"):
        Keystore.load(tmp_path / "keys")
    with pytest.raises(KeystoreError, match="cannot be written"):
        Keystore.create(tmp_path / "absent" / "keys", PASSPHRASE)


def test_no_repr_shows_a_key(store: Keystore) -> None:
    sealed = store.slots[0].boxes[Key.VAULT].sealed
    shown = repr(with_words(store)) + repr(store.unlock_signer(PASSPHRASE))
    for secret in (SEED, VAULT, SECRET, sealed):
        assert repr(secret)[2:20] not in shown
        assert secret.hex()[:16] not in shown


def test_the_default_cost_is_the_least_allowed() -> None:
    assert Cost() == Cost(65_536, 3, 4)
