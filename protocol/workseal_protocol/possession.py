"""Whether sealed frames are still held: trees over ciphertext, draws, and a fold over the answers.

Rules: a frame's object is committed by 256 blocks of its ciphertext, whatever its size, so that
nothing here tells a size. Which frames a root covers and which blocks are drawn follows from the
chain and the verifier's value; nobody chooses, and a withdrawn frame is neither drawn nor counted.
A proof that does not hold is told and makes nothing fail: the hours stand. docs/spec/possession.md
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.merkle import inclusion_path, inclusion_root, leaf_hash, root_of
from workseal_protocol.records import (
    MAX_DRAWS,
    ChainedRecord,
    Held,
    HeldAnswer,
    Possession,
    Record,
    Segment,
    SessionOpen,
    Tombstone,
)

BLOCKS: Final = 256
_BLOCK_DEPTH: Final = 8
WEEK_MS: Final = 604_800_000
# Ten years of weeks: whoever makes a bundle does not choose how long a reader works.
MAX_CHECKED: Final = 520
# So many numbers are drawn at most; those of withdrawn frames, and repeated ones, are passed over.
MAX_TRIES: Final = 1_024
_DRAW: Final = b"workseal/possession/v1"

Drawn = tuple[int, int]
Item = tuple[int, Digest, Record]


def object_root(salt: bytes, blocks: Sequence[bytes]) -> bytes:
    """Commit to the blocks of one object's ciphertext."""
    return root_of(_block_leaves(salt, blocks))


def block_path(salt: bytes, blocks: Sequence[bytes], number: int) -> tuple[bytes, ...]:
    """Return the path of one block under `object_root`."""
    return inclusion_path(_block_leaves(salt, blocks), number)


def frame_leaf(frame: Digest, object_: bytes) -> bytes:
    """Return a frame's leaf in the tree of its week."""
    return leaf_hash(frame.raw + object_)


