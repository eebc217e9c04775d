"""Fixtures: a real witness in a temporary home, at a clock that the test sets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.rivals import NOW
from support.twofaced import TwoFacedLog
from workseal_protocol.checkpoint import verified_cosignatures
from workseal_protocol.note import VerifierKey
from workseal_protocol.witness import AddCheckpoint, read_cosignatures
from workseal_witness.home import Home, create, opened, witness_of
from workseal_witness.witness import Answer, Witness


@dataclass
class Stage:
    """A witness, the log that it watches, and the clock of both."""

    home: Home
    log: TwoFacedLog
    witness: Witness
    keys: tuple[VerifierKey, ...]
    now: int = NOW

    def ask(self, old: int, leaves: tuple[bytes, ...]) -> Answer:
        return self.witness.add_checkpoint(self.log.request(old, leaves))

    def times(self, answer: Answer, leaves: tuple[bytes, ...]) -> list[int]:
        """Verify the cosignatures of an answer; return their times."""
        checkpoint = self.log.signed(leaves).checkpoint
        lines = read_cosignatures(answer.body, checkpoint, self.keys)
        signed = AddCheckpoint.parse(self.log.request(0, leaves)).signed
        together = type(signed)(checkpoint, (*signed.lines, *lines))
        return [one.timestamp for one in verified_cosignatures(together, self.keys)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "witness")
    create(made, "witness.example/w1", pq=True)
    return made


@pytest.fixture
def stage(home: Home) -> Iterator[Stage]:
    with opened(home) as state:
        made: list[Stage] = []
        witness = witness_of(home, state, lambda: made[0].now)
        log = TwoFacedLog()
        witness.trust([log.key])
        made.append(Stage(home, log, witness, state.keys))
        yield made[0]


def copy_of(database: Path) -> Callable[[Path], None]:
    """Take a backup as a person does; return what puts it back."""
    parts = {suffix: Path(f"{database}{suffix}") for suffix in ("", "-wal", "-shm")}
    kept = {suffix: path.read_bytes() for suffix, path in parts.items() if path.exists()}

    def restore(target: Path) -> None:
        for suffix in parts:
            path = Path(f"{target}{suffix}")
            path.unlink(missing_ok=True)
            if suffix in kept and suffix != "-shm":
                path.write_bytes(kept[suffix])

    return restore
