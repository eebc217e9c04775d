"""What went sealed only, checked by the operator after all: at a real verifier, in a real case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.freelanced import Freelancer, Kept, answer_in_case, at_a_bench
from workseal_agent.connection import RefusedError
from workseal_agent.disclose import send
from workseal_agent.errors import AgentError
from workseal_agent.ledger import StoredStatement
from workseal_agent.rechecking import checkable, have_checked, named
from workseal_protocol.cli.acting import CHECK, Asker, as_json, findings_in, lines
from workseal_protocol.cli.acting.checked import do_differ
from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeFinding,
    Finding,
    Outcome,
    Verdict,
    read_record,
    sign,
)
from workseal_protocol.statement import Kind, Statement


class Shown:
    """Hold an answer of one tile that went sealed only, in a case at a real verifier."""

    def __init__(self, freelancer: Freelancer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.freelancer, self.vault = freelancer, Kept()
        self.answer = answer_in_case(freelancer, monkeypatch)
        freelancer.cases.deliver_sealed_only(self.answer, self.answer.package(), self.vault)
        freelancer.court.hearing.follow(self.answer.statement, freelancer.court.office.now)

    @property
    def stored(self) -> StoredStatement:
        live = self.freelancer.cases.live(self.freelancer.name)
        return named(checkable(self.freelancer.cases, live.case), None)

    def said_to_fail(self) -> None:
        """Let the arbitrator say falsely that it fails."""
        hearing = self.freelancer.court.hearing
        (one,) = self.answer.opened
        tiles = one.disclosure.header.grid.count
        record = DisputeFinding(
            engagement=self.freelancer.engagement.id,
            claimed_at=self.freelancer.court.office.now,
            disclosure=self.answer.statement.digest,
            findings=(Finding(one.disclosure.digest, Outcome.FAILS, 1, tiles),),
            place=CasePlace(hearing.case.case, hearing.case.head),
        )
        statement = sign(record, hearing.signer_of(Role.ARBITRATOR))
        self.freelancer.court.office.post([statement])
        hearing.follow(statement, self.freelancer.court.office.now)

    def check(self) -> tuple[Finding, ...]:
        return have_checked(self.freelancer.cases, self.stored, self.vault)[1]

    def told(self) -> list[str]:
        live = self.freelancer.cases.live(self.freelancer.name)
        key, now = self.freelancer.signer.public_key.thumbprint, self.freelancer.court.office.now
        return lines(live, Asker(key, now, lambda move, details: f"type {move} {details}"))

    def findings_logged(self) -> list[DisputeFinding]:
        number = self.freelancer.engagement.id
        told = self.freelancer.cases.source.listing(number, 0)
        records = [read_record(Statement.parse(body)) for _, body in told]
        return [one for one in records if isinstance(one, DisputeFinding)]


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    with at_a_bench(tmp_path, monkeypatch) as made:
        yield Shown(made, monkeypatch)


@pytest.mark.parametrize("later", [False, True], ids=["while comments are taken", "later"])
def test_a_false_finding_is_contradicted_in_the_case(shown: Shown, later: bool) -> None:  # noqa: FBT001
    freelancer = shown.freelancer
    assert any("nobody has said yet what a check" in line for line in shown.told())
    shown.said_to_fail()
    if later:
        freelancer.court.hearing.act(Role.CLIENT, Act.PASS)
    (found,) = shown.check()
    assert found.outcome is Outcome.HOLDS
    live = freelancer.cases.live(freelancer.name)
    assert live.case.state is (State.EVIDENCE if later else State.COMMENT)
    assert [(one.by, one.holds) for one in findings_in(live)] == [
        (Role.ARBITRATOR, False), (Role.OPERATOR, True),
    ]  # fmt: skip
    assert do_differ(findings_in(live))
    told = "\n".join(shown.told())
    assert "they do not say the same of" in told
    assert " holds for 1 of 1 frame, 1 of" in told
    assert f"type {CHECK}" not in told
    asker = Asker(freelancer.signer.public_key.thumbprint, 0, lambda *_: "")
    assert [one["by"] for one in as_json(live, asker)["checks"]] == ["arbitrator", "operator"]  # type: ignore[attr-defined]


def test_asked_again_it_is_the_same_finding(shown: Shown) -> None:
    assert shown.check() == shown.check()
    assert len(shown.findings_logged()) == 1


def test_more_than_its_level_has_is_shown_to_no_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by the command, nor by a program that does not count: nothing is logged of it."""
    with at_a_bench(tmp_path, monkeypatch) as freelancer:
        answer, vault = answer_in_case(freelancer, monkeypatch, (0, 1)), Kept()
        freelancer.cases.deliver_sealed_only(answer, answer.package(), vault)
        live = freelancer.cases.live(freelancer.name)
        stored = named(checkable(freelancer.cases, live.case), None)
        with pytest.raises(AgentError, match="level 2 of the ladder has 1 at most"):
            have_checked(freelancer.cases, stored, vault)
        now = freelancer.court.office.now
        with pytest.raises(RefusedError, match=r"expected at most 1 of .* tiles") as refused:
            send(answer, freelancer.ledger, freelancer.client, freelancer.engagement, now_ms=now)
        assert refused.value.status == 422
        assert freelancer.cases.live(freelancer.name).case.head == live.case.head


def test_once_the_hearing_is_over_it_is_logged_beside_the_case(shown: Shown) -> None:
    freelancer = shown.freelancer
    shown.said_to_fail()
    hearing = freelancer.court.hearing
    hearing.act(Role.CLIENT, Act.PASS)
    said = {"code": Verdict.DISMISSED, "amount": 0, "text": "it failed"}
    hearing.act(Role.ARBITRATOR, Act.DRAFT, cites=(hearing.case.case,), **said)
    (found,) = shown.check()
    assert found.outcome is Outcome.HOLDS
    live = freelancer.cases.live(freelancer.name)
    assert [one.by for one in findings_in(live)] == [Role.ARBITRATOR]
    places = [one.place is None for one in shown.findings_logged()]
    assert places == [False, True]
    hearings = freelancer.court.office.verifier.services.hearings
    (beside,) = hearings.checked_beside(live.case)
    assert (beside.by, beside.record.findings) == (Role.OPERATOR, (found,))


def test_the_freelancer_is_told_how_and_nobody_else(shown: Shown) -> None:
    digits = str(shown.answer.statement.digest)[:16]
    assert f"  type {CHECK} --disclosure {digits}" in shown.told()
    live = shown.freelancer.cases.live(shown.freelancer.name)
    client = shown.freelancer.court.office.people.client.public_key.thumbprint
    other = lines(live, Asker(client, 0, lambda move, _details: f"type {move}"))
    assert not any(CHECK in line.split() for line in other if line.startswith("  type"))


def test_what_is_taken_back_or_of_nobody_is_shown_to_no_check(shown: Shown) -> None:
    freelancer, digest = shown.freelancer, str(shown.answer.statement.digest)
    own = checkable(freelancer.cases, freelancer.cases.live(freelancer.name).case)
    assert named(own, digest[:8]).digest == shown.answer.statement.digest
    with pytest.raises(AgentError, match="no answer of yours with these digits"):
        named(own, "0" * 8 if not digest.startswith("0" * 8) else "1" * 8)
    with pytest.raises(AgentError, match="2 answers begin with these digits"):
        named([*own, *own], digest[:8])
    assert freelancer.act("claw-back", cite=(digest,), text="by mistake")
    with pytest.raises(AgentError, match="taken back"):
        _ = shown.stored
    assert freelancer.ledger.of_kind(freelancer.engagement.id, Kind.DISPUTE_DISCLOSURE)
