from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.errors import AgentError
from workseal_agent.export import copy_of_log
from workseal_agent.ledger import SendState
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.logcopy import CopiedStatement, CopyReader
from workseal_protocol.records import Acceptance, Offer, Segment, read_record
from workseal_protocol.statement import Statement


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def copied(rig: Rig) -> tuple[dict[int, bytes], list[SignedCheckpoint]]:
    items = list(CopyReader([copy_of_log(rig.ledger, rig.engagement).data]))
    statements = {one.index: one.body for one in items if isinstance(one, CopiedStatement)}
    return statements, [one for one in items if isinstance(one, SignedCheckpoint)]


def test_holds_every_statement_that_was_receipted_at_its_place(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(100)
    rig.recorder.stop()
    assert rig.uplink.drain(100)
    statements, checkpoints = copied(rig)
    records = [read_record(Statement.parse(body)) for body in statements.values()]
    assert {Offer, Acceptance, Segment} <= {type(record) for record in records}
    stored = rig.ledger.statements(rig.engagement.id, SendState.RECEIPTED)
    assert statements == {one.log_index: one.body for one in stored}
    kept = [SignedCheckpoint.parse(body) for body in rig.ledger.checkpoints(rig.engagement.id)]
    assert checkpoints == kept
    assert checkpoints[-1].checkpoint.size > max(statements)


def test_holds_nothing_that_was_not_sent(rig: Rig) -> None:
    rig.recorder.start()
    rig.work(50)
    assert rig.uplink.drain(100)
    rig.cut(up=False)
    rig.work(50)
    unsent = rig.ledger.statements(rig.engagement.id, SendState.UNSENT)
    data = copy_of_log(rig.ledger, rig.engagement).data
    assert unsent
    assert not any(one.body in data for one in unsent)


def test_needs_neither_the_verifier_nor_a_key(rig: Rig) -> None:
    rig.cut(up=False)
    made = copy_of_log(rig.ledger, rig.engagement)
    assert (made.statements, made.origin) == (2, rig.simulator.policy.logs[0].name)


def test_says_that_there_is_nothing_to_copy(rig: Rig) -> None:
    with rig.ledger.write() as transaction:
        transaction._sql.execute("UPDATE statements SET state = 'unsent', log_index = NULL")
    with pytest.raises(AgentError, match="nothing of this agent is logged yet"):
        copy_of_log(rig.ledger, rig.engagement)
