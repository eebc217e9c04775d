"""The freelancer inside a case, at a real verifier: what is signed is kept, and never twice."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.court import Bench, bench
from support.simulator import seeded
from workseal_agent.cases import OwnCases, _in_its_place
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.ledger import Engagement, Ledger, LedgerKey, SendState
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_protocol.cli.acting import CaseFolder, Known, LiveMeans, Said, make_act
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import Act
from workseal_protocol.statement import Kind, Statement


class Freelancer:
    """Hold the ledger of the freelancer of a bench, and act as the command does."""

    def __init__(self, court: Bench, folder: Path) -> None:
        self.court = court
        self.signer = SeedSigner(seeded(court.office.seed, "party", "freelancer"))
        bodies = {
            record.KIND: statement.encode()
            for statement, record in court.agent.made
            if record.KIND in {Kind.OFFER, Kind.ACCEPTANCE}
        }
        self.engagement = Engagement(
            court.agent.engagement, bodies[Kind.OFFER], bodies[Kind.ACCEPTANCE], court.url, ()
        )
        self.ledger = Ledger(folder / "ledger.sqlite", LedgerKey(self.signer))
        with self.ledger.write() as writing:
            writing.add_engagement(self.engagement)
        self.client = VerifierClient(
            court.url, signer=self.signer, now_ms=lambda: self.court.office.now
        )
        self.cases = OwnCases(
            self.ledger,
            self.client,
            self.engagement,
            CaseFolder(folder / "cases"),
            self.signer.public_key,
        )

    @property
    def name(self) -> Digest:
        return self.court.case.case

    def signed(self, act: str, **said: Any) -> Statement:
        """Sign the next act, without sending it."""
        case = self.cases.live(self.name).case
        words = Said(**said)
        means = LiveMeans(case, words, self.cases.folder, self.cases.source)
        now_ms = self.cases.now_ms(case.known_at)
        record = make_act(case, act, words, means, by=Role.FREELANCER, now_ms=now_ms)
        return place_next(case, record, self.signer)

    def act(self, act: str, **said: Any) -> bool:
        statement = self.signed(act, **said)
        self.cases.keep(statement)
        return self.cases.send(statement)

    def state_of(self, statement: Statement) -> SendState:
        stored = self.ledger.statement(statement.digest)
        assert stored is not None
        return stored.state

    def close(self) -> None:
        self.client.close()
        self.ledger.close()


def _never(*_words: object) -> Any:
    raise AssertionError("no command is typed here")


@pytest.fixture
def freelancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    (tmp_path / "verifier").mkdir()
    with bench(tmp_path / "verifier", _never) as court:
        monkeypatch.setattr(time, "time_ns", lambda: court.office.now * 1_000_000)
        court.hearing.file()
        made = Freelancer(court, tmp_path)
        yield made
        made.close()


def test_what_is_said_is_kept_logged_and_seen(freelancer: Freelancer) -> None:
    statement = freelancer.signed("answer", text="I worked")
    freelancer.cases.keep(statement)
    assert freelancer.state_of(statement) is SendState.UNSENT
    assert freelancer.cases.send(statement)
    assert freelancer.state_of(statement) is SendState.RECEIPTED
    live = freelancer.cases.live(freelancer.name)
    assert live.has(statement.digest)
    assert live.case.state is State.NEGOTIATION
    assert freelancer.cases.waiting(freelancer.name) == ()


@pytest.mark.parametrize("mode", ["lost", "kept"])
def test_a_lost_answer_is_settled_by_the_same_bytes(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    true = VerifierClient.submit
    sent: list[bytes] = []

    def submit(client: VerifierClient, bodies: Any, old: int) -> bytes:
        sent.extend(bodies)
        if mode == "kept":
            true(client, bodies, old)
        raise UnreachableError("the test lost it")

    statement = freelancer.signed("answer", text="I worked")
    freelancer.cases.keep(statement)
    monkeypatch.setattr(VerifierClient, "submit", submit)
    with pytest.raises(UnreachableError):
        freelancer.cases.send(statement)
    monkeypatch.setattr(VerifierClient, "submit", true)
    assert [one.digest for one in freelancer.cases.waiting(freelancer.name)] == [statement.digest]
    assert freelancer.cases.settle(freelancer.name) == (statement.digest,)
    assert set(sent) == {statement.encode()}
    assert freelancer.cases.live(freelancer.name).has(statement.digest)


def test_a_second_statement_after_the_same_one_is_not_kept(freelancer: Freelancer) -> None:
    first = freelancer.signed("answer", text="I worked")
    second = freelancer.signed("exhibit", text="see the report")
    freelancer.cases.keep(first)
    with pytest.raises(AgentError, match="you signed another statement of this case already"):
        freelancer.cases.keep(second)
    assert freelancer.ledger.statement(second.digest) is None


def test_what_is_refused_for_good_is_parked_and_may_be_signed_anew(freelancer: Freelancer) -> None:
    first = freelancer.signed("answer", text="I worked")
    freelancer.cases.keep(first)
    freelancer.court.turn(freelancer.court.office.now + 120_000)
    assert freelancer.cases.settle(freelancer.name) == ()
    assert freelancer.state_of(first) is SendState.PARKED
    assert "signed more than 60 seconds ago" in freelancer.cases.problem_of(first.digest)
    assert freelancer.act("answer", text="I worked")


def test_what_was_signed_anew_is_replaced_and_never_sent_beside_its_successor(
    freelancer: Freelancer,
) -> None:
    # Two statements by one key after the same one are evidence against who signed them.
    first = freelancer.signed("answer", text="I worked")
    freelancer.cases.keep(first)
    freelancer.court.turn(freelancer.court.office.now + 120_000)
    freelancer.cases.settle(freelancer.name)
    number = freelancer.engagement.id
    assert freelancer.ledger.counts(number).parked == 1
    assert freelancer.act("answer", text="I worked")
    with freelancer.ledger.write() as writing:
        assert writing.unpark(number) == 0
    live = freelancer.cases.live(freelancer.name)
    assert freelancer.cases.waiting(freelancer.name) == ()
    Uplink(
        freelancer.ledger,
        freelancer.client,
        Log.of(freelancer.engagement),
        wall_ms=lambda: freelancer.court.office.now,
        jitter=lambda: 0.5,
    ).drain(10)
    conflicts = freelancer.court.office.verifier.services.conflicts
    assert list(conflicts.listing(number)) == []
    assert freelancer.ledger.counts(number).parked == 0
    assert freelancer.state_of(first) is SendState.REPLACED
    assert freelancer.ledger.statements(number, SendState.PARKED) == ()
    # A filing has no place: another one that says the same stands for it.
    filing = replace(live.case.filing, claimed_at=1)
    assert _in_its_place(filing, live.case, ()) == live.case.case
    assert _in_its_place(replace(filing, text="more"), live.case, ()) is None


def test_other_terms_than_those_agreed_are_refused(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = freelancer.court.office.terms(retention_days=99)
    monkeypatch.setattr(Known, "terms", property(lambda _known: other))
    with pytest.raises(AgentError, match="other terms than those that were agreed here"):
        freelancer.cases.live(freelancer.name)


def test_a_head_that_the_statements_do_not_give_is_refused(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie = json.dumps({"head": "00" * 32, "state": "final"}).encode()
    monkeypatch.setattr(VerifierClient, "case", lambda _client, _case: lie)
    with pytest.raises(CommandError, match="its statements give"):
        freelancer.cases.live(freelancer.name)


def test_a_claw_back_bars_what_it_cites(freelancer: Freelancer) -> None:
    """Show openings by mistake, and take them back: no draft can cite them."""
    court = freelancer.court
    court.hearing.seated().ask(1)
    shown = court.folder / "openings"
    shown.write_bytes(b"values")
    assert freelancer.act("show", file=str(shown), salted=str(court.folder / "salted"))
    digest = freelancer.cases.live(freelancer.name).case.head
    assert freelancer.act("claw-back", cite=(str(digest),), text="the wrong day")
    case = freelancer.cases.live(freelancer.name).case
    assert case.clawed_back == {digest}
    court.hearing._case = case
    court.hearing.act(Role.CLIENT, Act.PASS)
    with pytest.raises(Exception, match="nothing that was disclosed by mistake"):
        court.hearing.act(Role.ARBITRATOR, Act.DRAFT, cites=(digest,), due=None)
