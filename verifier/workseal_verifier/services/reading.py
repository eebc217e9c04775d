"""What anybody may ask the log: proofs, receipts, and the statements of an engagement.

Rule: everything is answered for a size that is signed. An engagement's listing holds its own
statements and those of the operator and of key lives that verifying them needs, in log order.
Listings of two sizes cannot be joined: a later rotation may make an earlier key statement count.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import DIGEST_BYTES, Digest, sha256
from workseal_protocol.merkle import sparse_proof, split_point
from workseal_protocol.receipt import Receipt, cose_receipt
from workseal_protocol.records import Offer, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.terms import Terms
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.keyevents import KeyBook
from workseal_verifier.services.publication import Published
from workseal_verifier.services.shelf import Shelf
from workseal_verifier.services.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Entry
from workseal_verifier.store.records import RecordStore

MAX_PROOF_ITEMS = 65_536
MAX_TOKENS = 1_000
# Full tiles that were asked for lately, of some 8 KiB each.
_KEPT_TILES = 1_024
# Places of statements that were asked for lately, of some 200 bytes each.
_KEPT_PLACES = 8_192
_LENGTH = DIGEST_BYTES.to_bytes(2)
_POLICY = Kind.LOG_POLICY.value

# Of a level, None for entries, and a number in it.
_Place: TypeAlias = tuple[int | None, int]


class Reader:
    """Answer questions about the published log."""

    def __init__(
        self,
        *,
        log: LogStore,
        records: RecordStore,
        identity: Identity,
        beacon: Beacon,
        keys: KeyBook,
        showing: Callable[[int | None], Published],
    ) -> None:
        """Take what shows the newest checkpoint, told how far they reach where that is known."""
        self._log = log
        self._records = records
        self._identity = identity
        self._beacon = beacon
        self._keys = keys
        self._showing = showing
        self._shelf: Shelf[_Place, bytes] = Shelf(_KEPT_TILES)
        self._places: Shelf[Digest, int] = Shelf(_KEPT_PLACES)

    def _current(self) -> Published:
        return self._showing(None)

    # --- the log -----------------------------------------------------------------

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint."""
        return self._current().encoded

    def checkpoint_of(self, size: int) -> bytes:
        """Return the signed checkpoint of one size."""
        signed = self._log.checkpoint(size) if size <= self._current().size else None
        if signed is None:
            raise _not_found("no checkpoint of this size was signed")
        return signed

    def tokens(self, first: int, last: int) -> list[tuple[int, bytes]]:
        """Return (size, token) of the stamped checkpoints from `first` to `last`, ascending."""
        return self._log.tokens(first, last, limit=MAX_TOKENS)

    def kept(self, level: int | None, number: int, width: int) -> bytes | None:
        """Return a full tile, or with no level one of entries, if memory has it; never waits."""
        return self._shelf.get((level, number)) if width == TILE_WIDTH else None

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Return the first `width` hashes of a tile, all of which a checkpoint covers."""
        reach = self._current().size >> (TILE_HEIGHT * level)
        if number * TILE_WIDTH + width > reach:
            raise _not_found("the log has no such tile yet")
        data = self._log.tile(level, number)
        if data is None or len(data) < width * HASH_BYTES:
            raise _not_found("the log has no such tile yet")
        return self._kept((level, number), width, data[: width * HASH_BYTES])

    def entries(self, number: int, width: int) -> bytes:
        """Return the first `width` entries of a bundle of 256, all of which a checkpoint covers.

        An entry is a statement's digest, with its length before it (c2sp.org/tlog-tiles).
        """
        first = number * TILE_WIDTH
        digests = []
        if first + width <= self._current().size:
            digests = self._records.digests(first, width)
        if len(digests) < width:
            raise _not_found("the log has no such entries yet")
        data = b"".join(_LENGTH + digest.raw for digest in digests)
        return self._kept((None, number), width, data)

    def _kept(self, place: _Place, width: int, data: bytes) -> bytes:
        # Whole, and covered by a checkpoint: it never changes.
        if width == TILE_WIDTH:
            self._shelf.put(place, data)
        return data

    def proof(self, size: int, indices: Sequence[int], sizes: Sequence[int]) -> tuple[bytes, ...]:
        """Return a sparse proof against a size that is signed."""
        if len(indices) + len(sizes) > MAX_PROOF_ITEMS:
            raise RefusedError(
                Reason.TOO_LARGE, f"expected at most {MAX_PROOF_ITEMS} indices and sizes"
            )
        current = self._current()
        if size > current.size:
            raise RefusedError(Reason.MALFORMED, f"the log has {current.size} leaves")
        try:
            return sparse_proof(current.tree.node, size, indices, sizes)
        except ValueError as error:
            raise RefusedError(Reason.MALFORMED, str(error)) from error

    # --- statements --------------------------------------------------------------

    def receipt(self, digest: Digest, size: int | None = None) -> Receipt:
        """Return a statement's inclusion proof against a signed checkpoint (default: newest)."""
        index, current = self._find(digest)
        if index is None or index >= current.size:
            raise _not_found("no statement with this digest is logged")
        if size is None or size == current.size:
            signed = current.signed
        else:
            signed = SignedCheckpoint.parse(self.checkpoint_of(size))
        reach = signed.checkpoint.size
        if index >= reach:
            raise _not_found("that checkpoint does not cover the statement")
        ranges = _ranges(index, reach)
        return Receipt(index, tuple(current.tree.node(*one) for one in ranges), signed)

    @property
    def is_alone(self) -> bool:
        """Tell whether nobody else publishes: then what memory shows is newest."""
        return not self._log.database.shared

    def knows_place(self, digest: Digest) -> bool:
        """Tell whether memory knows where a statement stands."""
        return self._places.get(digest) is not None

    def receipt_in_memory(self, digest: Digest, current: Published) -> bytes | None:
        """Return the receipt against what is published as it is written; never waits.

        None where memory has not all of it.
        """
        index = self._places.get(digest)
        if index is None or index >= current.size:
            return None
        path = current.tree.remembered(_ranges(index, current.size))
        return None if path is None else Receipt(index, tuple(path), current.signed).encode()

    def _find(self, digest: Digest) -> tuple[int | None, Published]:
        """Find where a statement stands, and what is published: with one question to the store."""
        if self.is_alone:
            index, current = self._records.position(digest), self._current()
        else:
            index, reach = self._records.position_and_reach(digest)
            current = self._showing(reach)
        # What no checkpoint covers may be lost with a server whose standby has not got it.
        if index is not None and index < current.size:
            self._places.put(digest, index)
        return index, current

    def cose_receipt(self, digest: Digest, size: int | None = None) -> bytes:
        """Return the same as an RFC 9942 receipt; its subject is the statement's."""
        receipt = self.receipt(digest, size)
        checkpoint = receipt.signed.checkpoint
        subject = Statement.parse(self._entry(digest).body).subject
        return cose_receipt(
            checkpoint.root.raw,
            checkpoint.size,
            receipt.index,
            receipt.path,
            signer=self._identity.log,
            issuer=self._identity.log.public_key.uri,
            subject=subject,
        )

    def request(self, digest: Digest) -> Entry:
        """Return a logged request for frames."""
        entry = self._records.by_digest(digest)
        if entry is None or entry.kind != Kind.DISPUTE_REQUEST.value:
            raise _not_found("no request with this digest is logged")
        return entry

    def listing(
        self,
        engagement: bytes,
        size: int | None = None,
        since: int = 0,
        *,
        closed: Collection[Digest] = (),
    ) -> Iterator[Entry]:
        """Return all statements that verifying an engagement needs, in log order.

        The part of it that begins at `since` is the same whichever part is asked for. Of `closed`
        cases it has nothing.
        """
        below = self._current().size if size is None else min(size, self._current().size)
        own = self._records.of_engagement(engagement, below=below)
        offer = next(own, None)
        if offer is None:
            raise _not_found("no such engagement")
        left_out = self._places_in(engagement, closed, below) if closed else frozenset()
        listed = self._merged(engagement, offer, below, since)
        return (entry for entry in listed if entry.position not in left_out)

    def require_engagement(self, engagement: bytes) -> None:
        """Refuse what is not an engagement whose offer a checkpoint covers."""
        own = self._records.of_engagement(engagement, below=self._current().size)
        if next(own, None) is None:
            raise _not_found("no such engagement")

    def _merged(self, engagement: bytes, offer: Entry, below: int, since: int) -> Iterator[Entry]:
        record = read_record(Statement.parse(offer.body))
        if not isinstance(record, Offer):
            raise _not_found("no such engagement")
        events = self._keys.below(below)
        keys = [event.position for event in events.concerning(record.terms, below=below)]
        last = max([self._records.last_of(engagement, below=below), *keys])
        beacons = self._beacons(record.terms, offer.position, last)
        # What its operator said of this log, and of the page to read it with: a bundle holds it.
        policies = [one.position for one in self._records.of_kinds([_POLICY], below=last)]
        places = sorted(place for place in {*keys, *beacons, *policies} if place >= since)
        for entry in self._records.of_engagement(engagement, below=below, since=since):
            while places and places[0] < entry.position:
                yield from self._records.at([places.pop(0)])
            yield entry
        yield from self._records.at(places)

    def _places_in(
        self, engagement: bytes, cases: Collection[Digest], below: int
    ) -> frozenset[int]:
        """List where the statements of cases stand, and findings beside about what was shown."""
        stored = self._records.cases
        told = [one for case in cases for one in stored.statements(case, below=below)]
        digests = {sha256(body) for _, body in told}
        kinds = [Kind.DISPUTE_FINDING.value]
        findings = self._records.of_engagement_and_kinds(engagement, kinds, since=0, below=below)
        beside = {entry.position for entry in findings if entry.about in digests}
        return frozenset({place for place, _ in told} | beside)

    def _beacons(self, terms: Terms, offered: int, last: int) -> list[int]:
        # From the chain in force when the offer was logged on: older ones can prove nothing here.
        since = (self._log.signed_after(offered) or 0) * 1000 // terms.round_ms
        rows = self._beacon.covering(terms.round_ms, since, 2**53)
        return [row.position for row in rows if row.position < last]

    def _entry(self, digest: Digest) -> Entry:
        entry = self._records.by_digest(digest)
        if entry is None or entry.position >= self._current().size:
            raise _not_found("no statement with this digest is logged")
        return entry


def _ranges(index: int, size: int) -> list[tuple[int, int]]:
    """List what a leaf's inclusion path hashes, its sibling first (RFC 9162 section 2.1.3.1)."""
    ranges: list[tuple[int, int]] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + split_point(high - low)
        if index < middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    return ranges[::-1]


def _not_found(detail: str) -> RefusedError:
    return RefusedError(Reason.NOT_FOUND, detail)
