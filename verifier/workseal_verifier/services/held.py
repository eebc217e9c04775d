"""Engagements in memory: bounded, and with more at work than fit, most of them stay.

Rules: what is asked for stays longest. Where there is no room, who comes takes the place of the one
before it, and only each eighth that of who was asked for longest ago. If everybody made room for
everybody, a hundred chains that send in turn, where ninety-nine fit, would each be gone when it is
asked for next, and each statement would fold a whole chain again.
"""

from collections import OrderedDict

from workseal_verifier.services.engagement import Engagement

# So those who stopped sending are gone in the end, and those who send come to stay.
STAYS: int = 8


class Held:
    """The states by identifier; for one thread, but for `in` and `get`."""

    def __init__(self, *, most: int, most_statements: int) -> None:
        self._most = most
        self._most_statements = most_statements
        # Who is to go first, first.
        self._states: OrderedDict[bytes, Engagement] = OrderedDict()
        self._statements = 0
        # Who came in this tick: that it is asked for again in it says nothing yet.
        self._came: set[bytes] = set()
        self._refused = 0

    def __contains__(self, identifier: bytes) -> bool:
        return identifier in self._states

    def get(self, identifier: bytes) -> Engagement | None:
        """Return a state, perhaps behind what other processes logged since."""
        return self._states.get(identifier)

    def begin(self) -> None:
        """Begin a tick: whoever is here and asked for from now on stays longer."""
        self._came.clear()

    def keep(self, identifier: bytes, state: Engagement) -> list[bytes]:
        """Keep the newest state of an engagement; return those that made room."""
        before = self._states.get(identifier)
        self._states[identifier] = state
        self._statements += _length(state) - (0 if before is None else _length(before))
        if before is None:
            self._came.add(identifier)
        elif identifier not in self._came:
            self._states.move_to_end(identifier)
        if not self._is_full:
            return []
        if before is None:
            self._refused += 1
            if self._refused % STAYS:
                self._states.move_to_end(identifier, last=False)
        return self._make_room(identifier)

    def take(self, identifier: bytes) -> Engagement | None:
        """Take a state away; None if it is not here."""
        state = self._states.pop(identifier, None)
        if state is not None:
            self._statements -= _length(state)
            self._came.discard(identifier)
        return state

    def clear(self) -> None:
        """Forget all of them."""
        self._states.clear()
        self._came.clear()
        self._statements = 0

    @property
    def _is_full(self) -> bool:
        return len(self._states) > self._most or self._statements > self._most_statements

    def _make_room(self, kept: bytes) -> list[bytes]:
        gone: list[bytes] = []
        while self._is_full and len(self._states) > 1:
            first = next(one for one in self._states if one != kept)
            self._statements -= _length(self._states.pop(first))
            gone.append(first)
        return gone


def _length(state: Engagement) -> int:
    return 0 if state.chain is None else state.chain.next_seq
