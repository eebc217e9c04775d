"""Frames of a bundle, as an arbitrator names them: by statement number or by commitment."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.records import Record, Segment, Tombstone
from workseal_protocol.statement import Statement

_NUMBER = re.compile(r"([0-9]{1,6})(?:-([0-7]))?")
_COMMITMENT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PlacedFrame:
    """Say where a frame stands: its segment's number and digest, and its place in it."""

    number: int
    display: int
    segment: Digest
    record: Segment

    @property
    def commitment(self) -> Digest:
        """Return the frame's commitment."""
        return self.record.frames[self.display]

    @property
    def name(self) -> str:
        """Name the frame's files, as a bundle names its disclosure."""
        suffix = f"-{self.display}" if len(self.record.frames) > 1 else ""
        return f"{self.number:06d}{suffix}"


class FrameTable:
    """Hold the frames of a bundle's statements, withdrawn ones marked."""

    def __init__(self, items: Iterable[tuple[Statement, Record]]) -> None:
        self._placed: list[PlacedFrame] = []
        self._withdrawn: dict[Digest, int] = {}
        for number, (statement, record) in enumerate(items):
            if isinstance(record, Segment):
                self._placed += [
                    PlacedFrame(number, display, statement.digest, record)
                    for display in range(len(record.frames))
                ]
            elif isinstance(record, Tombstone):
                self._withdrawn.setdefault(record.frame, number)

    def by_commitment(self, commitment: Digest) -> PlacedFrame | None:
        """Find the frame with this commitment."""
        return next((one for one in self._placed if one.commitment == commitment), None)

    def is_withdrawn(self, commitment: Digest, *, before: int | None = None) -> bool:
        """Say whether the freelancer withdrew the frame: at all, or before a statement number."""
        number = self._withdrawn.get(commitment)
        return number is not None and (before is None or number < before)

    def named(self, words: Iterable[str]) -> tuple[PlacedFrame, ...]:
        """Find the frames that these words name, each once; `CommandError` when one does not."""
        found: dict[Digest, PlacedFrame] = {}
        for word in words:
            matches = tuple(self._matching(word))
            if not matches:
                raise CommandError(f"the bundle has no frame {word[:70]}")
            for one in matches:
                if self.is_withdrawn(one.commitment):
                    raise CommandError(f"the frame {one.name} was withdrawn and cannot be shown")
                found[one.commitment] = one
        return tuple(found.values())

    def _matching(self, word: str) -> Iterator[PlacedFrame]:
        if _COMMITMENT.fullmatch(word):
            return (one for one in self._placed if str(one.commitment) == word)
        form = _NUMBER.fullmatch(word)
        if form is None:
            raise CommandError(f"a frame is a statement number or 64 hex digits: {word[:70]}")
        number, display = form.groups()
        return (
            one
            for one in self._placed
            if one.number == int(number) and (display is None or one.display == int(display))
        )
