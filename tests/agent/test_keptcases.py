"""What was said in a case, kept before it is sent, and what becomes of it."""

from pathlib import Path

import pytest

from support.rig import Rig
from workseal_agent.connection import RefusedError, UnreachableError
from workseal_agent.errors import AgentError
from workseal_agent.keptcases import KeptCases, filings_waiting
from workseal_agent.ledger import SendState
from workseal_protocol.cli.acting import CaseFolder
from workseal_protocol.digest import Digest
from workseal_protocol.records import Claim, DisputeFiling, Due, sign
from workseal_protocol.statement import Statement

DUE = Due(until=86_399_999, days=5, calendar="DE", source="x", zone="UTC", offset=0, weekend=96)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def cases(rig: Rig, tmp_path: Path) -> KeptCases:
    folder = CaseFolder(tmp_path / "cases")
    return KeptCases(rig.ledger, rig.client, rig.engagement, folder, rig.signer.public_key)


def filing(rig: Rig) -> Statement:
    return sign(
        DisputeFiling(
            engagement=rig.engagement.id, claimed_at=rig.clock.true_ms, due=DUE,
            claim=Claim.NOT_PAID, begin=0, end=3_600_000, amount=100, text="unpaid",
        ),
        rig.signer,
    )  # fmt: skip


def test_a_filing_waits_until_it_is_refused_for_good(rig: Rig, cases: KeptCases) -> None:
    said = filing(rig)
    cases.keep(said)
    assert [one.digest for one in filings_waiting(rig.ledger, rig.engagement.id)] == [said.digest]
    assert [one.digest for one in cases.waiting(said.digest)] == [said.digest]
    assert cases.waiting(Digest(bytes(32))) == ()
    cases.park(said.digest, RefusedError(422, "overlap", "another case has these hours"))
    assert filings_waiting(rig.ledger, rig.engagement.id) == []
    # The problem's name stays, for whoever tells it in another language.
    assert cases.problem_of(said.digest) == "overlap: another case has these hours"


def test_a_refusal_that_may_pass_parks_nothing(rig: Rig, cases: KeptCases) -> None:
    said = filing(rig)
    cases.keep(said)
    with pytest.raises(UnreachableError):
        cases.park(said.digest, RefusedError(503, "busy", "later"))
    stored = rig.ledger.statement(said.digest)
    assert stored is not None
    assert stored.state is SendState.UNSENT
    assert cases.problem_of(said.digest) == ""


def test_a_case_of_another_agreement_says_which_one_to_name(cases: KeptCases) -> None:
    with pytest.raises(AgentError, match=r"name it with --engagement 0a0b0c0d$"):
        cases.source.listing(bytes.fromhex("0a0b0c0d0e0f") + bytes(10), 0)
