"""The freelancer inside a case, at a real verifier: what is signed is kept, and never twice."""

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.freelanced import Freelancer, Kept, answer_in_case, at_a_bench
from workseal_agent.cli.casework import hold_frames
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.errors import AgentError
from workseal_agent.keptcases import in_its_place
from workseal_agent.ledger import SendState
from workseal_agent.reveals import Reveal, reveals_of
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_client.exchange import Exchange
from workseal_protocol.cli.acting import CaseFolder, Known, listed_by
from workseal_protocol.cli.acting.standing import Asker, may_do
from workseal_protocol.cli.finding import sign_finding
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.dispute import State
from workseal_protocol.dispute.table import FOUND
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    Finding,
    Outcome,
    read_record,
)
from workseal_protocol.statement import Statement


@pytest.fixture
def freelancer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Freelancer]:
    with at_a_bench(tmp_path, monkeypatch) as made:
        yield made


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
    assert in_its_place(filing, live.case, ()) == live.case.case
    assert in_its_place(replace(filing, text="more"), live.case, ()) is None


def test_the_hours_of_a_case_that_was_read_hold_frames_until_it_was_read_to_have_ended(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    court, ledger, number = freelancer.court, freelancer.ledger, freelancer.engagement.id
    assert ledger.cases(number) == ()
    filing = freelancer.cases.live(freelancer.name).case.filing
    (row,) = ledger.cases(number)
    assert (row.filing, row.begin_ms, row.end_ms) == (freelancer.name, filing.begin, filing.end)
    assert not row.ended
    court.hearing.act(Role.CLIENT, Act.WITHDRAW)
    assert not ledger.cases(number)[0].ended
    # A word that is dated ahead of this clock ends nothing yet.
    with monkeypatch.context() as patch:
        patch.setattr(VerifierClient, "now_ms", lambda _: court.hearing.case.known_at - 1)
        freelancer.cases._note_hours(court.hearing.case)
    assert not ledger.cases(number)[0].ended
    assert freelancer.cases.live(freelancer.name).case.state is State.WITHDRAWN
    assert [one.ended for one in ledger.cases(number)] == [True]


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
    shown.write_bytes(court.openings(1))
    assert freelancer.act("show", file=str(shown), salted=str(court.folder / "salted"))
    digest = freelancer.cases.live(freelancer.name).case.head
    assert freelancer.act("claw-back", cite=(str(digest),), text="the wrong day")
    case = freelancer.cases.live(freelancer.name).case
    assert case.clawed_back == {digest}
    court.hearing._case = case
    court.hearing.act(Role.CLIENT, Act.PASS)
    with pytest.raises(Exception, match="nothing that was disclosed by mistake"):
        court.hearing.act(Role.ARBITRATOR, Act.DRAFT, cites=(digest,), due=None)


def test_in_a_case_what_goes_sealed_only_stays_so_after_lost_answers(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement's answer is lost, then the package's, then the verifier forgets the package."""
    sent: list[tuple[str, bytes]] = []
    lost = ["/v1/statements", "/v1/sealed/"]
    true = Exchange.send

    def send(self: Any, method: str, path: str, body: bytes | None = None, **more: Any) -> Any:
        sent.append((path, body or b""))
        answered = true(self, method, path, body, **more)
        if method != "GET" and lost and path.startswith(lost[0]):
            lost.pop(0)
            raise UnreachableError("the test lost it")
        return answered

    made, vault, cases = answer_in_case(freelancer, monkeypatch), Kept(), freelancer.cases
    monkeypatch.setattr(Exchange, "send", send)
    with pytest.raises(UnreachableError):
        cases.deliver_sealed_only(made, made.package(), vault)
    assert freelancer.state_of(made.statement) is SendState.UNSENT
    with pytest.raises(UnreachableError):
        cases.answered_before(made.request, vault)
    assert freelancer.state_of(made.statement) is SendState.RECEIPTED
    for _ in range(2):
        address = cases.answered_before(made.request, vault)
        assert address == f"{freelancer.client.url}/v1/sealed/{made.request.statement.digest}"
    assert cases.live(freelancer.name).case.state is State.COMMENT
    packed = made.opened[0].disclosure.encode()
    assert "/v1/disclosures" not in [path for path, _ in sent]
    for _, body in sent:
        assert all(packed[at : at + 16] not in body for at in range(0, len(packed) - 16, 8))


def listed(freelancer: Freelancer) -> tuple[Reveal, ...]:
    return reveals_of(freelancer.ledger, freelancer.engagement.id)


def moves_of_who_sits(freelancer: Freelancer) -> tuple[str, ...]:
    court = freelancer.court
    sits = court.hearing.signer_of(Role.ARBITRATOR).public_key.thumbprint
    asker = Asker(sits, court.office.now, lambda move, _details: move)
    return may_do(freelancer.cases.live(freelancer.name), asker)


def test_in_a_case_what_was_taken_back_is_not_left_again(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, vault, cases = answer_in_case(freelancer, monkeypatch), Kept(), freelancer.cases
    cases.deliver_sealed_only(made, made.package(), vault)
    assert cases.kept(made.request, made.opened) == made
    assert FOUND in moves_of_who_sits(freelancer)
    assert [one.taken_back for one in listed(freelancer)] == [False]
    assert freelancer.act("claw-back", cite=(str(made.statement.digest),), text="by mistake")
    # Nobody is asked to look at it; who saw it has seen it.
    assert FOUND not in moves_of_who_sits(freelancer)
    assert [one.taken_back for one in listed(freelancer)] == [True]
    assert cases.answered_before(made.request, vault) is None
    assert cases.kept(made.request, made.opened) is None


def test_in_a_case_the_arbitrator_signs_what_the_check_of_it_found(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what went sealed only: the next statement of the case, which the client's `show` tells."""
    made, court = answer_in_case(freelancer, monkeypatch), freelancer.court
    freelancer.cases.deliver_sealed_only(made, made.package(), Kept())
    court.hearing.follow(made.statement, court.office.now)
    told, terms, out = (court.folder / name for name in ("told", "terms", "finding.cose"))
    told.write_bytes(b"".join(one.encode() for one in court.hearing.told))
    terms.write_bytes(freelancer.engagement.acceptance)
    sits = court.hearing.signer_of(Role.ARBITRATOR).public_key
    first = sits == court.office.people.arbitrator.public_key
    key = court.folder / ("arbitrator 1" if first else "arbitrator 2")
    options = Namespace(finding=out, key=key, case=None, bundle=terms)
    answered = (made.statement, read_record(made.statement))
    (shown,) = (one.disclosure for one in made.opened)
    found = (Finding(shown.digest, Outcome.HOLDS, 1, shown.header.grid.count),)
    with pytest.raises(CommandError, match="part of a case"):
        sign_finding(options, None, answered, found)  # type: ignore[arg-type]
    options.case = [told]
    sign_finding(options, None, answered, found)  # type: ignore[arg-type]
    statement = Statement.parse(out.read_bytes())
    # It is beside the key until it is in the case; nothing else is signed meanwhile.
    kept = CaseFolder.beside(key).unanswered(str(freelancer.name))
    assert kept == statement
    options.finding = court.folder / "second.cose"
    with pytest.raises(CommandError, match="not in the case"):
        sign_finding(options, None, answered, found)  # type: ignore[arg-type]
    court.office.post([statement])
    live = freelancer.cases.live(freelancer.name)
    assert live.case.head == statement.digest
    assert live.case.state is State.COMMENT
    assert set(live.case.unexamined.values()) == {frozenset({Role.OPERATOR})}


def test_a_list_of_cases_reads_those_whose_end_is_not_known(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cases, number = freelancer.cases, freelancer.engagement.id
    found = listed_by(freelancer.client.cases).cases
    with monkeypatch.context() as patch:
        patch.setattr(VerifierClient, "case_statements", lambda *_: b"")
        hold_frames(cases, found)
    assert "was not read, and may hold no frames" in capsys.readouterr().out
    assert freelancer.ledger.cases(number) == ()
    hold_frames(cases, [dict(one, engagement="00" * 16) for one in found])
    assert freelancer.ledger.cases(number) == ()
    hold_frames(cases, found)
    assert [one.filing for one in freelancer.ledger.cases(number)] == [freelancer.name]
    assert capsys.readouterr().out == ""
