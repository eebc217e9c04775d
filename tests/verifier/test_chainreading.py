"""An engagement is what its statements say, however few of them are read."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from support.office import Office
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS
from workseal_protocol.records import DeclarationForm
from workseal_verifier.services import admission, chainreading, milestones
from workseal_verifier.services.chainreading import follow_chain, read_chain
from workseal_verifier.services.engagement import Engagement, fold
from workseal_verifier.services.keyevents import KeyBook, KeyEvents
from workseal_verifier.store.engine import Database
from workseal_verifier.store.logrows import Entry
from workseal_verifier.store.milestonerows import MilestoneRow

EVERY = 6


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milestones, "EVERY", EVERY)


@pytest.fixture
def long(office: Office) -> ScriptedAgent:
    """Give a chain with frames, a late declaration and several milestones."""
    agent = ScriptedAgent(office, terms=office.terms(capture_rate=65_536))
    agent.open_session()
    for _ in range(3):
        agent.work(6 * ROUND_MS)
        agent.send()
    begin = office.now + 1_000
    agent.pause(60_000)
    agent.declare(DeclarationForm.LATE, begin, begin + 9_000, 9_000)
    agent.withdraw(agent.frames[0])
    agent.work(2 * ROUND_MS)
    agent.send()
    return agent


class Read:
    """Count the statements of an engagement that are read."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entries = 0
        self.office = office
        records = office.verifier.records
        own, first = records.of_engagement, records.beginning

        def counted(*given: Any, **named: Any) -> Iterator[Entry]:
            for entry in own(*given, **named):
                self.entries += 1
                yield entry

        def beginning(*given: Any, **named: Any) -> list[Entry]:
            found = first(*given, **named)
            self.entries += len(found)
            return found

        monkeypatch.setattr(records, "of_engagement", counted)
        monkeypatch.setattr(records, "beginning", beginning)

    def whole(self, agent: ScriptedAgent, *, below: int = 2**53) -> Engagement:
        found = fold(
            self.office.verifier.records.of_engagement(agent.engagement, below=below), self.events
        )
        assert found is not None
        self.entries = 0
        return found

    def briefly(self, agent: ScriptedAgent, *, below: int = 2**53) -> Engagement:
        records = self.office.verifier.records
        self.entries = 0
        found = read_chain(records, agent.engagement, self.events, below=below)
        assert found is not None
        return found

    def rows(self, agent: ScriptedAgent) -> list[MilestoneRow]:
        return self.office.verifier.records.milestones.after(agent.engagement, 0)

    @property
    def events(self) -> KeyEvents:
        return KeyBook(self.office.verifier.records).below(self.office.verifier.publisher.size)


@pytest.fixture
def read(office: Office, monkeypatch: pytest.MonkeyPatch) -> Read:
    return Read(office, monkeypatch)


def told(state: Engagement) -> dict[str, Any]:
    """Give all that a state holds, but how far milestones reach."""
    chain = state.chain
    assert chain is not None
    past = chain.past
    spans = [(one.begins, one.ends, one.seqs, one.sums) for one in _spans(past)]
    return {
        "chain": chain,
        "spans": spans,
        "rest": (past.length, past.frames, past.withdrawn, past.sessions),
        "keys": (state.keys, state.keys_seen),
        "terms": (state.identifier, state.terms, state.offer, state.offered_at, state.acceptance),
    }


def _spans(past: Any) -> tuple[Any, Any, Any]:
    return past.recorded, past.attended, past.late


def test_a_chain_is_read_from_its_last_milestone_on(long: ScriptedAgent, read: Read) -> None:
    rows = read.rows(long)
    assert [one.since for one in rows] == [0, *(one.reach for one in rows[:-1])]
    assert len([one for one in rows if one.state is not None]) >= 3
    whole = read.whole(long)
    briefly = read.briefly(long)
    # Those before the chain, that which the milestone ends with, and those after it.
    assert read.entries <= chainreading._FIRST + 1 + EVERY
    assert told(briefly) == told(whole)
    assert briefly.marked == rows[-1].reach


