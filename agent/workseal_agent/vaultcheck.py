"""Checking the vault against the ledger, at three depths: names, keys, pixels.

Rules: the first depth needs no key. A recording may go on meanwhile: what it adds or destroys
during a check is no problem. A problem names the frame as its owner knows it, and nothing of what
it shows.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from workseal_agent.errors import VaultError
from workseal_agent.evidence import part_name
from workseal_agent.language import phrase
from workseal_agent.ledger import Ledger, short_name
from workseal_agent.vault import PART, VaultProblem, VaultReader, examine_outside
from workseal_agent.vaultobject import ObjectKind, object_id

_LONGEST_NAME = 64


class Depth(StrEnum):
    """Say how deep to look."""

    NAMES = "names"
    KEYS = "keys"
    PIXELS = "pixels"


Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class VaultState:
    """Say what a check found: `frames` and `parts` are those that the ledger names."""

    depth: Depth
    objects: int
    octets: int
    frames: int
    parts: int
    problems: tuple[VaultProblem, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """Hold what the ledger says, by name of file: how to call it.

    `announced` are frames that a capture is about to keep, or that a crash left without a segment.
    """

    kept: dict[str, str]
    parts: dict[str, str]
    first_parts: dict[str, str]
    withdrawn: dict[str, str]
    announced: frozenset[str]


def check_vault(
    folder: Path,
    ledger: Ledger,
    public: bytes,
    reader: VaultReader | None = None,
    *,
    depth: Depth = Depth.NAMES,
    progress: Progress = lambda _done, _all: None,
) -> VaultState:
    """Check every file of the vault, and that each object that the ledger names is there.

    Depths other than NAMES need a reader.
    """
    if reader is None and depth is not Depth.NAMES:
        raise ValueError("to open objects takes a reader")
    try:
        # What is missing was expected before the list was made, what is strange is after it.
        before = expected_objects(ledger, public, folder)
        names = sorted(entry.name for entry in folder.iterdir())
        found: dict[str, str] = {}
        octets = 0
        for number, name in enumerate(names, 1):
            octets += _size(folder / name)
            problem = None if name.endswith(PART) else _problem(folder, name, reader, depth)
            if problem is not None:
                found[name] = problem
            progress(number, len(names))
        after = expected_objects(ledger, public, folder)
        _compare(folder, set(names), before, after, found)
    except OSError as error:
        raise VaultError(
            phrase("the vault folder cannot be read: {reason}", reason=error.strerror)
        ) from error
    labels = before.parts | after.parts | before.withdrawn | before.kept | after.kept
    return VaultState(
        depth,
        objects=sum(not name.endswith(PART) for name in names),
        octets=octets,
        frames=len(after.kept),
        parts=len(after.parts),
        problems=tuple(
            VaultProblem(labels.get(name, f"vault/{name[:_LONGEST_NAME]}"), text)
            for name, text in found.items()
        ),
    )


def _problem(folder: Path, name: str, reader: VaultReader | None, depth: Depth) -> str | None:
    try:
        if reader is None or depth is Depth.NAMES:
            examine_outside(folder, name)
        else:
            reader.examine(name, pixels=depth is Depth.PIXELS)
    except VaultError as error:
        return str(error)
    return None


def _compare(
    folder: Path,
    names: set[str],
    before: Expected,
    after: Expected,
    found: dict[str, str],
) -> None:
    """Add what only the ledger can tell to the problems, and take out what a recording did."""
    for name in list(found):
        if name in before.kept and name not in after.kept:
            del found[name]  # withdrawn meanwhile
    known = {*before.kept, *before.parts, *before.announced, *before.withdrawn}
    known |= {*after.kept, *after.parts, *after.announced, *after.withdrawn}
    for name in sorted(names - known):
        if not name.endswith(PART) and os.path.lexists(folder / name):
            found.setdefault(name, phrase("no statement or disclosure of the ledger names it"))
    for name in sorted({*before.kept, *before.first_parts} - names):
        if name in after.kept:
            found[name] = phrase("the frame is missing")
        elif name in after.first_parts:
            found[name] = phrase("it is missing")
    for name in sorted(names & set(before.withdrawn)):
        if os.path.lexists(folder / name):
            found[name] = phrase(
                "it is withdrawn and not destroyed yet: the next start destroys it"
            )


def expected_objects(ledger: Ledger, public: bytes, folder: Path) -> Expected:
    """Return what the ledger says about the vault in a folder."""
    kept: dict[str, str] = {}
    withdrawn: dict[str, str] = {}
    parts: dict[str, str] = {}
    first_parts: dict[str, str] = {}
    for engagement in ledger.engagements():
        where = short_name(engagement.id)
        for row in ledger.captures(engagement.id):
            name = object_id(public, ObjectKind.FRAME, row.commitment.raw).hex()
            (withdrawn if row.withdrawn else kept)[name] = phrase(
                "frame {number} of engagement {name}", number=row.number, name=where
            )
        for digest, _, _ in ledger.disclosures(engagement.id):
            part = 0
            while True:
                name = object_id(public, ObjectKind.SECRET, part_name(digest, part)).hex()
                if part and not os.path.lexists(folder / name):
                    break
                label = phrase("a disclosure of engagement {name}", name=where)
                parts[name] = label
                if not part:
                    first_parts[name] = label
                part += 1
    announced = frozenset(
        object_id(public, ObjectKind.FRAME, digest.raw).hex() for digest in ledger.orphans()
    )
    return Expected(kept, parts, first_parts, withdrawn, announced)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
