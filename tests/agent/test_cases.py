"""The freelancer inside a case, at a real verifier: what is signed is kept, and never twice."""

import json
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.court import Bench, bench
from support.scripted import disclose as show
from support.simulator import seeded
from workseal_agent.cases import OwnCases, _in_its_place
from workseal_agent.connection import UnreachableError, VerifierClient
from workseal_agent.disclose import Answer, Opened, Request, answer
from workseal_agent.errors import AgentError
from workseal_agent.ledger import CaptureRow, Engagement, Ledger, LedgerKey, SendState
from workseal_agent.submission import Log
from workseal_agent.uplink import Uplink
from workseal_agent.vault import StoredFrame
from workseal_agent.vaultkey import generate_private, public_of
from workseal_client.exchange import Exchange
from workseal_protocol.cli.acting import CaseFolder, Known, LiveMeans, Said, make_act
from workseal_protocol.cli.finding import sign_finding
from workseal_protocol.cli.nextact import place_next
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import verify_disclosure
from workseal_protocol.dispute import State, drawn_frames
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeRequest,
    Finding,
    Outcome,
    RequestedFrame,
    read_record,
)
from workseal_protocol.statement import Kind, Statement

CASE = generate_private()


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


class Kept:
    """Hold in memory what a vault would, as far as disclosures need it."""

    def __init__(self) -> None:
        self.secrets: dict[bytes, bytes] = {}

    def put_secret(self, name: bytes, value: bytes) -> None:
        self.secrets[name] = value

    def secret(self, name: bytes) -> bytes:
        return self.secrets[name]

    def frame(self, commitment: Digest) -> StoredFrame:
        raise AssertionError(f"no frame is read again: {commitment}")


def answer_in_case(freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Let the arbitrator name a drawn frame, and sign what shows a tile of it."""
    court, hearing = freelancer.court, freelancer.court.hearing
    hearing.seated().ask(1).act(Role.FREELANCER, Act.SHOW).act(Role.CLIENT, Act.PASS)
    hearing.ask(2, freeze=hearing.freeze()).sampled()
    drawn = drawn_frames(hearing.case, hearing.frames())[0]
    statement = hearing.request(
        DisputeRequest(
            engagement=court.agent.engagement,
            claimed_at=court.office.now,
            frames=(RequestedFrame(drawn.segment, drawn.frame),),
            reason="the drawn one",
            sealing_key=hearing.case.sealing_key or public_of(CASE),
            answer_by=court.office.now + 1,
            place=CasePlace(hearing.case.case, hearing.case.head),
        )
    )
    frame = next(one for one in court.agent.frames if one.tree.commitment == drawn.frame)
    header, shown = frame.tree.header, show(frame, (0,))
    row = CaptureRow(
        1, drawn.frame, header.round, 1, header.display, header.grid.width, header.grid.height,
        drawn.segment, withdrawn=False,
    )  # fmt: skip
    monkeypatch.setattr(Ledger, "captures", lambda *_: (row,))
    request = Request(statement, read_record(statement))  # type: ignore[arg-type]
    case = freelancer.cases.disclosable(request)
    now_ms = freelancer.cases.now_ms(hearing.case.known_at)
    seen = verify_disclosure(shown, drawn.frame)
    return answer(request, [Opened(row, shown, seen)], freelancer.signer, now_ms=now_ms, case=case)


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


def test_in_a_case_what_was_taken_back_is_not_left_again(
    freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, vault, cases = answer_in_case(freelancer, monkeypatch), Kept(), freelancer.cases
    cases.deliver_sealed_only(made, made.package(), vault)
    assert cases.kept(made.request, made.opened) == made
    assert freelancer.act("claw-back", cite=(str(made.statement.digest),), text="by mistake")
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
    assert (live.case.state, live.case.unexamined) == (State.COMMENT, frozenset())
