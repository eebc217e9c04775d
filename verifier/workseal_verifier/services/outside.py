"""One outside witness: how far it has cosigned, and how it is asked for more.

Rules (docs/spec/witness.md, the log's side):
- A size that a witness names is believed only up to the log's own. Sizes are in memory alone: after
  a start each witness is asked from 0, and says where it is.
- A witness that has seen another history is not asked again, and that is told at once.
- Of an answer those lines are kept that verify, and whose time is this clock's within a tolerance:
  a cosignature of another time would spoil every bundle that holds it.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workseal_protocol.checkpoint import SignedCheckpoint, add_cosignature, verify_log
from workseal_protocol.errors import MalformedError, WorksealError
from workseal_protocol.note import NoteLine, VerifierKey
from workseal_protocol.window import CLOCK_TOLERANCE_MS
from workseal_protocol.witness import (
    AddCheckpoint,
    Verdict,
    monitoring_path,
    parse_size,
    read_cosignatures,
)
from workseal_verifier.services.clock import Clock

_logger = logging.getLogger(__name__)

# Sends a body to a path of one witness (None: asks for what is there), returns status and body of
# the answer; raises OSError when there is no whole answer in time.
Send = Callable[[str, bytes | None], tuple[int, bytes]]
# Proves that the checkpoint continues the tree of so many leaves; may be called in any thread.
Prove = Callable[[int], tuple[bytes, ...]]
Lines = dict[VerifierKey, NoteLine]

_ADD = "/add-checkpoint"
# From the size that is known, from the one that it names, and once more if it moved meanwhile.
_ATTEMPTS = 3


class Standing(StrEnum):
    """Say how it is with a witness, for whoever watches the server."""

    NEW = "not asked yet"
    COSIGNS = "cosigns"
    SILENT = "does not answer"
    FORGOT = "has forgotten what it cosigned"
    AHEAD = "names more than this log has"
    STOPPED = "has seen another history: it is not asked again"


# What no further attempt mends.
LOUD = {Standing.AHEAD, Standing.STOPPED}


@dataclass(frozen=True, slots=True)
class Outside:
    """A witness that somebody else runs: how to ask it, and its keys by their policy names."""

    keys: Mapping[str, VerifierKey]
    send: Send

    @property
    def name(self) -> str:
        """Return the names that the policy has for it."""
        return ", ".join(self.keys)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A checkpoint of this log, signed by its key, that a witness shows."""

    name: str
    size: int
    root: bytes


@dataclass(slots=True)
class Round:
    """One checkpoint on its way to all witnesses, and the lines that have come back."""

    signed: SignedCheckpoint
    bare: SignedCheckpoint
    prove: Prove
    enough: Callable[[Lines], bool]
    waiting: int
    lines: Lines = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    over: bool = False

    def answered(self, lines: Lines) -> None:
        """Note the answer of one witness; without lines when it gave none."""
        with self.changed:
            self.waiting -= 1
            if not self.over:
                self.lines |= lines
            self.changed.notify()

    def wait(self, seconds: float) -> bool:
        """Wait until it is enough, or cannot become so; tell whether it is."""
        with self.changed:
            self.changed.wait_for(lambda: self.enough(self.lines) or not self.waiting, seconds)
            self.over = True
            return self.enough(self.lines)

    def result(self) -> SignedCheckpoint:
        """Return the checkpoint with every line that came in time."""
        signed = self.signed
        for line in self.lines.values():
            signed = add_cosignature(signed, line)
        return signed


