"""Turning the begin with the log-in on and off.

Rules: the list of what was written is on disk before it is written, so that a crash leaves nothing
that is not in it. An entry that is not in the list, or was changed since, is somebody else's.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workseal_agent.autostart.entries import Entry, Form
from workseal_agent.autostart.places import Places
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase

_MAX_LIST = 1 << 20


class State(StrEnum):
    """Say what became of an entry that was written."""

    THERE = "there"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Found:
    """Hold an entry that was written, and what became of it."""

    entry: Entry
    state: State


class Autostart:
    """Switch one home's entries; `file` keeps the list of what was written."""

    def __init__(self, file: Path, places: Places) -> None:
        self._file = file
        self._places = places

    def found(self) -> tuple[Found, ...]:
        """Return what was written, with what became of it; empty when it is off."""
        return tuple(Found(entry, self._state(entry)) for entry in self._listed())

    def turn_on(self, entries: Sequence[Entry]) -> None:
        """Write entries in place of those written before.

        Raises `AgentError`, and writes nothing, where something stands that this home did not
        write.
        """
        before = {one.entry.place: one.state for one in self.found()}
        for entry in entries:
            if before.get(entry.place) is not State.THERE and self._places.read(entry) is not None:
                raise AgentError(
                    phrase(
                        "{place} is there already, and this home did not write it so: look at it,"
                        " and remove it yourself",
                        place=entry.place,
                    )
                )
        self.turn_off()
        self._list(entries)
        for entry in entries:
            self._places.write(entry)
        self._places.changed()

    def turn_off(self) -> tuple[Entry, ...]:
        """Remove what was written and not changed since; returns what was removed.

        Raises `AgentError` when something was changed: that stays, in the list too.
        """
        found = self.found()
        there = tuple(one.entry for one in found if one.state is State.THERE)
        # The link before what it leads to, so that it never leads nowhere.
        for entry in reversed(there):
            self._places.remove(entry)
        changed = tuple(one.entry for one in found if one.state is State.CHANGED)
        self._list(changed)
        if there:
            self._places.changed()
        if changed:
            named = ", ".join(entry.place for entry in changed)
            raise AgentError(
                phrase("changed since it was written, so it stays: {named}", named=named)
            )
        return there

    def _state(self, entry: Entry) -> State:
        stands = self._places.read(entry)
        if stands is None:
            return State.GONE
        return State.THERE if stands == entry.content else State.CHANGED

    def _listed(self) -> tuple[Entry, ...]:
        try:
            with self._file.open("rb") as file:
                rows = json.loads(file.read(_MAX_LIST))
            return tuple(
                Entry(Form(row["form"]), str(row["place"]), str(row["content"])) for row in rows
            )
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError) as error:
            raise AgentError(
                phrase(
                    "the list of what was written for the log-in is damaged: {file}",
                    file=self._file,
                )
            ) from error

    def _list(self, entries: Sequence[Entry]) -> None:
        if not entries:
            self._file.unlink(missing_ok=True)
            return
        rows = [
            {"form": str(one.form), "place": one.place, "content": one.content} for one in entries
        ]
        part = self._file.with_suffix(".part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(rows, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._file)
