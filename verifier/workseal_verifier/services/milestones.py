"""How a chain stood after some of its statements, in few bytes: as much as its next one needs.

Rules: all of it follows from the statements; `parse` refuses what `encode` would not write. A part
tells what the statements from one number to before another added to the chain's past; a state is
the rest.
"""

import operator
import sys
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from workseal_protocol.chain import ChainReplay, ChainState, OpenSession
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError
from workseal_verifier.store.milestonerows import MilestoneRow
from workseal_verifier.store.schema import STATE_BYTES, STATEMENT_BYTES

# So many statements of a chain are read one by one at most, and as many more as one tick takes.
EVERY: Final = 256
# A chain of an earlier program has none: no tick is to write all of a long one's at once.
MOST_AT_ONCE: Final = 64
K = TypeVar("K")
_NUMBER_BYTES = 8
_ID_BYTES = 16
_WHERE = "a milestone's past"


@dataclass(frozen=True, slots=True)
class Part:
    """What the statements from number `since` to before `reach` added to the past of a chain.

    The recorded spans are four arrays, in order; `attended` has a byte for each of them. Frames are
    listed by the segment that committed to them.
    """

    since: int
    reach: int
    begins: "array[int]"
    ends: "array[int]"
    seqs: "array[int]"
    worked: "array[int]"
    attended: bytes
    late: tuple[tuple[int, int, int], ...]
    frames: tuple[tuple[int, Digest, tuple[Digest, ...]], ...]
    withdrawn: tuple[tuple[Digest, int], ...]
    sessions: tuple[tuple[bytes, int], ...]

    def __post_init__(self) -> None:
        spans = len(self.seqs)
        if {len(self.begins), len(self.ends), len(self.worked), len(self.attended)} != {spans}:
            raise ValueError("expected as many begins, ends and the rest as there are spans")
        if self.attended.translate(None, b"\x00\x01"):
            raise ValueError("expected 0 or 1 for each span")
        if not all(map(operator.le, self.begins, self.begins[1:])):
            raise ValueError("spans are out of order")
        lengths = map(operator.sub, self.ends, self.begins)
        if min((*self.begins, *self.worked, *lengths), default=0) < 0:
            raise ValueError("a span ends before it begins, or time is below 0")
        _require_rising(self.seqs, self.since, self.reach)
        _require_rising([seq for seq, _, _ in self.frames], self.since, self.reach)
        for numbers in (
            [seq for _, _, seq in self.late],
            [seq for _, seq in self.withdrawn],
            [seq for _, seq in self.sessions],
        ):
            _require_rising(numbers, self.since, self.reach)

    @classmethod
    def of(cls, past: ChainReplay, since: int, reach: int) -> Self:
        """Take from the past of a chain what these statements added."""
        recorded, attended = past.recorded, past.attended
        first, end = bisect_left(recorded.seqs, since), bisect_left(recorded.seqs, reach)
        seqs = recorded.seqs[first:end]
        there = attended.seqs[bisect_left(attended.seqs, since) : bisect_left(attended.seqs, reach)]
        return cls(
            since=since,
            reach=reach,
            begins=recorded.begins[first:end],
            ends=recorded.ends[first:end],
            seqs=seqs,
            worked=_steps(recorded.sums, first, end),
            attended=b"\x01" * len(seqs) if there == seqs else _among(seqs, set(there)),
            late=tuple(
                sorted(
                    (one for one in past.late if since <= one[2] < reach), key=lambda one: one[2]
                )
            ),
            frames=_by_segment(past, since, reach),
            withdrawn=_within(past.withdrawn, since, reach),
            sessions=_within(past.sessions, since, reach),
        )

    def add_to(self, past: ChainReplay) -> None:
        """Let a chain remember this, as far as it does not know it already."""
        known = past.length
        first = bisect_left(self.seqs, known)
        begins, ends, seqs = self.begins[first:], self.ends[first:], self.seqs[first:]
        past.recorded.extend(begins, ends, seqs, self.worked[first:])
        if self.attended.count(1, first) < len(seqs):
            there = [at for at, one in enumerate(self.attended[first:]) if one]
            begins, ends, seqs = (
                array("q", [one[at] for at in there]) for one in (begins, ends, seqs)
            )
        past.attended.extend(begins, ends, seqs, array("q", bytes(_NUMBER_BYTES * len(seqs))))
        for begin, end, seq in self.late:
            if seq >= known:
                past.late.add(begin, end, seq)
        # What is there already is put where it is.
        for seq, segment, frames in self.frames:
            past.frames.update((frame, (seq, segment)) for frame in frames)
        past.withdrawn.update(self.withdrawn)
        past.sessions.update(self.sessions)
        past.length = max(known, self.reach)

    def encode(self) -> bytes:
        """Write it, without the numbers between which it lies."""
        value: dict[int, Value] = {
            1: _octets(self.begins),
            2: _octets(self.ends),
            3: _octets(self.seqs),
            4: _octets(self.worked),
            5: self.attended,
            6: [list(one) for one in self.late],
            7: [
                [seq, segment.raw, b"".join(frame.raw for frame in frames)]
                for seq, segment, frames in self.frames
            ],
            8: [[frame.raw, seq] for frame, seq in self.withdrawn],
            9: [[session, seq] for session, seq in self.sessions],
        }
        return encode(value)

    @classmethod
    def parse(cls, data: bytes, since: int, reach: int) -> Self:
        """Read one, or raise `MalformedError`."""
        fields = Fields(decode(data), _WHERE)
        begins, ends, seqs, worked = (
            _numbers(fields.octets(key, name))
            for key, name in enumerate(("begins", "ends", "seqs", "worked"), 1)
        )
        attended = fields.octets(5, "attended")
        lists = [fields.array(key, name) for key, name in _LISTS]
        fields.close()
        try:
            late, frames, withdrawn, sessions = lists
            return cls(
                since=since,
                reach=reach,
                begins=begins,
                ends=ends,
                seqs=seqs,
                worked=worked,
                attended=attended,
                late=tuple(_late(one) for one in late),
                frames=tuple(_frames(one) for one in frames),
                withdrawn=tuple((Digest(name), seq) for name, seq in map(_named, withdrawn)),
                sessions=tuple(
                    (_of_length(name, _ID_BYTES), seq) for name, seq in map(_named, sessions)
                ),
            )
        except ValueError as error:
            raise MalformedError(f"{_WHERE}: {error}") from error


