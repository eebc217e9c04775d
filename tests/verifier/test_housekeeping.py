from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from support.hearings import Hearing
from support.office import Office
from support.scripted import ScriptedAgent
from workseal_protocol.cli.page import offline_page
from workseal_protocol.digest import Digest
from workseal_protocol.keys import Role
from workseal_protocol.logcopy import CopiedStatement, CopyReader
from workseal_protocol.records import Act, LogPolicy, read_record
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.errors import Reason, RefusedError, StoreError
from workseal_verifier.housekeeping import HOUSEKEEPING_S, Housekeeping, Premises
from workseal_verifier.loops import RETRY_S
from workseal_verifier.owncopy import OWN_FILE
from workseal_verifier.services.health import HOUSEKEEPING
from workseal_verifier.store.schema import spent


def test_housekeeping_that_fails_is_told(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = office.verifier

    def broken(_: object) -> None:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(verifier.beacon, "commit_ahead", broken)
        for _ in range(3):
            verifier.housekeeping.keep()
    assert verifier.health.failing() == (HOUSEKEEPING,)
    verifier.housekeeping.keep()
    assert verifier.health.failing() == ()


def test_the_policy_is_logged_once_and_says_what_is_admitted(office: Office) -> None:
    for _ in range(2):
        office.verifier.housekeeping.keep()
    found = office.verifier.records.of_kinds([Kind.LOG_POLICY.value], below=2**53)
    (record,) = [read_record(Statement.parse(entry.body)) for entry in found]
    assert isinstance(record, LogPolicy)
    assert record.policy == office.verifier.identity.policy.encode()
    assert "nothing else is" in record.rules
    # What `sha256sum` prints of the page that this installation writes.
    assert record.page == Digest.of(offline_page())


def test_another_page_is_logged_and_the_same_one_not_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.verifier.housekeeping.keep()
    log = office.verifier.housekeeping._log
    for page in (b"another page", b"another page"):
        monkeypatch.setattr("workseal_verifier.housekeeping.offline_page", lambda page=page: page)
        keeping = housekeeping(office, log)
        keeping.policies()
        keeping.keep()
    found = office.verifier.records.of_kinds([Kind.LOG_POLICY.value], below=2**53)
    records = [read_record(Statement.parse(entry.body)) for entry in found]
    assert [record.page for record in records if isinstance(record, LogPolicy)] == [
        Digest.of(offline_page()),
        Digest.of(b"another page"),
    ]


def test_what_expired_at_the_doors_is_cleared(office: Office) -> None:
    access = office.verifier.access
    for number, until in enumerate((office.now, office.now + 1)):
        access.spend(Digest.of(bytes([number])), until_ms=until)
    office.verifier.housekeeping.keep()
    with access.database.read() as connection:
        assert connection.execute(select(spent.c.until_ms)).scalars().all() == [office.now + 1]


@pytest.mark.parametrize("reason", [Reason.BUSY, Reason.FULL, Reason.CLOCK])
def test_a_policy_that_was_not_logged_is_tried_again(office: Office, reason: Reason) -> None:
    refusals = [reason, Reason.CONFLICT]
    tried: list[Kind] = []

    def log(statements: Sequence[Statement]) -> None:
        tried.extend(one.kind for one in statements)
        raise RefusedError(refusals.pop(0), "the test refuses")

    keeping = housekeeping(office, log)
    assert keeping.keep() == RETRY_S
    # Only that another process has logged it is as good as having done so.
    assert keeping.keep() == HOUSEKEEPING_S
    assert keeping.keep() == HOUSEKEEPING_S
    assert tried == [Kind.LOG_POLICY] * 2


def test_what_housekeeping_waits_for_is_told_once(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = [Reason.FULL] * 9 + [Reason.CONFLICT]

    def log(_: Sequence[Statement]) -> None:
        raise RefusedError(refusals.pop(0), "the test refuses")

    keeping = housekeeping(office, log)
    caplog.clear()
    assert [keeping.keep() for _ in range(10)] == [RETRY_S] * 9 + [HOUSEKEEPING_S]
    told = [one.getMessage() for one in caplog.records if "housekeeping" in one.getMessage()]
    assert told == ["housekeeping waits: the test refuses", "housekeeping goes on"]


def test_what_the_operator_does_in_a_case_is_copied_and_what_parties_do_is_not(
    office: Office, agent: ScriptedAgent
) -> None:
    hearing = Hearing(office, agent.engagement, agent.terms)
    hearing.file(Role.FREELANCER).seated().act(Role.ARBITRATOR, Act.DRAFT)
    hearing.act(Role.CLIENT, Act.COMMENT).act(Role.FREELANCER, Act.COMMENT)
    hearing.act(Role.ARBITRATOR, Act.DECIDE).pass_due().act(Role.OPERATOR, Act.LAPSE)
    office.verifier.housekeeping.keep()
    operator = office.verifier.identity.operator.public_key.thumbprint
    own = {one.digest for one in hearing.told if one.issuer == operator}
    copied = {
        one.digest
        for path in office.verifier.settings.home.rglob(OWN_FILE)
        for one in map(Statement.parse, bodies(path))
        if one.kind is Kind.DISPUTE_ACT
    }
    assert hearing.told[-1].digest in own
    assert copied == own


def bodies(path: Path) -> list[bytes]:
    found = CopyReader([path.read_bytes()])
    return [one.body for one in found if isinstance(one, CopiedStatement)]


def housekeeping(office: Office, log: Callable[[Sequence[Statement]], None]) -> Housekeeping:
    """Look after the office's log as a process does that has just begun."""
    verifier = office.verifier
    premises = Premises(
        settings=verifier.settings,
        identity=verifier.identity,
        clock=office.clock,
        database=verifier.database,
        records=verifier.records,
        access=verifier.access,
        beacon=verifier.beacon,
        own=verifier.own,
        health=verifier.health,
    )
    return Housekeeping(premises, log=log, size=lambda: verifier.publisher.size)
