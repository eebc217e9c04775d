import stat
import unicodedata
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st

from workseal_agent.errors import KeystoreError, WrongPassphraseError
from workseal_agent.keystore import Cost, Keystore
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError

PASSPHRASE = "correct horse ä"  # noqa: S105 - of this test only
SEED = bytes(range(32))
VAULT = bytes(range(96))
VECTOR = Path(__file__).parent.parent / "vectors" / "keystore-v1.hex"


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
    salts = [cbor2.loads(item.encode())[number][0] for item in (store, again) for number in (5, 6)]
    assert len(set(salts)) == 4


def test_any_changed_field_keeps_the_keys_shut(store: Keystore) -> None:
    other = Keystore.seal(bytes(32), generate_private(), PASSPHRASE)
    raw, foreign = cbor2.loads(store.encode()), cbor2.loads(other.encode())
    for changed in (
        raw | {2: [65_537, 3, 4]},
        raw | {3: foreign[3]},
        raw | {4: foreign[4]},
        raw | {5: [raw[6][0], *raw[5][1:]]},
        raw | {5: [*raw[5][:2], bytes(48)]},
        raw | {5: foreign[5]},
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
    ],
)
def test_refuses_a_cost_out_of_bounds(store: Keystore, cost: list[int]) -> None:
    value = cbor2.loads(store.encode()) | {2: cost}
    with pytest.raises(MalformedError):
        Keystore.parse(encode(value))


def test_refuses_an_unknown_version_and_an_unknown_key(store: Keystore) -> None:
    value = cbor2.loads(store.encode())
    for changed in (value | {1: 2}, value | {7: 0}):
        with pytest.raises(MalformedError):
            Keystore.parse(encode(changed))


@given(st.binary(max_size=120), st.integers(0, 1600), st.integers(0, 255))
def test_parse_raises_only_malformed(store: Keystore, tail: bytes, at: int, byte: int) -> None:
    good = store.encode()
    for data in (tail, good + tail, good[:at] + bytes([byte]) + good[at + 1 :]):
        try:
            assert Keystore.parse(data).encode() == data
        except MalformedError:
            continue


def test_opens_the_published_vector() -> None:
    data = bytes.fromhex(VECTOR.read_text())
    assert Keystore.parse(data).unlock_vault("workseal test vector") == VAULT
    assert Keystore.parse(data).unlock_signer("workseal test vector").public_key.raw.hex() == (
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    )


def test_the_file_is_what_its_description_says(store: Keystore) -> None:
    value = cbor2.loads(store.encode())
    memory, passes, lanes = value[2]
    assert (memory, passes, lanes) == (65_536, 3, 4)  # RFC 9106, section 4, second choice
    head = cbor2.dumps({key: value[key] for key in (1, 2, 3, 4)})
    for number, key in ((5, SEED), (6, VAULT)):
        salt, nonce, sealed = value[number]
        kdf = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
        stretched = kdf.derive(PASSPHRASE.encode())
        bound = b"workseal/keystore/v1" + bytes([number]) + head
        assert AESGCM(stretched).decrypt(nonce, sealed, bound) == key


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
    sealed = cbor2.loads(store.encode())[6][2]
    shown = repr(store) + repr(store.unlock_signer(PASSPHRASE))
    for secret in (SEED, VAULT, sealed):
        assert repr(secret)[2:20] not in shown
        assert secret.hex()[:16] not in shown


def test_the_default_cost_is_the_least_allowed() -> None:
    assert Cost() == Cost(65_536, 3, 4)