_LISTS = ((6, "late"), (7, "frames"), (8, "withdrawn"), (9, "sessions"))


# --- the rest of a chain's state -----------------------------------------------------


def encode_state(chain: ChainState) -> bytes:
    """Write what a state holds beside its past, its terms and its beginning."""
    value: dict[int, Value] = {
        1: chain.head.raw,
        2: chain.anchor_size,
        3: chain.last_round,
        4: chain.last_end,
        5: chain.round_worked,
        6: chain.round_span,
    }
    if chain.session is not None:
        value[7] = _session_value(chain.session)
    return encode(value)


def parse_state(data: bytes, before: ChainState, reach: int) -> ChainState:
    """Read how a chain stood whose next number was `reach`, or raise `MalformedError`.

    `before` is an earlier state of it, whose past is to have been brought to there.
    """
    fields = Fields(decode(data, max_bytes=STATE_BYTES), "a milestone's state")
    inner = fields.optional_fields(7, "session")
    state = replace(
        before,
        next_seq=reach,
        head=fields.digest(1, "head"),
        anchor_size=fields.uint(2, "anchor_size"),
        last_round=fields.uint(3, "last_round"),
        last_end=fields.uint(4, "last_end"),
        round_worked=fields.uint(5, "round_worked"),
        round_span=fields.uint(6, "round_span"),
        session=None if inner is None else _session(inner),
    )
    fields.close()
    return state


def _session_value(session: OpenSession) -> dict[int, Value]:
    value: dict[int, Value] = {
        1: session.session,
        2: session.opened.raw,
        3: session.head.raw,
        4: session.first_round,
        5: session.rounds,
        6: session.segments,
        7: session.worked,
        8: session.captured,
        9: session.missed,
    }
    if session.known is not None:
        value[10], value[11] = session.known
    if session.drawn is not None:
        value[12] = session.drawn[0]
        if session.drawn[1] is not None:
            value[13] = session.drawn[1]
    return value


def _session(fields: Fields) -> OpenSession:
    known, known_value = fields.optional_uint(10, "known"), fields.optional_octets(11, "value")
    drawn, drawn_value = fields.optional_uint(12, "drawn"), fields.optional_octets(13, "value")
    if (known is None) != (known_value is None) or (drawn is None and drawn_value is not None):
        raise MalformedError("a milestone's state: a value without its round, or the reverse")
    session = OpenSession(
        session=fields.octets(1, "session", length=_ID_BYTES),
        opened=fields.digest(2, "opened"),
        head=fields.digest(3, "head"),
        first_round=fields.uint(4, "first_round"),
        rounds=fields.uint(5, "rounds"),
        known=None if known is None or known_value is None else (known, known_value),
        drawn=None if drawn is None else (drawn, drawn_value),
        segments=fields.uint(6, "segments"),
        worked=fields.uint(7, "worked"),
        captured=fields.uint(8, "captured"),
        missed=fields.uint(9, "missed"),
    )
    fields.close()
    return session


