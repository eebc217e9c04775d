"""The witness itself: a request's bytes in, an answer out (c2sp.org/tlog-witness).

Order, which is the whole point: in one transaction the request is compared with what was seen, and
stored; when that is durable, and the mark has moved, it is signed; then it is answered. After a
crash in between, nothing was signed, or what was signed is what is stored.

Rules: the time of a cosignature never goes back. A fork that the log has signed is kept.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workseal_protocol.checkpoint import SignedCheckpoint, add_cosignature, cosign
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Signer
from workseal_protocol.note import NoteLine, VerifierKey
from workseal_protocol.witness import (
    NOTHING_SEEN,
    AddCheckpoint,
    EmptyTreeError,
    Judgement,
    Verdict,
    encode_size,
    judge,
    monitoring_path,
)
from workseal_witness.errors import WitnessError
from workseal_witness.marks import Marks
from workseal_witness.store import SeenRow, Store, Transaction

_logger = logging.getLogger(__name__)

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
NOT_NOW = 503
# A clock that is corrected by NTP may step back this far without anybody's harm.
CLOCK_SLACK_S = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: an HTTP status, its body and the body's media type."""

    status: int
    body: bytes
    media: str = TEXT


class ClockError(WitnessError):
    """Say that the clock is behind what was cosigned: the time would not be true."""


class Witness:
    """Decide, remember, sign; may be used from several threads, and beside other processes."""

    def __init__(
        self,
        store: Store,
        marks: Marks,
        name: str,
        signers: Sequence[Signer],
        now_s: Callable[[], int],
    ) -> None:
        self._store = store
        self._marks = marks
        self._name = name
        self._signers = tuple(signers)
        self._now_s = now_s

    def trust(self, keys: Sequence[VerifierKey]) -> None:
        """Cosign the logs with these keys from now on."""
        with self._store.write() as writing:
            for key in keys:
                writing.add_log(key)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request to cosign."""
        try:
            request = AddCheckpoint.parse(body)
        except EmptyTreeError as error:
            return _told(Verdict.UNPROCESSABLE, str(error))
        except MalformedError as error:
            return _told(Verdict.MALFORMED, str(error))
        try:
            return self._decide(request)
        except WitnessError as error:
            _logger.error("nothing is cosigned: %s", error)  # noqa: TRY400 - no traces
            return Answer(NOT_NOW, b"the witness cannot cosign now\n")

    def newest(self, path: str) -> bytes | None:
        """Return the newest cosigned checkpoint that a monitor finds at this path.

        One that is no longer known is not shown as another: `RestoredError`.
        """
        with self._store.write() as reading:
            origins = dict.fromkeys(key.name for key in reading.logs())
            origin = next((one for one in origins if monitoring_path(one) == path), None)
            row = None if origin is None else reading.seen(origin)
            if origin is not None:
                # Inside: else another thread could move the mark beyond what was read.
                self._marks.require_reached(origin, NOTHING_SEEN if row is None else row.seen)
        if row is None:
            return None
        signed = row.signed
        for line in self._lines(row):
            signed = add_cosignature(signed, line)
        return signed.encode()

    def _decide(self, request: AddCheckpoint) -> Answer:
        origin = request.signed.checkpoint.origin
        with self._store.write() as writing:
            keys = writing.keys_of(origin)
            row = writing.seen(origin)
            seen = NOTHING_SEEN if row is None else row.seen
            judgement = judge(request, seen, keys)
            if judgement.verdict is Verdict.COSIGNED:
                self._marks.require_reached(origin, seen)
                next_row = SeenRow(_by_the_log(request.signed, keys), self._time(row))
                # The same again in the same second costs no write.
                if row is None or (next_row.seen, next_row.cosigned_at) != (seen, row.cosigned_at):
                    writing.put_seen(next_row)
            elif judgement.proves_fork and row is not None:
                self._keep_fork(writing, row, _by_the_log(request.signed, keys))
        if judgement.verdict is not Verdict.COSIGNED:
            return _refusal(judgement, seen.size)
        self._marks.move(origin, next_row.seen)
        return Answer(Verdict.COSIGNED, b"".join(line.encode() for line in self._lines(next_row)))

    def _keep_fork(self, writing: Transaction, row: SeenRow, refused: SignedCheckpoint) -> None:
        if writing.keep_fork(row.signed, refused, self._now_s()):
            checkpoint = refused.checkpoint
            _logger.error(
                "the log %s has two trees of size %d: both signed checkpoints are kept",
                checkpoint.origin,
                checkpoint.size,
            )

    def _time(self, row: SeenRow | None) -> int:
        now = self._now_s()
        last = 0 if row is None else row.cosigned_at
        if now < last - CLOCK_SLACK_S:
            raise ClockError(f"the clock is {last - now} s behind the newest cosignature")
        return max(now, last)

    def _lines(self, row: SeenRow) -> list[NoteLine]:
        return [
            cosign(row.signed.checkpoint, self._name, signer, row.cosigned_at)
            for signer in self._signers
        ]


def _by_the_log(signed: SignedCheckpoint, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Keep the lines that were verified; whatever else came along is nobody's word."""
    lines = (signed.line_of(key) for key in keys)
    return SignedCheckpoint(signed.checkpoint, tuple(line for line in lines if line is not None))


def _refusal(judgement: Judgement, size: int) -> Answer:
    if judgement.verdict is Verdict.CONFLICT:
        return Answer(Verdict.CONFLICT, encode_size(size), SIZE)
    return _told(judgement.verdict, judgement.why)


def _told(verdict: Verdict, why: str) -> Answer:
    return Answer(verdict, f"{why}\n".encode())
