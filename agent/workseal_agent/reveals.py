"""What was ever shown to whom, and what one more reveal would add to it.

Rules: what was seen stays known. A withdrawn frame keeps its lines; an answer that was signed and
perhaps never arrived counts as shown; and everybody to whom something was shown is taken to have
told the others. A hidden tile that looks like one that is shown elsewhere is hidden in name only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from workseal_agent.disclose import FrameReader, Opened, read_disclosure, shown_before
from workseal_agent.ledger import (
    CaptureRow,
    Engagement,
    Ledger,
    RevealRow,
    SendState,
    StoredStatement,
)
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.frame import CHANNELS, cut_rows
from workseal_protocol.records import (
    Act,
    DisputeAct,
    DisputeDisclosure,
    DisputeRequest,
    read_record,
)
from workseal_protocol.statement import Kind, Statement

_REFUSED = frozenset({SendState.PARKED, SendState.REPLACED})


@dataclass(frozen=True, slots=True)
class Reveal:
    """Hold one frame that one answer showed; `row` is None where this machine never knew the tiles.

    `to` is the arbitrator's key, `case` the case that the request was made in. An answer that is
    not `logged` was signed, and perhaps left this machine. What was `taken_back` may be cited no
    more, and stays known to whoever saw it.
    """

    at_ms: int
    statement: Digest
    request: Digest
    to: Digest | None
    case: Digest | None
    logged: bool
    frame: Digest
    capture: CaptureRow | None
    row: RevealRow | None
    taken_back: bool = False

    @property
    def name(self) -> str:
        """Name the frame: by its number, where this machine took it."""
        return str(self.frame)[:16] if self.capture is None else str(self.capture.number)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Hold openings that were handed over in a case; which values, their file alone tells.

    `file` is the digest of that file with its salt. An act that was refused handed over nothing.
    """

    at_ms: int
    case: Digest
    file: Digest
    logged: bool
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """Hold what would be known of a frame: `now` by this answer, `before` by those before it.

    `known_to` has the share of each arbitrator; `alike` counts the tiles that stay hidden and look
    exactly like a tile that is shown, of this or another frame.
    """

    frame: CaptureRow
    tiles: int
    now: frozenset[int]
    before: frozenset[int]
    known_to: Mapping[Digest, frozenset[int]]
    alike: int

    @property
    def all(self) -> frozenset[int]:
        """Return every tile that is shown by any of them."""
        return self.now | self.before


def reveals_of(ledger: Ledger, engagement: bytes) -> tuple[Reveal, ...]:
    """Return every frame that was ever shown by an answer, the oldest first."""
    captures = {row.commitment: row for row in ledger.captures(engagement)}
    noted = {(row.statement, row.frame): row for row in ledger.reveals(engagement)}
    asked = dict(_requests(ledger, engagement))
    taken_back = taken_back_by(ledger, engagement, logged=True)
    found = []
    for stored in ledger.of_kind(engagement, Kind.DISPUTE_DISCLOSURE):
        record = read_record(Statement.parse(stored.body))
        if not isinstance(record, DisputeDisclosure):
            continue
        to, case = asked.get(record.request, (None, None))
        place = record.place
        found += [
            Reveal(
                at_ms=record.claimed_at,
                statement=stored.digest,
                request=record.request,
                to=to,
                case=case if place is None else place.case,
                logged=stored.state is SendState.RECEIPTED,
                frame=one.frame,
                capture=captures.get(one.frame),
                row=noted.get((stored.digest, one.frame)),
                taken_back=stored.digest in taken_back,
            )
            for one in record.frames
        ]
    return tuple(sorted(found, key=lambda one: one.at_ms))


def handed_over_by(ledger: Ledger, engagement: bytes) -> tuple[HandedOver, ...]:
    """Return every `show` of a case, in the order in which they were signed."""
    taken_back = taken_back_by(ledger, engagement, logged=True)
    return tuple(
        HandedOver(
            at_ms=record.claimed_at,
            case=record.place.case,
            file=Digest(record.value),
            logged=stored.state is SendState.RECEIPTED,
            taken_back=stored.digest in taken_back,
        )
        for stored, record in _acts(ledger, engagement, Act.SHOW)
        if record.value is not None and stored.state not in _REFUSED
    )


