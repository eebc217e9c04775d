"""The one writer's transaction: the only way into the log.

Rule: it locks the head for its whole length, and moves it by compare-and-swap with everything else:
of two writers one waits, whatever machine they run on.
"""

from sqlalchemy import Connection, bindparam, case, insert, text, update

from workseal_protocol.keys import Role
from workseal_protocol.statement import Kind
from workseal_verifier.errors import StoreRaceError
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import (
    Change,
    Head,
    Tie,
    beacon_values,
    case_values,
    entry_row,
    key_values,
    party_values,
    signed_values,
)
from workseal_verifier.store.milestonerows import milestone_row
from workseal_verifier.store.notices import write_notices
from workseal_verifier.store.prepared import Prepared
from workseal_verifier.store.schema import (
    beacons,
    case_steps,
    checkpoints,
    head,
    key_events,
    milestones,
    parties,
    statements,
)

_MOVE_HEAD = Prepared(
    update(head)
    .where(
        head.c.one == 1,
        head.c.size == bindparam("old_size"),
        head.c.root == bindparam("old_root"),
    )
    .values(size=bindparam("new_size"), root=bindparam("new_root"))
)
# An acceptance ties everybody whom its terms name; a step of a case moves them all.
_ACCEPTED = Prepared(
    update(parties)
    .where(parties.c.engagement == bindparam("of_engagement"))
    .values(
        place=bindparam("accepted_at"),
        tie=case(
            (parties.c.role == int(Role.CLIENT), int(Tie.of(Role.CLIENT, accepted=True))),
            (parties.c.role == int(Role.FREELANCER), int(Tie.of(Role.FREELANCER, accepted=True))),
            else_=int(Tie.of(Role.ARBITRATOR, accepted=True)),
        ),
    )
)
_MOVED = Prepared(
    update(parties)
    .where(parties.c.engagement == bindparam("of_engagement"))
    .values(moved=bindparam("moved_at"))
)
# In words that both databases know.
_WRITE_TILE = Prepared(
    text(
        "INSERT INTO tiles (level, number, hashes) VALUES (:level, :number, :hashes)"
        " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"
    )
)
_ADD_CHECKPOINT = Prepared(
    text("INSERT INTO checkpoints (size, root) VALUES (:new_size, :new_root)")
)


class Turn:
    """One transaction of the writer, from a locked head."""

    def __init__(self, database: Database, connection: Connection, head: Head) -> None:
        self._database = database
        self._connection = connection
        self.head = head

    def append(self, change: Change) -> None:
        """Move the head and store what it covers; `StoreRaceError` if it is another one."""
        self._move(change.old, change.new)
        execute = self._connection.execute
        self._database.insert(self._connection, statements, map(entry_row, change.entries))
        written = (
            {"level": level, "number": number, "hashes": hashes}
            for (level, number), hashes in change.tiles.items()
        )
        _WRITE_TILE.change_each(self._connection, written)
        if change.checkpoints:
            execute(insert(checkpoints), [signed_values(c) for c in change.checkpoints])
        else:
            new = change.new
            _ADD_CHECKPOINT.change(self._connection, new_size=new.size, new_root=new.root)
        if change.beacons:
            execute(insert(beacons), [beacon_values(b) for b in change.beacons])
        if change.parties:
            execute(insert(parties), [party_values(p) for p in change.parties])
        self._tie(change)
        if change.keys:
            execute(insert(key_events), [key_values(k) for k in change.keys])
        if change.cases:
            execute(insert(case_steps), [case_values(c) for c in change.cases])
        if change.milestones:
            rows = map(milestone_row, change.milestones)
            self._database.insert(self._connection, milestones, rows)
        write_notices(self._database, self._connection, change.notices)

    def _tie(self, change: Change) -> None:
        """Bring to what was appended how keys are tied to their agreements."""
        for entry in change.entries:
            if entry.kind == Kind.ACCEPTANCE.value:
                of, at = entry.engagement, entry.position
                _ACCEPTED.change(self._connection, of_engagement=of, accepted_at=at)
        moved = {step.engagement: step.position for step in change.cases}
        for engagement, at in moved.items():
            _MOVED.change(self._connection, of_engagement=engagement, moved_at=at)

    def _move(self, old: Head, new: Head) -> None:
        moved = _MOVE_HEAD.change(
            self._connection,
            old_size=old.size,
            old_root=old.root,
            new_size=new.size,
            new_root=new.root,
        )
        if moved != 1:
            raise StoreRaceError("the log moved since it was read")
