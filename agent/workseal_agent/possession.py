"""Saying each week which sealed frames are still held: the statement itself.

Rules: it stands beside the chain, so it holds up no hour, and it speaks of what is in the log, so
that its readers find the same. Nothing withdrawn is drawn, counted or read. Before a frame is
called lost, its owner has days to restore or withdraw it. What fails is tried again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase, phrases
from workseal_agent.ledger import Engagement, Ledger, SendState
from workseal_agent.possessionweeks import first_round, said_of, weekly_statements
from workseal_protocol.digest import Digest
from workseal_protocol.errors import VerificationError
from workseal_protocol.keys import Signer
from workseal_protocol.lottery import round_at, round_start
from workseal_protocol.merkle import inclusion_path, root_of
from workseal_protocol.possession import (
    WEEK_MS,
    Drawn,
    HeldChain,
    HeldWeek,
    block_path,
    frame_leaf,
    weeks_round,
)
from workseal_protocol.records import (
    ChainedRecord,
    Held,
    HeldAnswer,
    Possession,
    Segment,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement

# So long is waited from the week's first round on before drawn frames are called lost.
GRACE_MS = 3 * 86_400_000


class Blocks(Protocol):
    """What is asked of the vault: ciphertext, and what is derived beside it."""

    def blocks(self, frame: Digest) -> tuple[bytes, ...] | None:
        """Return the blocks of a frame, None when it is not there."""
        ...

    def salt(self, frame: Digest) -> bytes:
        """Return the salt of a frame's blocks."""
        ...

    def root(self, frame: Digest) -> bytes | None:
        """Return what is committed to of a frame, None when it is not there."""
        ...

    def stand_in(self, frame: Digest) -> bytes:
        """Return what is committed to in the place of a frame that is not there."""
        ...


# Gives the verified value of a round, None when nobody ever has it.
ValueOf = Callable[[int], bytes | None]
# Called between two pieces of work.
Rest = Callable[[], None]


class MissingFramesError(AgentError):
    """Say that drawn frames are not there, and until when their owner can do something."""


class NotYetError(AgentError):
    """Say that something else has to reach the log first; it is looked at again."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Hold the chain up to the newest statement that is in the log, and what waits behind it.

    `waiting` is the first round with a frame that is not in the log yet, `refused` are the rounds
    of statements that the verifier did not take.
    """

    chain: HeldChain
    head: Digest
    waiting: int | None
    refused: frozenset[int]


def fold_held(ledger: Ledger, engagement: Engagement, rest: Rest) -> Folded | None:
    """Fold the logged part of a chain with the weekly statements beside it; None when it is empty.

    The chain is read a few statements at a time; what is held at once are digests of frames.
    """
    chain = HeldChain(engagement.terms.round_ms)
    beside: dict[Digest, list[tuple[Digest, Possession]]] = {}
    refused = set()
    for one, said in weekly_statements(ledger, engagement):
        if one.state is SendState.PARKED:
            refused.add(said.round)
        else:
            beside.setdefault(said.head, []).append((one.digest, said))
    head: Digest | None = None
    for number, stored in enumerate(ledger.chain(engagement.id)):
        if number % 64 == 0:
            rest()
        record = cast("ChainedRecord", read_record(Statement.parse(stored.body)))
        if stored.state is not SendState.RECEIPTED:
            if head is None:
                return None
            waiting = _waiting(ledger, engagement, stored.seq or 0)
            return Folded(chain, head, waiting, frozenset(refused))
        chain.work(record)
        head = stored.digest
        for digest, said in beside.get(stored.digest, ()):
            if not chain.misplaced(said):
                chain.follow(digest, said)
    return None if head is None else Folded(chain, head, None, frozenset(refused))


def say(  # noqa: PLR0913 - what it is made of, and from where
    ledger: Ledger,
    engagement: Engagement,
    signer: Signer,
    vault: Blocks,
    *,
    value_of: ValueOf,
    now_ms: int,
    rest: Rest = lambda: None,
) -> Statement | None:
    """Make and store the statement of the oldest week that is due; None when none can be.

    Raises `MissingFramesError` while drawn frames may still come back, `NotYetError` while the log
    has not what it must speak of, and whatever fetching and reading raise. Nothing is stored then.
    """
    due = said_of(ledger, engagement, now_ms).due
    first = first_round(ledger, engagement)
    if due is None or first is None or ledger.is_restored(engagement.id):
        return None
    # Asked first: who is offline does not read a year's chain to find that out.
    newest = weeks_round(first, engagement.terms.round_ms, due)
    values = {newest: value_of(newest)}
    folded = fold_held(ledger, engagement, rest)
    if folded is None:
        return None
    for number in _due_rounds(folded, now_ms):
        value = values[number] if number in values else value_of(number)
        if value is not None:
            saying = _Saying(ledger, engagement, vault, folded, rest)
            return saying.round(number, value, signer, now_ms=now_ms)
    return None