class Peer:
    """One witness, asked by a thread of its own; what waits is the newest round alone."""

    def __init__(
        self,
        outside: Outside,
        log: VerifierKey,
        size: Callable[[], int],
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self.outside = outside
        self.size = 0
        self.standing = Standing.NEW
        self._log = log
        # How far the log reaches, whichever of its processes brought it there.
        self._size_of_log = size
        self._clock = clock
        self._report = changed
        self._wanted: Round | None = None
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self._thread.start()

    def ask(self, round_: Round) -> None:
        """Ask for a checkpoint as soon as the answer before is there; an older one is dropped."""
        with self._changed:
            dropped, self._wanted = self._wanted, round_
            self._changed.notify()
        if dropped is not None:
            dropped.answered({})

    def end(self) -> None:
        """End the thread when it is idle."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def sighting(self) -> list[Sighting]:
        """Return what the witness shows of this log, in a list that is empty if nothing counts."""
        try:
            status, body = self.outside.send(monitoring_path(self._log.name), None)
            if status == Verdict.UNKNOWN_LOG:
                return []
            if status != Verdict.COSIGNED:
                raise OSError(f"it answered {status}")  # noqa: TRY301 - one place tells
            signed = SignedCheckpoint.parse(body)
            verify_log(signed, self._log)
        except (OSError, WorksealError) as error:
            _logger.warning("witness %s shows nothing: %s", self.outside.name, error)
            return []
        checkpoint = signed.checkpoint
        return [Sighting(self.outside.name, checkpoint.size, checkpoint.root.raw)]

    # --- in the witness's thread --------------------------------------------------------

    def _run(self) -> None:
        while (round_ := self._next()) is not None:
            lines: Lines = {}
            try:
                lines = self._lines_for(round_)
            except (OSError, WorksealError) as error:
                self._is(Standing.SILENT, str(error))
            except Exception as error:  # noqa: BLE001 - the thread must outlive any mistake
                self._is(Standing.SILENT, type(error).__name__)
            round_.answered(lines)

    def _next(self) -> Round | None:
        with self._changed:
            self._changed.wait_for(lambda: self._wanted is not None or self._ended)
            round_, self._wanted = self._wanted, None
            return None if self._ended else round_

    def _lines_for(self, round_: Round) -> Lines:
        size = round_.signed.checkpoint.size
        for _ in range(_ATTEMPTS):
            # One that is further has nothing for this checkpoint; one that refused is left alone.
            if self.standing is Standing.STOPPED or self.size > size or round_.over:
                return {}
            old = self.size
            proof = () if old in {0, size} else round_.prove(old)
            status, body = self.outside.send(_ADD, AddCheckpoint(old, proof, round_.bare).encode())
            match status:
                case Verdict.COSIGNED:
                    return self._cosigned(body, size, round_)
                case Verdict.CONFLICT:
                    if not self._calibrate(old, size, parse_size(body)):
                        return {}
                case Verdict.UNPROCESSABLE:
                    self._is(Standing.STOPPED, f"it refuses size {size} after {old}")
                case _:
                    raise OSError(f"it answered {status}")
        return {}

    def _cosigned(self, body: bytes, size: int, round_: Round) -> Lines:
        keys = self.outside.keys.values()
        kept = read_cosignatures(body, round_.signed.checkpoint, keys)
        lines = {
            key: line for key in keys for line in kept if line.is_from(key) and self._timely(line)
        }
        if not lines:
            raise MalformedError("it answered without a cosignature of this time by a known key")
        self.size = size
        self._is(Standing.COSIGNS)
        return lines

    def _timely(self, line: NoteLine) -> bool:
        # A cosignature names a whole second.
        first_ms = int.from_bytes(line.signature[:8]) * 1000
        now_ms = self._clock.now_ms()
        return first_ms - CLOCK_TOLERANCE_MS <= now_ms <= first_ms + 999 + CLOCK_TOLERANCE_MS

    def _calibrate(self, old: int, size: int, named: int) -> bool:
        """Go on from the size that the witness names; tell whether it is worth asking again."""
        reach = self._size_of_log()
        if named > reach:
            self._is(Standing.AHEAD, f"it names size {named}, and this log has {reach}")
            return False
        if named == old == size:
            # Witnesses of tlog-witness 1.0 say so when the size is right and the root another.
            self._is(Standing.STOPPED, f"it refuses size {size} after {old}")
            return False
        if named == old:
            # It contradicts itself, which shows nothing of our log: it may do better next time.
            raise MalformedError(f"it was asked from {old}, and answers that this is its size")
        if named < old:
            self._is(Standing.FORGOT, f"it cosigned size {old}, and now names {named}")
        self.size = named
        return True

    def _is(self, standing: Standing, why: str = "") -> None:
        """Note how it is with the witness; each change is one line of the server's log."""
        before, self.standing = self.standing, standing
        if standing is before:
            return
        self._report()
        level = logging.ERROR if standing in LOUD else logging.WARNING
        if standing is Standing.COSIGNS and before is Standing.NEW:
            level = logging.INFO
        told = f": {why}" if why else ""
        _logger.log(level, "witness %s %s%s", self.outside.name, standing, told)
