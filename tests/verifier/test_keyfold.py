"""Whatever the order of key statements is: what was said stays said by whom it was said."""

from dataclasses import dataclass
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import builders
from support.builders import ARBITRATOR, FREELANCER, signer
from workseal_protocol.digest import Digest
from workseal_protocol.keyhistory import KeyHistory
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import KeyRecord, KeyRotate, RevocationReason, sign
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms
from workseal_verifier.services.keyevents import KeyEvents, parties_of
from workseal_verifier.services.keyfold import KeyEvent

# K is a party, or the arbitrator; the others come from anywhere.
K, X, N, M, R = FREELANCER, signer("X"), signer("N"), signer("M"), signer("R")
KEYS = (K, X, N, M, R, ARBITRATOR)
TERMS = (builders.make_terms(), builders.make_terms(freelancer=N.public_key))


@dataclass(frozen=True, slots=True)
class Said:
    record: KeyRecord
    by: SeedSigner


def announce(key: SeedSigner, recovery: SeedSigner | None = None) -> Said:
    named = None if recovery is None else recovery.public_key.thumbprint
    return Said(builders.make_announce(key, recovery=named), key)


def rotate(old: SeedSigner, new: SeedSigner) -> Said:
    return Said(builders.make_rotate(old, new), old)


def revoke(key: SeedSigner, by: SeedSigner) -> Said:
    return Said(builders.make_revoke(key, reason=RevocationReason.COMPROMISED), by)


def events_of(said: list[Said]) -> list[KeyEvent]:
    return [
        KeyEvent(position, sign(one.record, one.by), one.record)
        for position, one in enumerate(said)
    ]


def roles(history: KeyHistory, place: int) -> dict[Digest, frozenset[Role]]:
    names = (key.public_key.thumbprint for key in KEYS)
    return {name: history.roles_of(name, place) for name in names}


def require_stable(events: list[KeyEvent], terms: Terms) -> None:
    """Require that later statements change nothing of what the earlier ones were."""
    whole = KeyEvents.of(events)
    listed = whole.concerning(terms)
    # As who verifies a bundle folds the listing, one by one, with signatures.
    bundle = KeyHistory.start(parties_of(terms))
    for place in range(len(events) + 1):
        prefix = KeyEvents.of(events[:place])
        assert whole.concerning(terms, below=place) == prefix.concerning(terms)
        assert {*prefix.concerning(terms)} <= {*listed}
        assert roles(bundle, place) == roles(prefix.history(terms), place)
        for event in listed:
            if event.position == place:
                bundle = bundle.advance(place, event.statement, event.record)


keys = st.sampled_from(KEYS)
sayings = st.one_of(
    st.builds(announce, keys, st.none() | keys),
    st.sampled_from([*permutations(KEYS, 2)]).map(lambda two: rotate(*two)),
    st.builds(revoke, keys, keys),
)


@settings(max_examples=300)
@given(st.lists(sayings, max_size=10), st.sampled_from(TERMS))
def test_later_statements_change_nothing_of_what_was(said: list[Said], terms: Terms) -> None:
    require_stable(events_of(said), terms)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("key", [K, ARBITRATOR])
@pytest.mark.parametrize(
    "late",
    [
        pytest.param([X, N], id="the key that follows was revoked before"),
        pytest.param([X, M, N], id="two steps before"),
    ],
)
def test_what_was_said_before_a_key_is_reached_takes_nothing_away(
    key: SeedSigner, late: list[SeedSigner], terms: Terms
) -> None:
    before = [announce(late[0])]
    before += [rotate(old, new) for old, new in pairwise(late)]
    said = [*before, revoke(N, N), rotate(key, N), announce(key, X), announce(N, X)]
    require_stable(events_of(said), terms)


def test_a_recovery_key_that_is_named_later_ends_nothing_that_was() -> None:
    said = [
        announce(R),
        announce(N, R),
        revoke(N, R),
        announce(K, X),
        announce(X, R),
        revoke(X, R),
        rotate(K, N),
        revoke(N, X),
    ]
    for terms in TERMS:
        require_stable(events_of(said), terms)
    history = KeyEvents.of(events_of(said)).history(TERMS[0])
    assert history.roles_of(N.public_key.thumbprint, 7) == {Role.FREELANCER}


def test_a_recovery_key_is_not_replaced_by_what_it_rotates_to() -> None:
    said = [announce(K, X), announce(X), rotate(X, R), revoke(K, X)]
    events = KeyEvents.of(events_of(said))
    assert [one.position for one in events.concerning(TERMS[0])] == [0, 1, 3]
    assert not events.history(TERMS[0]).roles_of(K.public_key.thumbprint, 4)


def test_a_named_key_has_what_those_before_it_announced() -> None:
    said = [announce(R), announce(K, R), rotate(K, M), rotate(M, N), revoke(N, R)]
    events = KeyEvents.of(events_of(said))
    assert [one.position for one in events.concerning(TERMS[1])] == [0, 1, 2, 3, 4]
    assert not events.history(TERMS[1]).roles_of(N.public_key.thumbprint, 5)
    require_stable(events_of(said), TERMS[1])


def test_a_rotation_from_a_key_that_nobody_announced_is_not_listed() -> None:
    """Who verifies the bundle could not know its first key."""
    events = KeyEvents.of(events_of([rotate(K, N), announce(N, R)]))
    assert [one.position for one in events.concerning(TERMS[1])] == [1]


def test_a_recovery_key_that_had_ended_before_it_was_named_ends_nothing() -> None:
    said = [announce(R), revoke(R, R), announce(K, R), revoke(K, R)]
    events = KeyEvents.of(events_of(said))
    assert [one.position for one in events.concerning(TERMS[0])] == [0, 1, 2]
    require_stable(events_of(said), TERMS[0])


def test_a_key_from_which_a_named_one_came_has_no_second_path() -> None:
    """No log takes this; whoever folds one that did finds the same at each size."""
    said = [announce(K), rotate(K, X), rotate(K, N), rotate(X, ARBITRATOR)]
    assert [one.position for one in KeyEvents.of(events_of(said)).concerning(TERMS[1])] == [0, 2]
    require_stable(events_of(said), TERMS[1])


def test_what_is_logged_is_folded_without_checking_its_signatures_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They were checked when it was admitted, and each check takes longer than the fold."""
    said = [announce(K, R), announce(R), rotate(K, M), revoke(M, R)]
    events = KeyEvents.of(events_of(said))
    checked: list[object] = []
    monkeypatch.setattr(Statement, "verify_signature", lambda *given: checked.append(given))
    monkeypatch.setattr(KeyRotate, "verify_proof", checked.append)
    assert len(events.concerning(TERMS[0])) == len(said)
    assert checked == []
