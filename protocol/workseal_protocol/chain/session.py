"""The open session of a chain, with the sums that its closing statement must repeat."""

from dataclasses import dataclass

from workseal_protocol.digest import Digest
from workseal_protocol.records import Capture, Segment, SessionOpen


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Hold the session that is open.

    `known` is the newest (round, agent value) that was proved: the next one costs one hash for
    each round between. `drawn` is the round of the last segment, with the verifier value that its
    draw used: all segments of a round in one session share one draw.
    """

    session: bytes
    opened: Digest
    head: Digest
    first_round: int
    rounds: int
    known: tuple[int, bytes] | None = None
    drawn: tuple[int, bytes | None] | None = None
    segments: int = 0
    worked: int = 0
    captured: int = 0
    missed: int = 0

    @classmethod
    def of(cls, record: SessionOpen, digest: Digest) -> "OpenSession":
        """Begin to count a session."""
        return cls(record.session, digest, record.head, record.first_round, record.rounds)

    def count(self, record: Segment, known: tuple[int, bytes] | None) -> "OpenSession":
        """Add one segment to the sums."""
        # Each field is named: `replace` looks them all up, for each segment.
        return OpenSession(
            session=self.session,
            opened=self.opened,
            head=self.head,
            first_round=self.first_round,
            rounds=self.rounds,
            known=known or self.known,
            drawn=(record.round, record.verifier_value),
            segments=self.segments + 1,
            worked=self.worked + record.worked,
            captured=self.captured + (record.capture is Capture.CAPTURED),
            missed=self.missed + (record.capture is Capture.MISSED),
        )