# --- rows ----------------------------------------------------------------------------


def is_due(chain: ChainState, marked: int) -> bool:
    """Tell whether a chain has come far since its milestones reached to `marked`."""
    return chain.next_seq - marked >= EVERY


def rows_since(chain: ChainState, since: int, position: int) -> list[MilestoneRow]:
    """Write what a chain became since a number; `position` is where its last statement stands."""
    past = chain.past.until(chain.next_seq)
    rows: list[MilestoneRow] = []
    for begin in range(since, chain.next_seq, EVERY):
        if len(rows) >= MOST_AT_ONCE:
            # The rest, and how the chain stands, with the next tick that moves it on.
            return rows
        rows += _parts(chain.engagement, past, begin, min(begin + EVERY, chain.next_seq))
    rows[-1] = replace(rows[-1], position=position, state=encode_state(chain))
    return rows


def _parts(engagement: bytes, past: ChainReplay, since: int, reach: int) -> list[MilestoneRow]:
    encoded = Part.of(past, since, reach).encode()
    if len(encoded) <= STATEMENT_BYTES or reach - since == 1:
        return [MilestoneRow(engagement=engagement, since=since, reach=reach, past=encoded)]
    # Many frames in each segment; those of one are in one statement, and so not too many.
    middle = (since + reach) // 2
    return [
        *_parts(engagement, past, since, middle),
        *_parts(engagement, past, middle, reach),
    ]


# --- forms ---------------------------------------------------------------------------


def _octets(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers = array("q", numbers)
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(data: bytes) -> "array[int]":
    if len(data) % _NUMBER_BYTES:
        raise MalformedError(f"{_WHERE}: expected {_NUMBER_BYTES} bytes for each number")
    numbers = array("q", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _steps(sums: "array[int]", first: int, end: int) -> "array[int]":
    """Tell by how much each of some sums is more than the one before it."""
    before = sums[first - 1 : end - 1] if first else array("q", [0, *sums[: max(end - 1, 0)]])
    return array("q", map(operator.sub, sums[first:end], before))


def _among(seqs: "array[int]", there: set[int]) -> bytes:
    return bytes(seq in there for seq in seqs)


def _require_rising(numbers: Sequence[int], since: int, reach: int) -> None:
    if not all(map(operator.lt, numbers, numbers[1:])):
        raise ValueError("numbers of statements are out of order")
    if numbers and not since <= numbers[0] <= numbers[-1] < reach:
        raise ValueError(f"a statement is not one from {since} to before {reach}")


def _by_segment(
    past: ChainReplay, since: int, reach: int
) -> tuple[tuple[int, Digest, tuple[Digest, ...]], ...]:
    found: dict[int, tuple[Digest, list[Digest]]] = {}
    # In the order in which they came: only the latest are looked at.
    for frame, (seq, segment) in reversed(past.frames.items()):
        if seq < since:
            break
        if seq < reach:
            found.setdefault(seq, (segment, []))[1].append(frame)
    return tuple(
        (seq, segment, tuple(reversed(frames)))
        for seq, (segment, frames) in sorted(found.items(), key=operator.itemgetter(0))
    )


def _within(told: Mapping[K, int], since: int, reach: int) -> tuple[tuple[K, int], ...]:
    return tuple((name, seq) for name, seq in told.items() if since <= seq < reach)


def _late(value: Value) -> tuple[int, int, int]:
    begin, end, seq = map(_whole, _listed(value, 3))
    return begin, end, seq


def _frames(value: Value) -> tuple[int, Digest, tuple[Digest, ...]]:
    seq, segment, joined = _listed(value, 3)
    if not isinstance(joined, bytes) or not joined or len(joined) % DIGEST_BYTES:
        raise ValueError("expected digests of frames")
    frames = (joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES))
    return _whole(seq), Digest(_of_length(segment, DIGEST_BYTES)), tuple(map(Digest, frames))


def _named(value: Value) -> tuple[bytes, int]:
    name, seq = _listed(value, 2)
    if not isinstance(name, bytes):
        raise ValueError("expected a name and a number")  # noqa: TRY004 - of what is read
    return name, _whole(seq)


def _listed(value: Value, length: int) -> Sequence[Value]:
    if not isinstance(value, list) or len(value) != length:
        raise ValueError(f"expected a list of {length}")
    return value


def _whole(value: Value) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("expected a number of 0 or more")
    return value


def _of_length(value: Value, length: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != length:
        raise ValueError(f"expected {length} bytes")
    return value
