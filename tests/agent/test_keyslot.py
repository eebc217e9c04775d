import pytest

from workseal_agent.keyslot import Box, Cost, Key, Slot, SlotKind
from workseal_protocol.errors import MalformedError

PUBLICS = (bytes(32), bytes(1216))
KEYS = {Key.SIGNING: b"s" * 32, Key.VAULT: b"v" * 96}
SECRET = {Key.SIGNING: b"1" * 32, Key.VAULT: b"2" * 32}
SLOT = Slot.seal(7, SlotKind.KEYRING, PUBLICS, KEYS, SECRET)


def test_a_slot_opens_each_key_by_its_own_secret() -> None:
    for key in Key:
        assert SLOT.open(key, SECRET[key], PUBLICS) == KEYS[key]
    assert SLOT.open(Key.VAULT, SECRET[Key.SIGNING], PUBLICS) is None


def test_read_is_the_inverse_of_to_value() -> None:
    alone = Slot.seal(8, SlotKind.KEYRING, PUBLICS, {Key.SIGNING: b"s" * 32}, SECRET)
    for slot in (SLOT, alone):
        assert Slot.read(slot.to_value()) == slot
    assert (SLOT.whole, alone.whole) == (True, False)
    assert alone.open(Key.VAULT, SECRET[Key.VAULT], PUBLICS) is None


@pytest.mark.parametrize(
    ("number", "kind", "publics"),
    [
        pytest.param(8, SlotKind.KEYRING, PUBLICS, id="number"),
        pytest.param(7, SlotKind.WORDS, PUBLICS, id="kind"),
        pytest.param(7, SlotKind.KEYRING, (b"x" * 32, PUBLICS[1]), id="signing key"),
        pytest.param(7, SlotKind.KEYRING, (PUBLICS[0], b"x" * 1216), id="vault key"),
    ],
)
def test_a_box_opens_in_its_own_place_alone(
    number: int, kind: SlotKind, publics: tuple[bytes, bytes]
) -> None:
    moved = Slot(number, kind, None, SLOT.boxes)
    assert moved.open(Key.SIGNING, SECRET[Key.SIGNING], publics) is None


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Slot(0, SlotKind.KEYRING, None, SLOT.boxes), id="no number"),
        pytest.param(lambda: Slot(65_536, SlotKind.KEYRING, None, SLOT.boxes), id="too great"),
        pytest.param(lambda: Slot(1, SlotKind.PASSPHRASE, None, SLOT.boxes), id="not stretched"),
        pytest.param(lambda: Slot(1, SlotKind.WORDS, Cost(), SLOT.boxes), id="stretched"),
        pytest.param(lambda: Slot(1, SlotKind.KEYRING, None, {}), id="opens nothing"),
        pytest.param(
            lambda: Slot(1, SlotKind.WORDS, None, {Key.SIGNING: SLOT.boxes[Key.SIGNING]}),
            id="half a sheet",
        ),
    ],
)
def test_a_slot_cannot_be_wrong(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"slot|stretched"):
        make()


def test_a_box_has_exact_lengths() -> None:
    salt, nonce, sealed = SLOT.boxes[Key.SIGNING].to_value()
    assert isinstance(sealed, bytes)
    for value in (
        [salt, nonce, sealed + b"x"],
        [salt, nonce],
        [salt, nonce, sealed, b""],
        [salt, nonce, "text"],
        0,
    ):
        with pytest.raises(MalformedError):
            Box.read(value, Key.SIGNING)
