"""What the ledger knows of frames: what became of each, and what of it was shown."""

from typing import cast

from workseal_agent.ledger.asking import Asking
from workseal_agent.ledger.rows import CaptureRow, RevealRow
from workseal_protocol.digest import DIGEST_BYTES, Digest
from workseal_protocol.encoding import decode


class Frames(Asking):
    """Read which frames were committed to, withdrawn, shown and held."""

    def captures(self, engagement: bytes) -> tuple[CaptureRow, ...]:
        """Return the frames that segments have committed to, in order."""
        rows = self._rows(
            "SELECT number, commitment, round, captured_ms, display, width, height, segment,"
            " tombstone IS NOT NULL FROM captures"
            " WHERE engagement = ? AND segment IS NOT NULL ORDER BY number",
            engagement,
        )
        return tuple(
            CaptureRow(n, Digest(c), r, ms, d, w, h, Digest(segment), bool(gone))
            for n, c, r, ms, d, w, h, segment, gone in rows
        )

    def has_captures(self, engagement: bytes) -> bool:
        """Tell whether a segment ever committed to a frame."""
        return bool(
            self._one(
                "SELECT 1 FROM captures WHERE engagement = ? AND segment IS NOT NULL LIMIT 1",
                engagement,
            )
        )

    def withdrawn(self, engagement: bytes) -> frozenset[Digest]:
        """Return the frames that were withdrawn, whether their tombstones are sent or not."""
        rows = self._rows(
            "SELECT commitment FROM captures WHERE engagement = ? AND tombstone IS NOT NULL",
            engagement,
        )
        return frozenset(Digest(raw) for (raw,) in rows)

    def orphans(self) -> tuple[Digest, ...]:
        """Return announced frames that no segment names: a crash came between."""
        rows = self._rows("SELECT commitment FROM captures WHERE segment IS NULL")
        return tuple(Digest(raw) for (raw,) in rows)

    def undestroyed(self) -> tuple[Digest, ...]:
        """Return withdrawn frames that the vault has perhaps not destroyed yet."""
        rows = self._rows(
            "SELECT commitment FROM captures WHERE tombstone IS NOT NULL AND NOT destroyed"
        )
        return tuple(Digest(raw) for (raw,) in rows)

    def disclosures(self, engagement: bytes) -> tuple[tuple[Digest, Digest, Digest], ...]:
        """Return (disclosure digest, statement digest, frame) of each disclosure made."""
        rows = self._rows(
            "SELECT digest, statement, frame FROM disclosures WHERE engagement = ? ORDER BY digest",
            engagement,
        )
        return tuple((Digest(d), Digest(s), Digest(f)) for d, s, f in rows)

    def reveals(self, engagement: bytes) -> tuple[RevealRow, ...]:
        """Return which tiles were shown by which disclosure, also of frames that are withdrawn."""
        rows = self._rows(
            "SELECT statement, frame, runs, tiles FROM reveals WHERE engagement = ?"
            " ORDER BY statement, frame",
            engagement,
        )
        return tuple(
            RevealRow(Digest(statement), Digest(frame), _shown(runs), tiles)
            for statement, frame, runs, tiles in rows
        )

    def held_objects(self, statement: Digest) -> tuple[bytes, ...] | None:
        """Return what a weekly statement committed to of its frames, None when it is not known."""
        row = self._one("SELECT objects FROM possessions WHERE statement = ?", statement.raw)
        if row is None:
            return None
        objects: bytes = row[0]
        return tuple(objects[at : at + DIGEST_BYTES] for at in range(0, len(objects), DIGEST_BYTES))


def _shown(runs: bytes) -> tuple[int, ...]:
    shown: list[int] = []
    for run in cast("list[list[int]]", decode(runs)):
        start, count = run
        shown.extend(range(start, start + count))
    return tuple(shown)
