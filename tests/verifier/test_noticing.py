"""Who is told of the steps of a real case, and that the outbox and the log never differ."""

import json
from pathlib import Path

import pytest

from support.hearings import Hearing
from support.office import FlakyDatabase, Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.records import Act
from workseal_verifier.errors import RefusedError
from workseal_verifier.services.noticing import About, name_of, roles_in
from workseal_verifier.store.notices import NoticeRow


@pytest.fixture
def hearing(office: Office) -> Hearing:
    agent = ScriptedAgent(office, terms=office.terms())
    return Hearing(office, agent.engagement, agent.terms)


def told(hearing: Hearing) -> set[tuple[str, str]]:
    """Give who was told of the newest step, and why."""
    office = hearing.office
    row = office.verifier.records.cases.last(hearing.case.case, below=2**53)
    assert row is not None
    names = {
        office.people.client.public_key.thumbprint: "client",
        office.people.freelancer.public_key.thumbprint: "freelancer",
        office.people.arbitrator.public_key.thumbprint: "arbitrator",
    }
    rows = office.verifier.notices.of_step(row.filing, row.position)
    return {(names[one.recipient], one.kind) for one in rows}


def rows_of(office: Office, recipient: Digest) -> list[NoticeRow]:
    return office.verifier.notices.board([recipient], below=2**53, before=2**53, most=100)


def test_who_must_act_is_told_so_and_who_acted_is_not_told(hearing: Hearing) -> None:
    hearing.file()
    assert told(hearing) == {("freelancer", "step")}
    hearing.act(Role.OPERATOR, Act.NOTICE)
    assert told(hearing) == {("freelancer", "turn"), ("client", "step")}
    hearing.office.now += 1_000
    hearing.act(Role.FREELANCER, Act.EXHIBIT, text="see the plan")
    assert told(hearing) == {("client", "step")}
    hearing.act(Role.FREELANCER, Act.ANSWER)
    # A deadline of both begins, for who answered too.
    assert told(hearing) == {("freelancer", "turn"), ("client", "turn")}
    hearing.act(Role.CLIENT, Act.END).draw()
    # Nobody accepts a person who has not declared.
    assert told(hearing) == {("freelancer", "step"), ("arbitrator", "turn")}
    hearing.act(Role.ARBITRATOR, Act.DECLARE)
    assert told(hearing) == {("client", "turn"), ("freelancer", "turn")}


def test_a_notice_holds_whose_turn_and_by_when_and_no_word_of_the_case(hearing: Hearing) -> None:
    hearing.file(text="the secret name of the project", amount=70_001)
    hearing.act(Role.OPERATOR, Act.NOTICE)
    freelancer = hearing.office.people.freelancer.public_key.thumbprint
    row = rows_of(hearing.office, freelancer)[0]
    assert hearing.case.due is not None
    assert (row.state, row.until_ms) == ("answer", hearing.case.due.until)
    assert roles_in(row.waiting) == (Role.FREELANCER,)
    with hearing.office.verifier.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM notices").all()
    text = json.dumps([[str(value) for value in one] for one in stored])
    assert len(stored) == 9
    assert "secret" not in text
    assert "70001" not in text


def test_names_differ_by_case_step_kind_and_person() -> None:
    one, two = Digest.of(b"one"), Digest.of(b"two")
    names = {
        name_of(filing, step, about, person)
        for filing in (None, one, two)
        for step in (1, 2)
        for about in About
        for person in (one, two)
    }
    assert len(names) == 3 * 2 * len(About) * 2


@pytest.mark.parametrize("mode", ["lost", "kept"])
def test_a_step_and_its_notices_are_stored_together_or_not_at_all(
    tmp_path: Path, mode: str
) -> None:
    made: list[FlakyDatabase] = []

    def flaky(where: Path | str) -> FlakyDatabase:
        made.append(FlakyDatabase(where))
        return made[-1]

    office = Office(new_home(tmp_path), database=flaky).open()
    office.now = START
    agent = ScriptedAgent(office, terms=office.terms())
    hearing = Hearing(office, agent.engagement, agent.terms)
    filing = hearing.filing()
    (database,) = made
    database.fail_at = {database.writes: mode}
    with pytest.raises(RefusedError):
        office.post([filing])
    database.fail_at = {}
    steps = office.verifier.records.cases.count()
    found = len(rows_of(office, office.people.freelancer.public_key.thumbprint))
    assert steps == found == (mode == "kept")
    # Sent again, as its sender does: one step, one notice.
    office.post([filing])
    assert office.verifier.records.cases.count() == 1
    assert len(rows_of(office, office.people.freelancer.public_key.thumbprint)) == 1
    office.close()
