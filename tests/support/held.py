"""A freelancer who keeps frames, loses some, and says so every week: for vectors and the page."""

from dataclasses import dataclass, field
from typing import Any

from support.acting import ScriptedAgent
from support.simulator import DAY_MS, START, Simulator, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.merkle import inclusion_path, root_of
from workseal_protocol.possession import (
    BLOCKS,
    HeldChain,
    block_path,
    frame_leaf,
    object_root,
    weeks_round,
)
from workseal_protocol.records import ChainedRecord, Held, HeldAnswer, Possession, sign
from workseal_protocol.statement import Statement

WEEK_DAYS = 7


def blocks_of(frame: Digest) -> list[bytes]:
    """Give what stands for a frame's ciphertext."""
    return [seeded(frame.raw, number) * 8 for number in range(BLOCKS)]


def salt_of(frame: Digest) -> bytes:
    return seeded(frame.raw, "salt")[:16]


@dataclass(slots=True)
class Keeper:
    """Say each week what is held; `lost` frames are said to be lost when they are drawn."""

    agent: ScriptedAgent
    lost: set[Digest] = field(default_factory=set)
    said: list[Statement] = field(default_factory=list)
    _chain: HeldChain | None = None
    _folded: int = 0

    @property
    def chain(self) -> HeldChain:
        """Fold what the agent made so far."""
        if self._chain is None:
            self._chain = HeldChain(self.agent.terms.round_ms)
        for statement, record in self.agent.made[self._folded :]:
            if isinstance(record, ChainedRecord):
                self._chain.work(record)
            elif isinstance(record, Possession):
                self._chain.follow(statement.digest, record)
        self._folded = len(self.agent.made)
        return self._chain

    def round(self, week: int) -> int:
        """Return the round that draws in a week."""
        first = self.chain.first_round
        assert first is not None
        return weeks_round(first, self.agent.terms.round_ms, week)

    def say(self, week: int, **changes: Any) -> Statement:
        """Sign and send the statement of a week, or one with other fields."""
        chain, number = self.chain, self.round(week)
        value = self.agent.verifier.value(number)
        due = chain.due(number)
        fields: dict[str, Any] = {
            "engagement": self.agent.engagement,
            "claimed_at": self.agent.verifier.now,
            "round": number,
            "value": value,
            "head": self.agent.state.head,
            "before": chain.last,
            "count": len(due),
            "root": Digest(root_of([_leaf(one) for one in due])) if due else None,
            "answers": tuple(self.answer(*one) for one in chain.draw(value)),
        }
        record = Possession(**(fields | changes))
        statement = sign(record, self.agent.verifier.people.freelancer)
        self.agent.made.append((statement, record))
        self.agent.verifier.submit([statement])
        self.said.append(statement)
        return statement

    def answer(self, number: int, block: int) -> HeldAnswer:
        """Answer one draw."""
        week = self.chain.week_of(number)
        at = number - week.first
        frame = week.frames[at]
        if frame in self.lost:
            return HeldAnswer(Held.LOST)
        blocks, salt = blocks_of(frame), salt_of(frame)
        among = inclusion_path([_leaf(one) for one in week.frames], at)
        path = (*block_path(salt, blocks, block), *among)
        return HeldAnswer(Held.SHOWN, salt, blocks[block], path)


def _leaf(frame: Digest) -> bytes:
    return frame_leaf(frame, object_root(salt_of(frame), blocks_of(frame)))


def begin_week(verifier: Simulator, agent: ScriptedAgent, week: int, ms: int) -> None:
    """Let the operator commit to a window of values, and work for some time in it."""
    verifier.now = START + (WEEK_DAYS * week - 1) * DAY_MS
    if week:
        verifier.start_beacon((verifier.now + DAY_MS) // verifier.round_ms - 10, 1_000)
    verifier.now = START + WEEK_DAYS * week * DAY_MS + 3_000
    verifier.others(1)
    agent.refresh()
    agent.open_session()
    agent.work(ms)
    agent.close_session()
