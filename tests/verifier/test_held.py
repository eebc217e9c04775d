"""More chains at work than memory holds: most of them stay all the same."""

from types import SimpleNamespace
from typing import Any

import pytest

from workseal_verifier.services.held import STAYS, Held


def state(length: int) -> Any:
    return SimpleNamespace(chain=SimpleNamespace(next_seq=length))


def misses(held: Held, asked: list[bytes], length: int = 10) -> int:
    """Ask for one a tick; count those that were not there."""
    count = 0
    for identifier in asked:
        held.begin()
        count += identifier not in held
        found = held.get(identifier)
        held.keep(identifier, found or state(length))
        # As a tick settles what it moved.
        held.keep(identifier, state(length))
    return count


def names(first: int, below: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, below)]


@pytest.mark.parametrize("more", [1, 5, 25])
def test_who_sends_in_turn_is_mostly_there_when_a_few_too_many_send(more: int) -> None:
    """If each made room for the next, none would ever be there."""
    held = Held(most=10_000, most_statements=1_000)
    turn = names(0, 100 + more)
    misses(held, turn * 3)
    share = misses(held, turn * 10) / (10 * len(turn))
    assert more / len(turn) <= share <= 0.05 + 2.5 * more / len(turn)


def test_those_who_stopped_make_room_for_those_who_send() -> None:
    held = Held(most=10_000, most_statements=100)
    misses(held, names(0, 10) * 3)
    sending = names(10, 18)
    misses(held, sending * (2 * STAYS))
    assert misses(held, sending * 10) == 0


def test_offers_of_strangers_push_out_few_who_work() -> None:
    held = Held(most=100, most_statements=1_000_000)
    working = names(0, 100)
    misses(held, working * 2)
    misses(held, names(1_000, 1_200), length=0)
    assert misses(held, working) < 2 * 200 // STAYS


def test_a_chain_counts_as_long_as_it_has_become() -> None:
    held = Held(most=10, most_statements=100)
    held.keep(b"a", state(50))
    held.keep(b"b", state(40))
    held.begin()
    assert held.keep(b"b", state(60)) == [b"a"]
    assert held.keep(b"b", state(500)) == []
    assert b"b" in held
    held.clear()
    held.keep(b"a", state(100))
    assert b"a" in held
    assert b"b" not in held
