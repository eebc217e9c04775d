"""Key statements are read when they are asked for: as if all were held, and few are."""

import pytest

from support.office import Office
from support.simulator import seeded
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    KeyAnnounce,
    KeyRevoke,
    KeyRotate,
    Record,
    RevocationReason,
    sign,
)
from workseal_verifier.services import loggedkeys
from workseal_verifier.services.keyevents import KeyBook, KeyEvents, logged_events
from workseal_verifier.services.loggedkeys import LoggedKeys
from workseal_verifier.store.keyrows import KeyRowStore


def key(word: object) -> SeedSigner:
    return SeedSigner(seeded(b"logged keys", word))


def announce(office: Office, signer: SeedSigner, recovery: SeedSigner | None = None) -> None:
    record = KeyAnnounce(
        claimed_at=office.now,
        public_key=signer.public_key,
        role=Role.FREELANCER,
        recovery=None if recovery is None else recovery.public_key.thumbprint,
    )
    post(office, record, signer)


def post(office: Office, record: Record, signer: SeedSigner) -> None:
    office.post([sign(record, signer)])


PEOPLE = [key(word) for word in range(6)]


@pytest.fixture
def lived(office: Office) -> Office:
    """Two people with a recovery key in common, one of whom has three keys, and a stranger."""
    first, second, third, other, recovery, stranger = PEOPLE
    announce(office, first, recovery)
    announce(office, recovery)
    announce(office, third)
    announce(office, other, recovery)
    for old, new in ((first, second), (second, third)):
        post(office, KeyRotate.make(claimed_at=office.now, old=old.public_key, new=new), old)
    ended = other.public_key.thumbprint
    reason = RevocationReason.LOST
    post(office, KeyRevoke(claimed_at=office.now, key=ended, reason=reason), recovery)
    announce(office, stranger)
    return office


def told(events: KeyEvents) -> list[object]:
    """Ask all that is ever asked, about everybody."""
    return [
        (
            events.version,
            events.about(name),
            events.came(name),
            events.lineage(name),
            events.vouching(name),
            events.announced(name),
            events.path(name),
            events.recoveries(name),
            events.history_of({Role.FREELANCER: (signer.public_key,)}),
        )
        for signer in PEOPLE
        for name in [signer.public_key.thumbprint]
    ]


@pytest.mark.parametrize("most", [1, 100])
def test_what_is_stored_and_what_is_held_say_the_same(lived: Office, most: int) -> None:
    """Below each size, also where memory has read further, and for each cut between the two."""
    records, size = lived.verifier.records, lived.checkpoint().checkpoint.size
    stored = LoggedKeys(records.keys, most=most)
    for below in (size, *range(size)):
        events = list(logged_events(records, since=0, below=below))
        wanted = told(KeyEvents.of(events))
        for cut in (0, below // 2, below):
            base = KeyEvents.below_place(stored, cut)
            later = [one for one in events if one.position >= cut]
            assert told(base.with_events(later)) == wanted


def test_memory_holds_so_many_keys_whatever_is_announced(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loggedkeys, "CACHED", 4)
    admission = office.verifier.sequencer._admission
    admission._keys = KeyBook(office.verifier.records)
    for number in range(20):
        announce(office, key(("many", number)), PEOPLE[0])
    stored = admission._keys._stored
    assert 0 < stored.held <= 3 * 4
    assert admission.events is not None
    assert admission.events._about == {}


def test_a_tick_copies_what_is_not_stored_yet_and_no_more(lived: Office) -> None:
    events = lived.verifier.sequencer._admission.events
    assert events is not None
    (last,) = list(logged_events(lived.verifier.records, since=events.version - 1, below=2**62))
    added = events.with_event(last)
    assert list(added._about) == [last.key]


def test_what_was_read_is_not_asked_for_again(
    lived: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = LoggedKeys(lived.verifier.records.keys)
    size, asked = stored.reach(2**62), list[tuple[int, int]]()
    real = KeyRowStore.about

    def about(*given: object, since: int, below: int) -> list[tuple[int, bytes]]:
        asked.append((since, below))
        return real(*given, since=since, below=below)  # type: ignore[arg-type]

    monkeypatch.setattr(KeyRowStore, "about", about)
    name = PEOPLE[0].public_key.thumbprint
    early = lived.acknowledged[stored.about(name, size)[0].statement.digest] + 1
    stored = LoggedKeys(lived.verifier.records.keys)
    asked.clear()
    found = [stored.about(name, below) for below in (early, size, size, early)]
    assert asked == [(0, early), (early, size)]
    assert [len(one) for one in found] == [1, 2, 2, 1]
