"""A freelancer's agent that follows a script.

Everything follows from the simulator's seed. `twist` changes a record, or who signs it, just before
it is signed: for tests of what verification finds in records that an honest agent never makes.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from support.simulator import DAY_MS, Simulator, seeded
from workseal_protocol.chain import ChainState, OpenSession, follow
from workseal_protocol.commitment import (
    ActivityRecord,
    ActivitySource,
    Note,
    NoteCode,
    Opening,
    ValueKind,
    commit,
    derive_salt,
    encode_notes,
)
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, open_frame
from workseal_protocol.frame import FrameHeader, FrameTree, commit_frame
from workseal_protocol.keys import SeedSigner
from workseal_protocol.lottery import ChainSide, build_chain, chain_head, draw, round_start
from workseal_protocol.records import (
    Acceptance,
    Anchor,
    Capture,
    ChainedRecord,
    Declaration,
    DeclarationForm,
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Evidence,
    Finding,
    Offer,
    Outcome,
    Record,
    RequestedFrame,
    Segment,
    SegmentState,
    SessionClose,
    SessionOpen,
    SheetAnswer,
    Timesheet,
    TimesheetAnswer,
    Tombstone,
    WithdrawalReason,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Level, Terms
from workseal_protocol.timesheets import day_number, sums_of

Twist = Callable[[Record, SeedSigner], tuple[Record, SeedSigner]]

WIDTH, HEIGHT = 64, 48


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """Hold what a vault would hold of one frame."""

    segment: Digest
    tree: FrameTree
    pixels: bytes
    seed: bytes


class ScriptedAgent:
    """Do what the script says, at the simulator's time."""

    size = WIDTH, HEIGHT

    def __init__(
        self,
        verifier: Simulator,
        *,
        terms: Terms | None = None,
        engagement: bytes | None = None,
        twist: Twist | None = None,
    ) -> None:
        self.verifier = verifier
        self.terms = terms or verifier.terms()
        self.engagement = engagement or seeded(verifier.seed, "engagement")[:16]
        self.twist = twist
        self.online = True
        self.miss_next = False
        self.pending: list[Statement] = []
        self.frames: list[KeptFrame] = []
        self.openings: list[Opening] = []
        self.made: list[tuple[Statement, Record]] = []
        self._values: tuple[bytes, ...] = ()
        self._join()

    def _join(self) -> None:
        people, now = self.verifier.people, self.verifier.now
        offer = self._sign(
            Offer(engagement=self.engagement, claimed_at=now, terms=self.terms), people.client
        )
        acceptance = self._sign(
            Acceptance(
                engagement=self.engagement,
                claimed_at=now + 60_000,
                terms=self.terms,
                offer=offer.digest,
            ),
            people.freelancer,
        )
        self.verifier.admit([offer])
        self.verifier.now += 60_000
        self.verifier.admit([acceptance])
        self.state = ChainState.start(
            self.engagement, self.terms, acceptance.digest, agreed_at=now + 60_000
        )
        self.anchor = self.refresh()

    def refresh(self) -> Anchor:
        """Take the newest checkpoint as anchor."""
        signed = self.verifier.checkpoint()
        self.anchor = Anchor(signed.digest, signed.checkpoint.size)
        return self.anchor

    def open_session(self, rounds: int = 360) -> None:
        """Open a session that begins in the current round."""
        first = self.verifier.now // self.terms.round_ms
        session = seeded(self.verifier.seed, "session", self.state.next_seq)
        last = seeded(self.verifier.seed, "agent chain", self.state.next_seq)
        self._values = build_chain(ChainSide.AGENT, last, rounds)
        self._first = first
        self._secret = session
        environment = self._value(ValueKind.ENVIRONMENT, 0, b"1 display 64x48, virtual")
        statement = self._chain(
            SessionOpen(
                **self._link(),
                session=session[:16],
                head=chain_head(ChainSide.AGENT, self._values[0]),
                first_round=first,
                rounds=rounds,
                agent="scripted 1",
                environment=environment[1],
            )
        )
        self._keep(statement, ValueKind.ENVIRONMENT, environment[0])
        self.send()

    def work(self, ms: int, state: SegmentState = SegmentState.WORKING) -> None:
        """Work for some time: one segment for each round that it touches."""
        begin, until = self.verifier.now, self.verifier.now + ms
        while begin < until:
            number = begin // self.terms.round_ms
            end = min(round_start(number + 1, self.terms.round_ms), until)
            self.verifier.now = end
            self._segment(number, begin, end, state)
            begin = end

    def pause(self, ms: int) -> None:
        """Let time pass."""
        self.verifier.now += ms

    def close_session(self) -> None:
        """Close the session with its sums."""
        session = self._session()
        self._chain(
            SessionClose(
                **self._link(),
                session=session.session,
                segments=session.segments,
                worked=session.worked,
                captured=session.captured,
                missed=session.missed,
            )
        )
        self.send()

    def withdraw(
        self, frame: KeptFrame, reason: WithdrawalReason = WithdrawalReason.PRIVATE
    ) -> None:
        """Withdraw a frame."""
        self._chain(
            Tombstone(
                **self._link(),
                segment=frame.segment,
                frame=frame.tree.commitment,
                reason=reason,
            )
        )
        self.frames.remove(frame)
        self.send()

    def declare(self, form: DeclarationForm, begin: int, end: int, worked: int) -> None:
        """Declare time, with a memo and an artefact."""
        number = self.state.next_seq
        memo = self._value(ValueKind.MEMO, number, b"sketched the new layout on paper")
        artefact = self._value(ValueKind.ARTEFACT, number, seeded(b"", "sketch.pdf"))
        statement = self._chain(
            Declaration(
                **self._link(),
                begin=begin,
                end=end,
                worked=worked,
                form=form,
                memo=memo[1],
                artefact=artefact[1],
            )
        )
        self._keep(statement, ValueKind.MEMO, memo[0])
        self._keep(statement, ValueKind.ARTEFACT, artefact[0])
        self.send()

    def prove(self, item: bytes) -> None:
        """Put evidence into the chain; `item` is what `encode_item` writes, or should be."""
        salt = seeded(self.verifier.seed, "evidence", self.state.next_seq)[:16]
        commitment = commit(ValueKind.EVIDENCE, salt, item)
        statement = self._chain(Evidence(**self._link(), item=commitment))
        self._keep(statement, ValueKind.EVIDENCE, (salt, item))
        self.send()

    def send(self) -> None:
        """Send what is pending, when online, and anchor to what came back."""
        if self.online and self.pending:
            self.verifier.submit(self.pending)
            self.pending.clear()
            self.refresh()

    def sum_up(
        self, first: date, last: date, *, replaces: Digest | None = None, **changes: Any
    ) -> Statement:
        """Sign and send the hours of some days of the terms' zone, or say something else."""
        self.send()
        sums = sums_of(
            self.terms,
            [record for _, record in self.made],
            ZoneInfo(self.terms.zone),
            first=first,
            last=last,
        )
        fields: dict[str, Any] = {
            "engagement": self.engagement,
            "claimed_at": self.verifier.now,
            "first": day_number(first),
            "last": day_number(last),
            "head": self.state.head,
            "days": sums.days,
            "billed_ms": sums.billed.ms,
            "amount": sums.billed.amount,
            "replaces": replaces,
        }
        record = Timesheet(**(fields | changes))
        statement = self._sign(record, self.verifier.people.freelancer)
        self.verifier.submit([statement])
        return statement

    def reply(self, sheet: Statement, answer: SheetAnswer, text: str | None = None) -> Statement:
        """Let the client answer a timesheet."""
        record = TimesheetAnswer(
            engagement=self.engagement,
            claimed_at=self.verifier.now,
            timesheet=sheet.digest,
            answer=answer,
            text=text,
        )
        statement = self._sign(record, self.verifier.people.client)
        self.verifier.submit([statement])
        return statement

    def request(self, frames: list[KeptFrame]) -> Statement:
        """Let the arbitrator ask for frames."""
        now = self.verifier.now
        statement = self._sign(
            DisputeRequest(
                engagement=self.engagement,
                claimed_at=now,
                frames=tuple(RequestedFrame(one.segment, one.tree.commitment) for one in frames),
                reason="the client doubts the first hour",
                sealing_key=seeded(self.verifier.seed, "sealing") * 38,
                answer_by=now + 10 * DAY_MS,
            ),
            self.verifier.people.arbitrator,
        )
        self.verifier.submit([statement])
        return statement

    def answer(
        self, request: Statement, frames: list[KeptFrame], shown: tuple[int, ...] = (0, 1)
    ) -> tuple[Disclosure, ...]:
        """Disclose some tiles of frames, and let the operator find what holds."""
        disclosures = tuple(disclose(frame, shown) for frame in frames)
        statement = self._sign(
            DisputeDisclosure(
                engagement=self.engagement,
                claimed_at=self.verifier.now,
                request=request.digest,
                frames=tuple(
                    DisclosedFrame(frame.tree.commitment, disclosure.digest)
                    for frame, disclosure in zip(frames, disclosures, strict=True)
                ),
            ),
            self.verifier.people.freelancer,
        )
        finding = self._sign(
            DisputeFinding(
                engagement=self.engagement,
                claimed_at=self.verifier.now,
                disclosure=statement.digest,
                findings=tuple(
                    Finding(one.digest, Outcome.HOLDS, len(shown), one.header.grid.count)
                    for one in disclosures
                ),
            ),
            self.verifier.people.operator,
        )
        self.verifier.submit([statement, finding])
        return disclosures

    # --- inner works ---

    def _session(self) -> OpenSession:
        if self.state.session is None:
            raise ValueError("no session is open")
        return self.state.session

    def _link(self) -> dict[str, Any]:
        return {
            "engagement": self.engagement,
            "seq": self.state.next_seq,
            "prev": self.state.head,
            "anchor": self.anchor,
            "claimed_at": self.verifier.now,
        }

    def _segment(self, number: int, begin: int, end: int, state: SegmentState) -> None:
        agent_value = self._values[number - self._first]
        verifier_value = self._value_of(number)
        capture, frame = self._capture(number, begin, end, state, agent_value, verifier_value)
        salt_number = self.state.next_seq
        activity = self._value(ValueKind.ACTIVITY, salt_number, self._activity(end - begin))
        notes = [Note(NoteCode.OFFLINE, 0)] if verifier_value is None else []
        noted = self._value(ValueKind.NOTES, salt_number, encode_notes(notes))
        active = self.terms.level >= Level.ACTIVITY and state is not SegmentState.SEALED
        statement = self._chain(
            Segment(
                **self._link(),
                session=self._session().session,
                round=number,
                begin=begin,
                end=end,
                worked=end - begin,
                state=state,
                agent_value=agent_value,
                verifier_value=verifier_value,
                activity=activity[1] if active else None,
                notes=noted[1],
                capture=capture,
                frames=(frame[0].commitment,) if frame else (),
            )
        )
        if active:
            self._keep(statement, ValueKind.ACTIVITY, activity[0])
        self._keep(statement, ValueKind.NOTES, noted[0])
        if frame:
            self.frames.append(KeptFrame(statement.digest, *frame))

    def _value_of(self, number: int) -> bytes | None:
        """Give the verifier's value as the round's first segment in this session had it."""
        drawn = self._session().drawn
        if drawn is not None and drawn[0] == number:
            return drawn[1]
        return self.verifier.value(number) if self.online else None

    def _capture(
        self,
        number: int,
        begin: int,
        end: int,
        state: SegmentState,
        agent_value: bytes,
        verifier_value: bytes | None,
    ) -> tuple[Capture, tuple[FrameTree, bytes, bytes] | None]:
        drawn = draw(
            agent_value=agent_value,
            verifier_value=verifier_value,
            engagement=self.engagement,
            round=number,
            rate=self.terms.capture_rate,
            round_ms=self.terms.round_ms,
        )
        instant = round_start(number, self.terms.round_ms) + drawn.offset_ms
        if not (drawn.due and state is SegmentState.WORKING and begin <= instant < end):
            return Capture.NONE, None
        if self.miss_next:
            self.miss_next = False
            return Capture.MISSED, None
        header = FrameHeader(
            width=self.size[0],
            height=self.size[1],
            tile=self.terms.tile,
            display=0,
            round=number,
            offset_ms=drawn.offset_ms,
            nonce=seeded(self.verifier.seed, "nonce", number)[:16],
        )
        pixels = self._pixels(number)
        seed = seeded(self.verifier.seed, "frame", number)[:16]
        return Capture.CAPTURED, (commit_frame(header, pixels, seed), pixels, seed)

    def _pixels(self, number: int) -> bytes:
        return (seeded(self.verifier.seed, "pixels", number) * 288)[: WIDTH * HEIGHT * 3]

    def _activity(self, ms: int) -> bytes:
        return ActivityRecord(
            observed_ms=ms,
            input_seconds=ms // 2000,
            keys=3,
            pointer=2,
            synthetic_tenths=None,
            changed_percent=7,
            source=ActivitySource.REPLAY,
        ).encode()

    def _value(
        self, kind: ValueKind, number: int, value: bytes
    ) -> tuple[tuple[bytes, bytes], Digest]:
        salt = derive_salt(self._secret, kind, number)
        return (salt, value), commit(kind, salt, value)

    def _keep(self, statement: Statement, kind: ValueKind, opened: tuple[bytes, bytes]) -> None:
        self.openings.append(Opening(statement.digest, kind, *opened))

    def _chain(self, record: ChainedRecord) -> Statement:
        statement = self._sign(record, self.verifier.people.freelancer)
        made = self.made[-1][1]
        known = (made.round, made.agent_value) if isinstance(made, Segment) else None
        # The next statement names what was signed; the rest is as an honest agent remembers it.
        self.state = follow(
            replace(self.state, next_seq=record.seq), statement.digest, record, known=known
        )
        self.pending.append(statement)
        return statement

    def _sign(self, record: Record, signer: SeedSigner) -> Statement:
        if self.twist is not None:
            record, signer = self.twist(record, signer)
        statement = sign(record, signer)
        self.made.append((statement, record))
        return statement


def disclose(frame: KeptFrame, shown: tuple[int, ...]) -> Disclosure:
    """Open tiles of a frame, with pixels in stored blocks: the same bytes from every zlib."""
    opened = open_frame(frame.tree, shown, pixels=frame.pixels, seed=frame.seed)
    return replace(opened, deflated=stored(opened.pixels))


def stored(data: bytes) -> bytes:
    """Write a zlib stream of one stored block (RFC 1950, RFC 1951 section 3.2.4)."""
    if len(data) > 0xFFFF:
        raise ValueError("one stored block has at most 65,535 bytes")
    block = struct.pack("<BHH", 1, len(data), len(data) ^ 0xFFFF) + data
    return b"\x78\x01" + block + struct.pack(">I", zlib.adler32(data))
