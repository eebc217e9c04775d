"""Each step of an engagement's fold changes what it is about, and keeps everything else."""

from dataclasses import fields, replace

import pytest

from support.builders import (
    CLIENT,
    FREELANCER,
    digest,
    make_acceptance,
    make_close,
    make_declaration,
    make_offer,
    make_open,
    make_request,
    make_rotate,
    make_segment,
    make_tombstone,
)
from workseal_protocol.records import Record, sign
from workseal_verifier.services.engagement import Engagement, fold, followed
from workseal_verifier.services.keyevents import KeyEvents, event_of
from workseal_verifier.store.logrows import Entry

EVENTS = KeyEvents()


def entry(position: int, record: Record) -> Entry:
    """Log a record; a fold of what is stored asks nobody who signed it."""
    statement = sign(record, FREELANCER)
    return Entry(
        position=position,
        digest=statement.digest,
        body=statement.encode(),
        kind=statement.kind.value,
    )


@pytest.fixture
def begun() -> Engagement:
    """Give an engagement in a session."""
    offer = sign(make_offer(), CLIENT)
    records: list[Record] = [make_offer(), make_acceptance(offer), make_open()]
    state = fold([entry(place, one) for place, one in enumerate(records)], EVENTS)
    assert state is not None
    state = replace(state, marked=1)
    # Else a field that is lost could not be told from one that never was.
    for one in fields(state):
        assert getattr(state, one.name) != one.default, one.name
    return state


def changed(before: Engagement, after: Engagement) -> set[str]:
    return {
        one.name
        for one in fields(before)
        if getattr(before, one.name) is not getattr(after, one.name)
    }


@pytest.mark.parametrize(
    "record",
    [make_segment(), make_close(), make_tombstone(), make_declaration(), make_open(seq=1)],
    ids=lambda one: type(one).__name__,
)
def test_a_statement_of_the_chain_moves_only_the_chain(begun: Engagement, record: Record) -> None:
    assert changed(begun, followed(begun, entry(9, record), EVENTS)) == {"chain"}


def test_an_acceptance_begins_the_chain_and_keeps_the_rest(begun: Engagement) -> None:
    accepted = begun.accepted(digest("acceptance"), make_acceptance(), 9)
    assert changed(begun, accepted) == {"acceptance", "chain"}


def test_key_statements_change_only_the_keys(begun: Engagement) -> None:
    events = EVENTS.with_event(event_of(entry(8, make_rotate())))
    assert changed(begun, begun.refreshed(events)) == {"keys", "keys_seen"}
    moved = followed(begun, entry(9, make_segment()), events)
    assert changed(begun, moved) == {"keys", "keys_seen", "chain"}


def test_what_is_not_of_the_chain_changes_nothing(begun: Engagement) -> None:
    assert changed(begun, followed(begun, entry(9, make_request()), EVENTS)) == set()
