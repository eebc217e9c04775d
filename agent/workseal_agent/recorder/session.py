"""The statements of one session: its opening, its segments, the memo's declaration, its end.

Rules: each is signed and stored in one transaction with everything that belongs to it. The agent's
chain is random, made when the session opens; a segment reveals one value of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from workseal_agent.chain import OwnChain, Place
from workseal_agent.ledger import (
    Ledger,
    Memo,
    PrivateValue,
    SegmentRow,
    SessionSecrets,
    Transaction,
)
from workseal_protocol.chain import LONGEST_DECLARATION, OpenSession
from workseal_protocol.commitment import ValueKind, commit, derive_salt
from workseal_protocol.digest import Digest
from workseal_protocol.lottery import ChainSide, build_chain, chain_head
from workseal_protocol.records import (
    Anchor,
    Capture,
    Declaration,
    DeclarationForm,
    Segment,
    SegmentState,
    SessionClose,
    SessionOpen,
)
from workseal_protocol.statement import Statement

# A session lasts a day at most; the recorder opens the next one by itself.
_DAY_MS = 86_400_000
_MAX_ROUNDS = 65_536

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class RunningSession:
    """Hold an open session with the values that it will reveal."""

    id: bytes
    first_round: int
    values: tuple[bytes, ...] = field(repr=False)
    secret: bytes = field(repr=False)

    def covers(self, round_: int) -> bool:
        """Tell whether a round is one of the session's."""
        return 0 <= round_ - self.first_round < len(self.values)

    def value(self, round_: int) -> bytes:
        """Return the agent's value of a round."""
        return self.values[round_ - self.first_round]


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold a finished stretch until it is signed and stored."""

    session: bytes
    anchor: Anchor
    round: int
    state: SegmentState
    begin_ms: int
    end_ms: int
    worked_ms: int
    agent_value: bytes
    verifier_value: bytes | None
    capture: Capture
    frames: tuple[Digest, ...]
    activity: bytes | None
    notes: bytes
    secret: bytes = field(repr=False)


class SessionBook:
    """Write the statements of sessions into the chain."""

    def __init__(
        self,
        chain: OwnChain,
        ledger: Ledger,
        *,
        agent: str,
        wall_ms: Callable[[], int],
        random: RandomBytes,
    ) -> None:
        self._chain = chain
        self._ledger = ledger
        self._agent = agent
        self._wall_ms = wall_ms
        self._random = random

    def open(self, first_round: int, environment: bytes) -> RunningSession:
        """Open a session for the rounds of the coming day."""
        round_ms = self._chain.state.terms.round_ms
        rounds = min(_MAX_ROUNDS, -(-_DAY_MS // round_ms))
        own = SessionSecrets(self._random(32), self._random(32))
        values = build_chain(ChainSide.AGENT, own.chain_last, rounds)
        session = self._random(16)
        salt = derive_salt(own.secret, ValueKind.ENVIRONMENT, 0)

        def build(place: Place) -> SessionOpen:
            return SessionOpen(
                **place.link(self._wall_ms()),
                session=session,
                head=chain_head(ChainSide.AGENT, values[0]),
                first_round=first_round,
                rounds=rounds,
                agent=self._agent,
                environment=commit(ValueKind.ENVIRONMENT, salt, environment),
            )

        def also(writing: Transaction, statement: Statement) -> None:
            engagement = self._chain.state.engagement
            writing.add_session(engagement, session, first_round, rounds, own)
            value = PrivateValue(ValueKind.ENVIRONMENT, salt, environment)
            writing.add_opening(statement.digest, value)

        self._chain.append(build, also)
        return RunningSession(session, first_round, values, own.secret)

    def segment(self, draft: Draft) -> Statement:
        """Sign and store one finished stretch."""
        values: list[PrivateValue] = []

        def keep(kind: ValueKind, seq: int, value: bytes) -> Digest:
            salt = derive_salt(draft.secret, kind, seq)
            values.append(PrivateValue(kind, salt, value))
            return commit(kind, salt, value)

        def build(place: Place) -> Segment:
            activity = None
            if draft.activity is not None:
                activity = keep(ValueKind.ACTIVITY, place.seq, draft.activity)
            return Segment(
                **place.link(self._wall_ms(), draft.anchor),
                session=draft.session,
                round=draft.round,
                begin=draft.begin_ms,
                end=draft.end_ms,
                worked=draft.worked_ms,
                state=draft.state,
                agent_value=draft.agent_value,
                verifier_value=draft.verifier_value,
                activity=activity,
                notes=keep(ValueKind.NOTES, place.seq, draft.notes),
                capture=draft.capture,
                frames=draft.frames,
            )

        def also(writing: Transaction, statement: Statement) -> None:
            row = SegmentRow(
                draft.session, draft.begin_ms, draft.end_ms, draft.worked_ms, int(draft.state)
            )
            writing.add_segment(self._chain.state.engagement, statement.digest, row)
            writing.attach_captures(statement.digest, draft.frames)
            for value in values:
                writing.add_opening(statement.digest, value)

        return self._chain.append(build, also)

    def close(self, session: OpenSession) -> Statement:
        """Close a session with the sums of its segments."""

        def build(place: Place) -> SessionClose:
            return SessionClose(
                **place.link(self._wall_ms()),
                session=session.session,
                segments=session.segments,
                worked=session.worked,
                captured=session.captured,
                missed=session.missed,
            )

        return self._chain.append(build)

    def declare(self, memo: Memo) -> Statement | None:
        """Describe off-screen work that a memo was written for; None when there was none.

        One unbroken run: what was worked after a pause waits, with the memo, for the next call. So
        a declaration never spans time that something else tells of, nor more than it may.
        """
        engagement = self._chain.state.engagement
        run, rest = _first_run(self._ledger.segments(engagement, memo.begin_ms, _FOREVER))
        if not run:
            with self._ledger.write() as writing:
                writing.clear_memo(engagement)
            return None
        salt, text = self._random(16), memo.text.encode()

        def build(place: Place) -> Declaration:
            return Declaration(
                # A stepped wall clock must not make the stretch look as if it were still to come.
                **place.link(max(self._wall_ms(), run[-1].end_ms)),
                begin=run[0].begin_ms,
                end=run[-1].end_ms,
                worked=sum(row.worked_ms for row in run),
                form=DeclarationForm.LIVE,
                memo=commit(ValueKind.MEMO, salt, text),
                artefact=None,
            )

        def also(writing: Transaction, statement: Statement) -> None:
            writing.add_opening(statement.digest, PrivateValue(ValueKind.MEMO, salt, text))
            writing.clear_memo(engagement)
            if rest is not None:
                writing.set_memo(engagement, rest.begin_ms, memo.text)

        return self._chain.append(build, also)


_FOREVER = 1 << 62


def _first_run(rows: tuple[SegmentRow, ...]) -> tuple[list[SegmentRow], SegmentRow | None]:
    """Return the first unbroken off-screen segments, and the off-screen one after a break."""
    run: list[SegmentRow] = []
    for row in rows:
        if row.state != SegmentState.OFF_SCREEN:
            if run:
                break
        elif not run or _continues(run, row):
            run.append(row)
        else:
            return run, row
    return run, None


def _continues(run: list[SegmentRow], row: SegmentRow) -> bool:
    return row.begin_ms == run[-1].end_ms and row.end_ms - run[0].begin_ms <= LONGEST_DECLARATION
