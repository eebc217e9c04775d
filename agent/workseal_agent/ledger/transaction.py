"""Every write of the ledger, inside one transaction.

Rules: a statement's bytes are written once and never changed; only its way to the log is. What
belongs to a statement (times, frames, private values) is written with it or not at all.
"""

import sqlite3
from collections.abc import Iterable

from workseal_agent.language import kept
from workseal_agent.ledger.errors import LedgerError
from workseal_agent.ledger.rows import (
    CaseRow,
    Engagement,
    NewCapture,
    PrivateValue,
    RevealRow,
    SegmentRow,
    SendState,
    SessionSecrets,
)
from workseal_agent.ledger.sealing import LedgerKey
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import Value, encode
from workseal_protocol.statement import Statement


class Transaction:
    """Write to the ledger until the surrounding `with` commits."""

    def __init__(self, connection: sqlite3.Connection, key: LedgerKey | None) -> None:
        self._sql = connection
        self._key = key

    def _sealer(self) -> LedgerKey:
        if self._key is None:
            raise LedgerError("the ledger was opened without its key")
        return self._key

    def add_engagement(self, engagement: Engagement) -> None:
        """Remember an engagement; the same one again changes nothing."""
        self._sql.execute(
            "INSERT INTO engagements (id, offer, acceptance, url, tsa_roots)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (
                engagement.id,
                engagement.offer,
                engagement.acceptance,
                engagement.url,
                encode(list(engagement.tsa_roots)),
            ),
        )

    def set_verifier(self, engagement: bytes, url: str, tsa_roots: Iterable[bytes]) -> None:
        """Remember where the log is reached and which time-stamp roots it names."""
        self._sql.execute(
            "UPDATE engagements SET url = ?, tsa_roots = ? WHERE id = ?",
            (url, encode(list(tsa_roots)), engagement),
        )

    def add_statement(
        self,
        engagement: bytes,
        statement: Statement,
        *,
        seq: int | None = None,
        state: SendState = SendState.UNSENT,
    ) -> None:
        """Add a statement; `LedgerError` when its place in the chain is taken by another body."""
        body = statement.encode()
        try:
            self._sql.execute(
                "INSERT INTO statements (engagement, seq, digest, kind, body, state)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (engagement, seq, statement.digest.raw, str(statement.kind), body, str(state)),
            )
        except sqlite3.IntegrityError as error:
            raise LedgerError("the ledger has another statement in this place") from error

    def add_session(
        self, engagement: bytes, session: bytes, first_round: int, rounds: int, own: SessionSecrets
    ) -> None:
        """Keep a session's secrets, sealed, beside its opening statement."""
        sealed = self._sealer().seal(b"session" + session, own.chain_last + own.secret)
        self._sql.execute(
            "INSERT INTO sessions (id, engagement, first_round, rounds, secrets)"
            " VALUES (?, ?, ?, ?, ?)",
            (session, engagement, first_round, rounds, sealed),
        )

    def add_segment(self, engagement: bytes, digest: Digest, row: SegmentRow) -> None:
        """Add the times of a segment."""
        self._sql.execute(
            "INSERT INTO segments (digest, engagement, session, begin_ms, end_ms, worked_ms, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                digest.raw,
                engagement,
                row.session,
                row.begin_ms,
                row.end_ms,
                row.worked_ms,
                row.state,
            ),
        )

    def add_opening(self, statement: Digest, value: PrivateValue) -> None:
        """Keep the value behind a commitment of a statement, sealed."""
        place = b"opening" + statement.raw + bytes((value.kind,))
        self._sql.execute(
            "INSERT INTO openings (statement, kind, sealed) VALUES (?, ?, ?)",
            (statement.raw, value.kind, self._sealer().seal(place, value.salt + value.value)),
        )

    def announce_capture(self, engagement: bytes, capture: NewCapture) -> None:
        """Note a frame before it goes to the vault, so that a crash leaves no orphan there."""
        self._sql.execute(
            "INSERT INTO captures (commitment, engagement, session, round, captured_ms, display,"
            " width, height) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                capture.commitment.raw,
                engagement,
                capture.session,
                capture.round,
                capture.captured_ms,
                capture.display,
                capture.width,
                capture.height,
            ),
        )

    def attach_captures(self, segment: Digest, frames: Iterable[Digest]) -> None:
        """Join announced frames to the segment that commits to them.

        A frame that is not known here any more does not hold up the time; one of another segment
        raises `LedgerError`.
        """
        for frame in frames:
            changed = self._sql.execute(
                "UPDATE captures SET segment = ? WHERE commitment = ? AND segment IS NULL",
                (segment.raw, frame.raw),
            )
            if changed.rowcount != 1 and self._knows_capture(frame):
                raise LedgerError("a segment names a frame of another segment")

    def _knows_capture(self, frame: Digest) -> bool:
        found = self._sql.execute("SELECT 1 FROM captures WHERE commitment = ?", (frame.raw,))
        return found.fetchone() is not None

    def withdraw_if_known(self, frame: Digest, tombstone: Digest) -> None:
        """Mark a frame withdrawn that another copy of this ledger has withdrawn."""
        self._sql.execute(
            "UPDATE captures SET tombstone = ? WHERE commitment = ? AND tombstone IS NULL",
            (tombstone.raw, frame.raw),
        )

    def announce_if_unknown(self, engagement: bytes, capture: NewCapture) -> bool:
        """Note a frame that another copy of this ledger has taken; False when it is known."""
        known = self._knows_capture(capture.commitment)
        if not known:
            self.announce_capture(engagement, capture)
        return not known

    def mark_restored(self, engagement: bytes) -> None:
        """Say that this ledger is a copy, and does not know what was signed after it."""
        self._sql.execute(
            "INSERT INTO restored (engagement) VALUES (?) ON CONFLICT DO NOTHING", (engagement,)
        )

    def mark_caught_up(self, engagement: bytes) -> None:
        """Say that it knows now."""
        self._sql.execute("DELETE FROM restored WHERE engagement = ?", (engagement,))

    def forget_capture(self, frame: Digest) -> None:
        """Drop a frame that no segment names; the vault has destroyed it already."""
        self._sql.execute(
            "DELETE FROM captures WHERE commitment = ? AND segment IS NULL", (frame.raw,)
        )

    def withdraw_capture(self, frame: Digest, tombstone: Digest) -> None:
        """Mark a frame withdrawn; its key is still to be destroyed."""
        changed = self._sql.execute(
            "UPDATE captures SET tombstone = ? WHERE commitment = ? AND tombstone IS NULL",
            (tombstone.raw, frame.raw),
        )
        if changed.rowcount != 1:
            raise LedgerError("the frame is not known or was withdrawn before")

    def mark_destroyed(self, frame: Digest) -> None:
        """Note that the vault has destroyed a withdrawn frame."""
        self._sql.execute("UPDATE captures SET destroyed = 1 WHERE commitment = ?", (frame.raw,))

    def set_memo(self, engagement: bytes, begin_ms: int, text: str) -> None:
        """Keep the memo of the off-screen stretch that begins now, sealed."""
        sealed = self._sealer().seal(b"memo" + engagement, text.encode())
        self._sql.execute(
            "INSERT OR REPLACE INTO memos (engagement, begin_ms, sealed) VALUES (?, ?, ?)",
            (engagement, begin_ms, sealed),
        )

    def clear_memo(self, engagement: bytes) -> None:
        """Drop the memo: it is declared now."""
        self._sql.execute("DELETE FROM memos WHERE engagement = ?", (engagement,))

    def add_checkpoint(self, engagement: bytes, size: int, body: bytes) -> None:
        """Keep a verified checkpoint; the first one of a size stays (its bytes may be anchored)."""
        self._sql.execute(
            "INSERT INTO checkpoints (engagement, size, body) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (engagement, size, body),
        )

    def receipted(self, digest: Digest, index: int, size: int) -> None:
        """Note that a verified checkpoint covers a statement."""
        self._sql.execute(
            "UPDATE statements SET state = 'receipted', problem = NULL, successor = NULL,"
            " log_index = ?, checkpoint_size = ? WHERE digest = ?",
            (index, size, digest.raw),
        )

    def queue(self, digest: Digest) -> None:
        """Let a held statement go as it is, with nothing beside it."""
        self._sql.execute(
            "UPDATE statements SET state = 'unsent' WHERE digest = ? AND state = 'held'",
            (digest.raw,),
        )

    def park(self, digest: Digest, problem: str) -> None:
        """Set a refused statement aside; it is kept and shown."""
        self._sql.execute(
            "UPDATE statements SET state = 'parked', problem = ? WHERE digest = ?"
            " AND state IN ('unsent', 'held')",
            (problem, digest.raw),
        )

    def unpark(self, engagement: bytes) -> int:
        """Put parked statements back into the queue; returns how many.

        None of a case: what was refused there may have been signed anew, and beside its
        successor it would be a second case, or evidence against who signed both.
        """
        changed = self._sql.execute(
            "UPDATE statements SET state = 'unsent' WHERE state = 'parked' AND engagement = ?"
            " AND kind NOT LIKE 'dispute.%'",
            (engagement,),
        )
        return changed.rowcount

    def replace(self, digest: Digest, successor: Digest) -> None:
        """Note what stands in a case in the place of a statement that was refused."""
        self._sql.execute(
            "UPDATE statements SET successor = ? WHERE digest = ? AND state = 'parked'",
            (successor.raw, digest.raw),
        )

    def add_disclosure(
        self, engagement: bytes, digest: Digest, statement: Digest, frame: Digest
    ) -> None:
        """Note a disclosure whose bytes stand in the vault."""
        self._sql.execute(
            "INSERT OR REPLACE INTO disclosures (digest, engagement, statement, frame)"
            " VALUES (?, ?, ?, ?)",
            (digest.raw, engagement, statement.raw, frame.raw),
        )

    def add_reveal(self, engagement: bytes, row: RevealRow) -> None:
        """Note which tiles a disclosure shows; this is never forgotten."""
        runs: list[Value] = []
        start = end = -1
        for number in (*row.shown, -1):
            if number != end:
                if start >= 0:
                    runs.append([start, end - start])
                start = number
            end = number + 1
        self._sql.execute(
            "INSERT OR REPLACE INTO reveals (statement, frame, engagement, runs, tiles)"
            " VALUES (?, ?, ?, ?, ?)",
            (row.statement.raw, row.frame.raw, engagement, encode(runs), row.tiles),
        )

    def note_case(self, engagement: bytes, row: CaseRow) -> None:
        """Note the hours of a case; one that was seen to have ended stays so."""
        self._sql.execute(
            "INSERT INTO cases (filing, engagement, begin_ms, end_ms, ended)"
            " VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (filing) DO UPDATE SET ended = MAX(ended, excluded.ended)",
            (row.filing.raw, engagement, row.begin_ms, row.end_ms, int(row.ended)),
        )

    def forget_disclosures(self, frame: Digest) -> None:
        """Drop the disclosures of a frame that is withdrawn."""
        self._sql.execute("DELETE FROM disclosures WHERE frame = ?", (frame.raw,))

    def add_possession(
        self, engagement: bytes, statement: Digest, objects: Iterable[bytes]
    ) -> None:
        """Keep what a weekly statement committed to of each of its frames, 32 bytes each."""
        self._sql.execute(
            "INSERT OR REPLACE INTO possessions (statement, engagement, objects) VALUES (?, ?, ?)",
            (statement.raw, engagement, b"".join(objects)),
        )

    def add_incident(self, engagement: bytes, at_ms: int, text: str, evidence: bytes) -> None:
        """Keep evidence against the log."""
        self._sql.execute(
            "INSERT INTO incidents (engagement, at_ms, text, evidence, made)"
            " VALUES (?, ?, ?, ?, ?)",
            (engagement, at_ms, str(text), evidence, kept(text)),
        )