class _Saying:
    """Make one statement."""

    def __init__(
        self, ledger: Ledger, engagement: Engagement, vault: Blocks, folded: Folded, rest: Rest
    ) -> None:
        self._ledger = ledger
        self._engagement = engagement
        self._vault = vault
        self._chain = folded.chain
        self._folded = folded
        self._rest = rest
        # What was committed to of each frame, by the statement that did.
        self._committed: dict[Digest, tuple[bytes, ...]] = {}
        # Frames that are not withdrawn, and were not found.
        self._missing = 0

    def round(self, number: int, value: bytes, signer: Signer, *, now_ms: int) -> Statement:
        chain, round_ms = self._chain, self._engagement.terms.round_ms
        if self._folded.waiting is not None and self._folded.waiting < number:
            raise NotYetError("frames of the past week are not in the log yet")
        drawn = chain.draw(value)
        self._require_none_withdrawn(drawn)
        answers = tuple(self._answer(*one) for one in drawn)
        self._missing = sum(one.outcome is Held.LOST for one in answers)
        frames = chain.due(number)
        roots = self._roots(frames)
        until_ms = round_start(number, round_ms) + GRACE_MS
        if self._missing and now_ms < until_ms:
            raise MissingFramesError(_missing_text(self._missing, until_ms))
        leaves = [frame_leaf(*one) for one in zip(frames, roots, strict=True)]
        record = Possession(
            engagement=self._engagement.id,
            claimed_at=now_ms,
            round=number,
            value=value,
            head=self._folded.head,
            before=chain.last,
            count=len(frames),
            root=Digest(root_of(leaves)) if leaves else None,
            answers=answers,
        )
        statement = sign(record, signer)
        with self._ledger.write() as writing:
            # Somebody withdrew a frame meanwhile: it is not to be shown.
            self._require_none_withdrawn(drawn)
            writing.add_statement(self._engagement.id, statement)
            writing.add_possession(self._engagement.id, statement.digest, roots)
        return statement

    def _require_none_withdrawn(self, drawn: tuple[Drawn, ...]) -> None:
        """Wait for a tombstone that is on its way: then its frame is not drawn at all."""
        withdrawn = self._ledger.withdrawn(self._engagement.id)
        if any(self._chain.frames[number] in withdrawn for number, _ in drawn):
            raise NotYetError("a withdrawal is not in the log yet")

    def _answer(self, number: int, block: int) -> HeldAnswer:
        week = self._chain.week_of(number)
        frame = self._chain.frames[number]
        blocks = self._vault.blocks(frame)
        self._rest()
        roots = self._roots_of(week)
        if blocks is None or len(roots) != len(week.frames):
            return HeldAnswer(Held.LOST)
        return _shown(week, number, block, roots, self._vault.salt(frame), blocks)

    def _roots_of(self, week: HeldWeek) -> tuple[bytes, ...]:
        """Return what a week's statement committed to.

        If another copy of this home made it, the same follows from what is still here.
        """
        known = self._committed.get(week.statement)
        if known is None:
            known = self._ledger.held_objects(week.statement) or self._roots(week.frames)
            self._committed[week.statement] = known
        return known

    def _roots(self, frames: tuple[Digest, ...]) -> tuple[bytes, ...]:
        withdrawn = self._ledger.withdrawn(self._engagement.id)
        roots = []
        for frame in frames:
            root = self._vault.root(frame)
            if root is None and frame not in withdrawn:
                self._missing += 1
            roots.append(self._vault.stand_in(frame) if root is None else root)
            self._rest()
        return tuple(roots)


def _shown(
    week: HeldWeek,
    number: int,
    block: int,
    roots: tuple[bytes, ...],
    salt: bytes,
    blocks: tuple[bytes, ...],
) -> HeldAnswer:
    """Show a block; what its readers would not find to be the committed one is lost."""
    leaves = [frame_leaf(*one) for one in zip(week.frames, roots, strict=True)]
    path = (*block_path(salt, blocks, block), *inclusion_path(leaves, number - week.first))
    answer = HeldAnswer(Held.SHOWN, salt, blocks[block], path)
    try:
        week.check(answer, number, block)
    except VerificationError:
        return HeldAnswer(Held.LOST)
    return answer


def _missing_text(missing: int, until_ms: int) -> str:
    from workseal_protocol.cli.text import instant  # noqa: PLC0415 - a recording seldom tells this

    frames = phrases(missing, "1 frame", "{count} frames")
    return phrase(
        "not there or damaged for the weekly proof: {frames}. Restore from a backup, or withdraw"
        " what is lost (`workseal-agent vault check --depth keys` names it); from {until} on the"
        " proof goes without it",
        frames=frames,
        until=instant(until_ms),
    )


def _due_rounds(folded: Folded, now_ms: int) -> Iterator[int]:
    """Yield the rounds to be answered: of weeks of work, oldest first, and of the running one."""
    chain = folded.chain
    first = chain.first_round
    if first is None:
        return
    newest = (round_at(now_ms, chain.round_ms) - first) // (WEEK_MS // chain.round_ms)
    for week in sorted({one for one in chain.worked if one < newest} | {newest}):
        number = weeks_round(first, chain.round_ms, week)
        wanted = week > chain.last_week and number not in folded.refused
        if wanted and (chain.frames or chain.due(number)):
            yield number


def _waiting(ledger: Ledger, engagement: Engagement, seq: int) -> int | None:
    """Find the round of the first frame that waits to be sent."""
    for stored in ledger.chain(engagement.id, seq):
        record = read_record(Statement.parse(stored.body))
        if isinstance(record, Segment) and record.frames:
            return record.round
    return None