def test_a_chain_is_read_as_it_was_at_any_place(
    long: ScriptedAgent, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    size = read.office.verifier.publisher.size
    first = read.office.verifier.records.first_of(long.engagement)
    assert first is not None
    for below in range(first.position + 2, size + 1):
        whole = read.whole(long, below=below)
        briefly = read.briefly(long, below=below)
        if whole.chain is None:
            assert briefly == whole
        else:
            assert told(briefly) == told(whole)
        # And from there on, as a process does that knew it then.
        on = follow_chain(read.office.verifier.records, briefly, read.events, since=below)
        assert told(on) == told(read.whole(long))
    # Nothing of them was in doubt.
    assert not caplog.records


def test_a_server_that_begins_anew_goes_on_with_the_chain(
    long: ScriptedAgent, office: Office
) -> None:
    office.close()
    again = Office(office.verifier.settings, clock=office.clock).open()
    long.verifier = again
    long.work(9 * ROUND_MS)
    long.send()
    assert again.check() == []
    again.close()


def change(read: Read, agent: ScriptedAgent, statement: str, **values: object) -> None:
    office = read.office
    values |= {"last": read.rows(agent)[-1].reach} if ":last" in statement else {}
    with office.verifier.database.write() as connection:
        assert connection.execute(text(statement), values).rowcount


CHANGES: dict[str, str] = {
    "another past": "UPDATE milestones SET past = x'00' WHERE reach = :last",
    "another state": "UPDATE milestones SET state = x'a0' WHERE reach = :last",
    "another place": "UPDATE milestones SET position = position - 1 WHERE reach = :last",
    "no such place": "UPDATE milestones SET position = 1000000 WHERE reach = :last",
    "a gap": "UPDATE milestones SET since = since + 1 WHERE reach = :last",
    "none at all": "DELETE FROM milestones",
    "the first is gone": "DELETE FROM milestones WHERE since = 0",
    "the last is gone": "DELETE FROM milestones WHERE reach = :last",
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_not_as_the_statements_say_is_not_used(
    long: ScriptedAgent, read: Read, name: str
) -> None:
    whole = read.whole(long)
    change(read, long, CHANGES[name])
    assert told(read.briefly(long)) == told(whole)
    # Who has read it so goes on, and writes none where one stands.
    end = max((one.reach for one in read.rows(long)), default=0)
    read.office.verifier.publisher.forget()
    long.work(9 * ROUND_MS)
    long.send()
    assert told(read.briefly(long)) == told(read.whole(long))
    assert next(one.since for one in read.rows(long) if one.reach > end) == end


def test_a_state_of_another_chain_is_not_used(long: ScriptedAgent, read: Read) -> None:
    """It parses, and the statement at its end is not the one that it names."""
    whole = read.whole(long)
    states = [one.state for one in read.rows(long) if one.state is not None]
    swap = CHANGES["another state"].replace("x'a0'", ":state")
    change(read, long, swap, state=states[0])
    assert told(read.briefly(long)) == told(whole)
    assert any("stood otherwise" in problem for problem in read.office.check())


def test_a_log_of_an_earlier_program_has_them_when_its_chains_grow(
    long: ScriptedAgent, read: Read
) -> None:
    office = read.office
    with office.verifier.database.write() as connection:
        for name in ("engagement", "tie", "moved"):
            connection.exec_driver_sql(f"DROP INDEX parties_{name}")
        for name in ("tie", "place", "moved"):
            connection.exec_driver_sql(f"ALTER TABLE parties DROP COLUMN {name}")
        for name in ("statements_seq", "statements_kind", "statements_about"):
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql("CREATE INDEX statements_kind ON statements (kind, position)")
        connection.exec_driver_sql("CREATE INDEX statements_about ON statements (about)")
        connection.exec_driver_sql("ALTER TABLE statements DROP COLUMN seq")
        connection.exec_driver_sql("DROP TABLE milestones")
        connection.execute(text("UPDATE alembic_version SET version_num = '0008'"))
    office.close()
    database = Database(office.verifier.settings.store)
    assert database.migrate()[0] == "0008"
    database.close()
    again = Office(office.verifier.settings, clock=office.clock).open()
    long.verifier = read.office = again
    assert read.rows(long) == []
    long.work(ROUND_MS)
    long.send()
    rows = read.rows(long)
    assert (rows[0].since, rows[-1].reach) == (0, long.state.next_seq)
    assert len(rows) > 2
    assert again.check() == []
    again.close()


# --- where two processes share a log --------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize("far", [2, 1_000])
def test_a_chain_that_changes_its_process_has_each_milestone_once(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch, far: int
) -> None:
    monkeypatch.setattr(admission, "FAR", far)
    agent = ScriptedAgent(both[0], terms=both[0].terms(capture_rate=65_536))
    agent.open_session()
    for number, count in enumerate((4, 5, 1, 7, 2, 9, 13, 1, 6)):
        agent.verifier = both[number % 2]
        agent.work(count * ROUND_MS)
        agent.send()
    rows = both[0].verifier.records.milestones.after(agent.engagement, 0)
    assert [one.since for one in rows] == [0, *(one.reach for one in rows[:-1])]
    assert len(rows) >= 6
    assert both[1].check() == []


@pytest.mark.postgres
def test_a_process_that_knows_an_old_state_reads_from_the_last_milestone(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "FAR", 2)
    agent = ScriptedAgent(both[0], terms=both[0].terms(capture_rate=65_536))
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    agent.verifier = both[1]
    for _ in range(4):
        agent.work(5 * ROUND_MS)
        agent.send()
    agent.verifier = both[0]
    read = Read(both[0], monkeypatch)
    agent.work(ROUND_MS)
    agent.send()
    assert 0 < read.entries <= 1 + EVERY
    held = both[0].verifier.sequencer._admission.held(agent.engagement)
    assert held is not None
    assert told(held) == told(read.whole(agent))
    assert both[0].check() == []