def weeks_round(first_round: int, round_ms: int, week: int) -> int:
    """Return the round whose value draws in a week; the first session's first round begins it."""
    return first_round + week * (WEEK_MS // round_ms)


def draw(
    value: bytes, before: Digest, total: int, is_withdrawn: Callable[[int], bool]
) -> tuple[Drawn, ...]:
    """Draw (frame, block) among the `total` frames that were committed before.

    `before` is the possession statement before this one. A withdrawn frame is passed over: that
    changes who else is drawn only by letting the next one in. Nothing is drawn of nothing.
    """
    drawn: list[Drawn] = []
    met: set[int] = set()
    for number in range(MAX_TRIES):
        if len(drawn) == MAX_DRAWS or len(met) == total:
            break
        hashed = sha256(_DRAW + value + before.raw + number.to_bytes(2, "big")).digest()
        frame = int.from_bytes(hashed[:16], "big") % total
        if frame not in met and not is_withdrawn(frame):
            drawn.append((frame, hashed[16]))
        met.add(frame)
    return tuple(drawn)


@dataclass(frozen=True, slots=True)
class HeldWeek:
    """Hold what one statement committed to: the frames in the chain's order, under one root."""

    first: int
    frames: tuple[Digest, ...]
    root: Digest
    statement: Digest

    def check(self, answer: HeldAnswer, number: int, block: int) -> None:
        """Check a shown block of one of these frames, or raise `VerificationError`."""
        at = number - self.first
        object_ = inclusion_root(
            leaf=leaf_hash(answer.salt + answer.block),
            index=block,
            size=BLOCKS,
            path=answer.path[:_BLOCK_DEPTH],
        )
        leaf = frame_leaf(self.frames[at], object_)
        rest = answer.path[_BLOCK_DEPTH:]
        top = inclusion_root(leaf=leaf, index=at, size=len(self.frames), path=rest)
        if top != self.root.raw:
            raise VerificationError("a block is not the one that was committed to")


@dataclass(frozen=True, slots=True)
class HeldFinding:
    """Say what one statement shows; `why` tells what in it does not hold, empty if it does."""

    digest: Digest
    record: Possession
    week: int
    shown: int
    lost: int
    why: str


@dataclass(frozen=True, slots=True)
class HeldReport:
    """Say what all statements show, and in which weeks of work there is none."""

    findings: tuple[HeldFinding, ...] = ()
    missed: tuple[int, ...] = ()

    @property
    def failing(self) -> int:
        """Count the statements that do not hold."""
        return sum(bool(one.why) for one in self.findings)

    @property
    def lost(self) -> int:
        """Count the drawn frames that are said to be lost."""
        return sum(one.lost for one in self.findings)


@dataclass(slots=True)
class HeldChain:
    """Fold a chain: what was committed, what is to be committed next, and who was withdrawn."""

    round_ms: int
    first_round: int | None = None
    weeks: list[HeldWeek] = field(default_factory=list)
    pending: deque[tuple[int, Digest]] = field(default_factory=deque)
    withdrawn: set[Digest] = field(default_factory=set)
    last: Digest | None = None
    last_week: int = 0
    # Weeks in which something was recorded while there were frames of a week before.
    worked: set[int] = field(default_factory=set)
    answered: set[int] = field(default_factory=set)
    # Every frame that was committed to, in its order: a draw gives a place here.
    frames: list[Digest] = field(default_factory=list)
    _framed: int | None = None

    def week_of(self, number: int) -> HeldWeek:
        """Return the week in which a drawn frame was committed."""
        return self.weeks[bisect_right(self.weeks, number, key=lambda one: one.first) - 1]

    def draw(self, value: bytes) -> tuple[Drawn, ...]:
        """Draw for the next statement."""
        if self.last is None:
            return ()
        gone, frames = self.withdrawn, self.frames
        return draw(value, self.last, len(frames), lambda number: frames[number] in gone)

    def due(self, round_: int) -> tuple[Digest, ...]:
        """Return the frames that a statement of this round commits to."""
        frames = []
        for at, frame in self.pending:
            if at >= round_:
                break
            frames.append(frame)
        return tuple(frames)

    def work(self, record: ChainedRecord) -> None:
        """Move on by one statement of the chain."""
        match record:
            case SessionOpen():
                if self.first_round is None:
                    self.first_round = record.first_round
            case Segment():
                self._count(record)
                self.pending.extend((record.round, frame) for frame in record.frames)
            case Tombstone():
                self.withdrawn.add(record.frame)
            case _:
                pass

    def follow(self, digest: Digest, record: Possession) -> None:
        """Take over what a statement commits to; its form was found right."""
        frames = self.due(record.round)
        if record.root is not None:
            self.weeks.append(HeldWeek(len(self.frames), frames, record.root, digest))
        self.frames += frames
        for _ in frames:
            self.pending.popleft()
        self.last = digest
        self.last_week = self.week(record) or self.last_week
        self.answered.add(self.last_week)

    def week(self, record: Possession) -> int | None:
        """Return the week whose first round a statement answers, None if it answers no such."""
        if self.first_round is None:
            return None
        week, rest = divmod(record.round - self.first_round, WEEK_MS // self.round_ms)
        return week if rest == 0 and week > 0 else None

    def misplaced(self, record: Possession) -> str:
        """Say why a statement is no successor of the one before it; empty if it is."""
        week = self.week(record)
        if week is None or week <= self.last_week:
            return "its round is not that of a later week"
        if record.before != self.last:
            return "it does not follow the statement before it"
        known = len(self.due(record.round))
        if record.count != known:
            return f"it covers {record.count} frames, and the chain has {known}"
        return ""

    def unproven(self, record: Possession) -> str:
        """Say why the answers of a statement show nothing; empty if they hold."""
        drawn = self.draw(record.value)
        if len(record.answers) != len(drawn):
            return f"it answers {len(record.answers)} of {len(drawn)} draws"
        for answer, (number, block) in zip(record.answers, drawn, strict=True):
            if answer.outcome is Held.SHOWN:
                try:
                    self.week_of(number).check(answer, number, block)
                except VerificationError as error:
                    return str(error)
        return ""

    def _count(self, segment: Segment) -> None:
        if self.first_round is None:
            return
        week = (segment.round - self.first_round) // (WEEK_MS // self.round_ms)
        start = weeks_round(self.first_round, self.round_ms, week)
        if week > 0 and self._framed is not None and self._framed < start:
            self.worked.add(week)
        if segment.frames and self._framed is None:
            self._framed = segment.round


def possessions_of(
    round_ms: int,
    items: Sequence[Item],
    proven: Collection[int],
    is_drawable: Callable[[int], bool],
) -> HeldReport:
    """Examine the possession statements of an engagement, in the order of the log.

    `items` are (index in the log, digest, record) of all its statements, `proven` the indices of
    those whose value is shown to be the operator's. `is_drawable` is asked, in ascending order,
    whether the operator had committed to a round's value. Statements after the first `MAX_CHECKED`
    are not looked at.
    """
    fold = _Fold(HeldChain(round_ms), items)
    found: list[HeldFinding] = []
    for index, digest, record in items:
        if isinstance(record, Possession) and len(found) < MAX_CHECKED:
            found.append(fold.examine(index, digest, record, proven=index in proven))
    return HeldReport(tuple(found), tuple(fold.missed(is_drawable)))


class _Fold:
    """Bring a chain forward to where each statement speaks from, and examine it there."""

    def __init__(self, chain: HeldChain, items: Iterable[Item]) -> None:
        self._chain = chain
        self._links = [
            (index, digest, record)
            for index, digest, record in items
            if isinstance(record, ChainedRecord)
        ]
        self._places = {digest: place for place, (_, digest, _) in enumerate(self._links)}
        self._at = 0

    def examine(
        self, index: int, digest: Digest, record: Possession, *, proven: bool
    ) -> HeldFinding:
        why = self._go_to(index, record.head) or self._chain.misplaced(record)
        week = self._chain.week(record) or 0
        if not why:
            why = "" if proven else "its value is not shown to be the operator's"
            why = why or self._left_out(index, record) or self._chain.unproven(record)
            self._chain.follow(digest, record)
        # Of a statement that does not hold nothing counts.
        outcomes = [] if why else [one.outcome for one in record.answers]
        return HeldFinding(
            digest,
            record,
            week,
            shown=outcomes.count(Held.SHOWN),
            lost=outcomes.count(Held.LOST),
            why=why,
        )

    def missed(self, is_drawable: Callable[[int], bool]) -> Iterable[int]:
        chain = self._chain
        self._forward(len(self._links))
        newest = max(chain.worked, default=0)
        for week in sorted(chain.worked - chain.answered - {newest}):
            if chain.first_round is not None and is_drawable(
                weeks_round(chain.first_round, chain.round_ms, week)
            ):
                yield week

    def _go_to(self, index: int, head: Digest) -> str:
        place = self._places.get(head)
        if place is None or self._links[place][0] > index:
            return "the statement up to which it speaks does not stand before it in the chain"
        if place + 1 < self._at:
            return "it speaks of less of the chain than the one before it"
        self._forward(place + 1)
        return ""

    def _left_out(self, index: int, record: Possession) -> str:
        for at, _, other in self._links[self._at :]:
            if at > index or (isinstance(other, Segment) and other.round >= record.round):
                return ""
            if isinstance(other, Segment) and other.frames:
                return "it leaves out frames that were in the log"
        return ""

    def _forward(self, to: int) -> None:
        for _, _, record in self._links[self._at : to]:
            self._chain.work(record)
        self._at = max(self._at, to)


def _block_leaves(salt: bytes, blocks: Sequence[bytes]) -> list[bytes]:
    if len(blocks) != BLOCKS:
        raise ValueError(f"an object has {BLOCKS} blocks, found {len(blocks)}")
    return [leaf_hash(salt + block) for block in blocks]