def together(
    reader: FrameReader, ledger: Ledger, engagement: Engagement, opened: Sequence[Opened]
) -> tuple[Together, ...]:
    """Say of each frame what would be known of it when this answer is out too."""
    earlier = reveals_of(ledger, engagement.id)
    seen = set(_seen_before(reader, ledger, engagement.id))
    for one in opened:
        seen.update(map(_look, _structured(one.seen.tiles.values())))
    return tuple(_one_together(reader, ledger, engagement.id, one, earlier, seen) for one in opened)


def _one_together(
    reader: FrameReader,
    ledger: Ledger,
    engagement: bytes,
    one: Opened,
    earlier: Sequence[Reveal],
    seen: set[bytes],
) -> Together:
    commitment = one.frame.commitment
    now = frozenset(one.disclosure.shown)
    before = shown_before(reader, ledger, engagement, commitment)
    known_to: dict[Digest, frozenset[int]] = {}
    for reveal in earlier:
        if reveal.frame == commitment and reveal.to is not None and reveal.row is not None:
            known_to[reveal.to] = known_to.get(reveal.to, frozenset()) | set(reveal.row.shown)
    return Together(
        frame=one.frame,
        tiles=one.disclosure.header.grid.count,
        now=now,
        before=before,
        known_to=MappingProxyType(known_to),
        alike=sum(_look(tile) in seen for tile in _hidden(reader, commitment, now | before)),
    )


def taken_back_by(ledger: Ledger, engagement: bytes, *, logged: bool) -> frozenset[Digest]:
    """Return which answers and which `show` were taken back, by what the log knows or by all."""
    return frozenset(
        cited
        for stored, record in _acts(ledger, engagement, Act.CLAW_BACK)
        if stored.state not in _REFUSED and (stored.state is SendState.RECEIPTED or not logged)
        for cited in record.cites or ()
    )


def _acts(
    ledger: Ledger, engagement: bytes, act: Act
) -> Iterator[tuple[StoredStatement, DisputeAct]]:
    for stored in ledger.of_kind(engagement, Kind.DISPUTE_ACT):
        record = read_record(Statement.parse(stored.body))
        if isinstance(record, DisputeAct) and record.act is act:
            yield stored, record


def _requests(
    ledger: Ledger, engagement: bytes
) -> Iterator[tuple[Digest, tuple[Digest, Digest | None]]]:
    for stored in ledger.of_kind(engagement, Kind.DISPUTE_REQUEST):
        statement = Statement.parse(stored.body)
        record = read_record(statement)
        if isinstance(record, DisputeRequest):
            place = record.place
            yield stored.digest, (statement.issuer, None if place is None else place.case)


def _seen_before(reader: FrameReader, ledger: Ledger, engagement: bytes) -> Iterator[bytes]:
    """Give the look of each tile that was shown and is not of one colour; one answer at a time."""
    for digest, _, frame in ledger.disclosures(engagement):
        shown = verify_disclosure(read_disclosure(reader, digest), frame)
        yield from map(_look, _structured(shown.tiles.values()))


def _hidden(reader: FrameReader, commitment: Digest, shown: frozenset[int]) -> Iterator[bytes]:
    stored = reader.frame(commitment)
    grid = stored.header.grid
    rows = [list(row) for row in cut_rows(grid, stored.pixels)]
    yield from _structured(
        bytes(rows[row][column])
        for number, (column, row) in enumerate(grid.order)
        if number not in shown
    )


def _structured(tiles: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out tiles of one colour: they are alike everywhere and tell nothing."""
    return (tile for tile in tiles if tile != tile[:CHANNELS] * (len(tile) // CHANNELS))


def _look(tile: bytes) -> bytes:
    # In memory alone, and for the length of one command.
    return sha256(tile).digest()
