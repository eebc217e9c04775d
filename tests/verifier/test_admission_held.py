"""Which engagements stay in memory: many short ones, few long ones, the newest always."""

from types import SimpleNamespace
from typing import Any

import pytest

from workseal_verifier.services import admission
from workseal_verifier.services.admission import Admission
from workseal_verifier.services.keyevents import KeyEvents


class Counted(Admission):
    """Fold engagements of a given length, and count how often."""

    def __init__(self, lengths: dict[bytes, int]) -> None:
        house: Any = SimpleNamespace(
            work=SimpleNamespace(forget=lambda: None), records=SimpleNamespace(keys=None)
        )
        super().__init__(house, memory_bytes=100 * admission._STATEMENT_BYTES)
        self.lengths = lengths
        self.folded: list[bytes] = []

    def _load(self, identifier: bytes, _events: KeyEvents) -> Any:
        self.folded.append(identifier)
        return SimpleNamespace(chain=SimpleNamespace(next_seq=self.lengths[identifier]))

    def ask(self, *identifiers: bytes) -> list[bytes]:
        """Ask for some, one a tick; give those that had to be folded."""
        self.folded = []
        for identifier in identifiers:
            self._states.begin()
            assert self.state(identifier, KeyEvents()) is not None
        return self.folded


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_CACHED_ENGAGEMENTS", 3)


def test_what_fits_is_folded_once() -> None:
    counted = Counted({b"a": 30, b"b": 30, b"c": 40})
    assert counted.ask(b"a", b"b", b"c") == [b"a", b"b", b"c"]
    assert counted.ask(b"a", b"b", b"c", b"a") == []


def test_the_one_asked_for_longest_ago_makes_room_for_one_too_many() -> None:
    counted = Counted(dict.fromkeys((b"a", b"b", b"c", b"d"), 1))
    counted.ask(b"a", b"b", b"c", b"a", b"d")
    assert counted.ask(b"a", b"c", b"d", b"b") == [b"b"]


def test_a_long_one_makes_room_by_its_length() -> None:
    counted = Counted({b"a": 30, b"b": 30, b"c": 70})
    counted.ask(b"a", b"b", b"c")
    assert counted.ask(b"b", b"c", b"a") == [b"a"]


def test_one_beyond_every_bound_is_held_alone() -> None:
    counted = Counted({b"a": 30, b"b": 500})
    counted.ask(b"a", b"b")
    assert counted.ask(b"b") == []
    assert counted.ask(b"a", b"b") == [b"a", b"b"]


def test_nothing_counts_after_everything_was_forgotten() -> None:
    counted = Counted({b"a": 60, b"b": 60})
    counted.ask(b"a")
    counted.forget()
    counted.lengths = {b"a": 50, b"b": 50}
    counted.ask(b"a", b"b")
    assert counted.ask(b"a", b"b") == []
