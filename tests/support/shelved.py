"""A simulator's log in a real store, so that the diary reads what the real verifier would keep."""

from dataclasses import dataclass
from pathlib import Path

from support.acting import ScriptedAgent
from support.simulator import Simulator
from workseal_protocol.merkle import EMPTY_ROOT
from workseal_protocol.records import read_record
from workseal_verifier.services.columns import entry_of
from workseal_verifier.services.diaries import Agreed, Diaries, Reach
from workseal_verifier.services.sheetreview import SheetReview
from workseal_verifier.store.engine import Database
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Change, Head, SignedRow
from workseal_verifier.store.records import RecordStore


@dataclass
class Published:
    """Say how far the log is published."""

    size: int = 0


class Shelved:
    """Keep what a simulator logged; `fill` again takes what came since."""

    def __init__(self, where: Path | str) -> None:
        if isinstance(where, Path):
            where.parent.mkdir(exist_ok=True)
        self.database = Database(where)
        self.database.create()
        self.log = LogStore(self.database)
        self.log.found(EMPTY_ROOT)
        self.records = RecordStore(self.database)
        self.published = Published()
        self.diaries = Diaries(
            log=self.log,
            records=self.records,
            current=lambda: self.published,  # type: ignore[arg-type, return-value]
        )
        self.sheets = SheetReview(self.records, self.diaries)
        self._signed = 0

    def fill(self, verifier: Simulator, agent: ScriptedAgent) -> "Shelved":
        """Store the statements of an agent, and the checkpoints, up to the newest one."""
        verifier.checkpoint()
        old, worker = self.published.size, agent.terms.freelancer.thumbprint
        size = max(verifier.checkpoints)
        if size == self._signed:
            return self
        signed = [
            SignedRow(
                size=at,
                root=one.checkpoint.root.raw,
                signed=one.encode(),
                signed_at=verifier.signed_at[at] // 1000,
            )
            for at, one in sorted(verifier.checkpoints.items())
            if at > self._signed
        ]
        entries = [
            entry_of(statement, read_record(statement), index, worker)
            for index, statement in sorted(verifier.statements.items())
            if old <= index < size
        ]
        head = self.log.head() or Head(0, EMPTY_ROOT)
        new = Head(size, signed[-1].root) if signed else head
        self.log.append(Change(old=head, new=new, entries=entries, tiles={}, checkpoints=signed))
        self.published.size = self._signed = size
        return self

    def agreed(self, agent: ScriptedAgent) -> tuple[Agreed, Reach]:
        """Return what an engagement agreed on, and up to where it is told."""
        return self.diaries.agreed(agent.engagement), self.diaries.reach()

    def close(self) -> None:
        """Let the database go."""
        self.database.close()
