"""Cases at a real log: what is admitted, what is refused, and what another process makes of it."""

from dataclasses import replace
from typing import Any

import pytest

from support.hearings import DAY_MS, Hearing
from support.office import Office, unique
from support.refusing import refused
from support.scripted import ScriptedAgent, disclose
from support.simulator import ROUND_MS, seeded
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    BACK_MS,
    Case,
    State,
    draw_person,
    drawn_frames,
)
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisclosedFrame,
    DisputeDisclosure,
    DisputeFinding,
    DisputeRequest,
    Finding,
    KeyRotate,
    Offer,
    Outcome,
    RequestedFrame,
    read_record,
    sign,
)
from workseal_protocol.sealing import case_public, encode_package, parse_package
from workseal_protocol.statement import Statement
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import admission, caserules
from workseal_verifier.services.candidate import Candidate
from workseal_verifier.services.casefold import Grounds, stored_case
from workseal_verifier.store.logrows import CaseRow

STRANGER = SeedSigner(b"\x66" * 32)


@pytest.fixture
def hearing(office: Office, agent: ScriptedAgent) -> Hearing:
    return Hearing(office, agent.engagement, agent.terms)


def steps(hearing: Hearing) -> list[CaseRow]:
    return hearing.office.verifier.records.cases.steps(hearing.case.case, below=2**53)


def standing(hearing: Hearing) -> tuple[str, int | None]:
    last = steps(hearing)[-1]
    return last.state, last.until_ms


def own(hearing: Hearing) -> tuple[str, int | None]:
    case = hearing.case
    return case.state.value, None if case.due is None else case.due.until


def test_a_case_goes_from_its_filing_to_a_settlement(hearing: Hearing) -> None:
    hearing.file()
    assert standing(hearing) == own(hearing) == ("notice", own(hearing)[1])
    hearing.answered().act(Role.FREELANCER, Act.OFFER)
    hearing.act(Role.CLIENT, Act.ACCEPT, cites=(hearing.case.head,))
    assert hearing.case.state is State.SETTLED
    assert standing(hearing) == own(hearing)
    assert [row.state for row in steps(hearing)] == [
        "notice",
        "answer",
        "negotiation",
        "negotiation",
        "settled",
    ]
    assert hearing.office.check() == []


def test_a_case_goes_to_a_decision_and_an_appeal_is_over(hearing: Hearing) -> None:
    hearing.file(Role.FREELANCER).seated()
    hearing.act(Role.ARBITRATOR, Act.DRAFT)
    for role in (Role.CLIENT, Role.FREELANCER):
        hearing.act(role, Act.COMMENT)
    hearing.act(Role.ARBITRATOR, Act.DECIDE)
    assert standing(hearing) == own(hearing)
    hearing.pass_due().act(Role.OPERATOR, Act.LAPSE)
    assert standing(hearing)[0] == "final"
    assert hearing.office.check() == []


def test_sending_again_changes_nothing(hearing: Hearing) -> None:
    hearing.file()
    before = hearing.office.acknowledged[hearing.told[0].digest]
    hearing.office.now += DAY_MS
    assert hearing.office.admit([hearing.told[0]]) == (before,)
    assert len(steps(hearing)) == 1


def test_the_terms_come_first(office: Office, hearing: Hearing) -> None:
    engagement = unique(office, "only offered")
    offer = Offer(engagement=engagement, claimed_at=office.now, terms=hearing.terms)
    filing = hearing.filing(engagement=engagement)
    told = refused(lambda: office.post([sign(offer, office.people.client), filing]))
    assert (told.item, told.detail) == (1, "the terms are not accepted yet")


def test_nobody_files_or_acts_but_who_the_terms_name(office: Office, hearing: Hearing) -> None:
    record = read_record(hearing.filing())
    for signer in (STRANGER, office.people.operator, office.people.arbitrator):
        told = refused(lambda: office.post([sign(record, signer)]))  # noqa: B023
        assert told.reason is Reason.UNKNOWN_PARTY
    hearing.file()
    act = hearing.statement(Role.CLIENT, Act.EXHIBIT, by=STRANGER)
    assert refused(lambda: office.post([act])).reason is Reason.UNKNOWN_PARTY


@pytest.mark.parametrize(
    ("early_ms", "reason"),
    [
        (BACK_MS, None),
        (BACK_MS + 1, Reason.REFUSED),
        (-2_000, None),
        (-2_001, Reason.BUSY),
        (-DAY_MS, Reason.REFUSED),
    ],
)
def test_an_instant_is_that_of_the_log_by_a_minute(
    office: Office, hearing: Hearing, early_ms: int, reason: Reason | None
) -> None:
    filing = hearing.filing(claimed_at=office.now - early_ms, end=office.now - DAY_MS)
    if reason is None:
        office.post([filing])
    else:
        assert refused(lambda: office.post([filing])).reason is reason


def test_nobody_gains_a_known_value_by_dating_back(office: Office, hearing: Hearing) -> None:
    """Who dates back as far as the log takes it draws by a round that has not begun."""
    hearing.file().answered()
    office.now += BACK_MS
    office.post([hearing.statement(Role.CLIENT, Act.END, claimed_at=office.now - BACK_MS)])
    case = office.verifier.services.hearings.view(
        hearing.case.case, office.people.client.public_key.thumbprint
    ).case
    assert case.state is State.DRAW
    assert case.panel_round * ROUND_MS > office.now


def test_a_head_that_the_replay_does_not_give_is_refused(office: Office, hearing: Hearing) -> None:
    hearing.file()
    wrong = hearing.statement(Role.OPERATOR, Act.NOTICE, prev=Digest(bytes(32)))
    told = refused(lambda: office.post([wrong]))
    assert told.reason is Reason.REFUSED
    assert str(hearing.case.head) in told.detail
    late = hearing.statement(Role.OPERATOR, Act.NOTICE, due=None)
    assert "the deadline" in refused(lambda: office.post([late])).detail
    out_of_turn = hearing.statement(Role.CLIENT, Act.END)
    assert "client in notice" in refused(lambda: office.post([out_of_turn])).detail
    assert len(steps(hearing)) == 1
    hearing.act(Role.OPERATOR, Act.NOTICE)


def test_what_another_statement_follows_is_a_conflict_and_ones_own_is_kept(
    office: Office, hearing: Hearing
) -> None:
    hearing.file()
    filing = hearing.case.head
    other = hearing.statement(Role.FREELANCER, Act.EXHIBIT)
    hearing.act(Role.CLIENT, Act.EXHIBIT)
    assert refused(lambda: office.post([other])).reason is Reason.CONFLICT
    conflicts = office.verifier.services.conflicts
    assert list(conflicts.listing(hearing.engagement)) == []
    own = hearing.statement(Role.CLIENT, Act.EXHIBIT, prev=filing, text="another word")
    told = refused(lambda: office.post([own]))
    assert (told.reason, "statement 1 of the case" in told.detail) == (Reason.CONFLICT, True)
    kept = [(1, hearing.told[1].encode(), own.encode())]
    assert list(conflicts.listing(hearing.engagement)) == kept
    assert office.check() == []


def test_a_case_of_another_engagement_is_none_here(office: Office, hearing: Hearing) -> None:
    hearing.file()
    other = ScriptedAgent(office, engagement=unique(office, "other"), terms=hearing.terms)
    act = hearing.statement(Role.CLIENT, Act.EXHIBIT, engagement=other.engagement)
    unknown = hearing.statement(
        Role.CLIENT, Act.EXHIBIT, engagement=other.engagement, case=Digest(bytes(32))
    )
    assert (
        refused(lambda: office.post([act])).detail
        == refused(lambda: office.post([unknown])).detail
        == "the engagement has no case of this name"
    )


def test_a_stored_case_is_found_in_its_own_engagement_alone(
    office: Office, hearing: Hearing
) -> None:
    hearing.file()
    grounds = Grounds(hearing.terms, lambda _number, _value: True, lambda key: (key,))

    def found(engagement: bytes) -> Case | None:
        records = office.verifier.records
        filing = hearing.case.case
        return stored_case(records, filing, grounds, engagement=engagement, below=2**53)

    own_one = found(hearing.engagement)
    assert own_one is not None
    assert own_one.head == hearing.case.head
    assert found(unique(office, "other")) is None


def test_a_party_has_one_running_case_and_few_in_all(
    office: Office, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing.file()
    again = hearing.filing(text="once more")
    assert "same party runs" in refused(lambda: office.post([again])).detail
    other = Hearing(office, hearing.engagement, hearing.terms).file(Role.FREELANCER)
    hearing.act(Role.CLIENT, Act.WITHDRAW)
    monkeypatch.setattr(caserules, "MAX_FILED", 1)
    assert "at most 1 cases" in refused(lambda: office.post([again])).detail
    monkeypatch.setattr(caserules, "MAX_FILED", 2)
    office.post([again])
    other.act(Role.FREELANCER, Act.WITHDRAW)
    assert office.check() == []


def test_what_one_party_files_keeps_the_other_from_nothing(
    office: Office, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caserules, "MAX_FILED", 2)
    for number in range(2):
        hearing.file(text=f"case {number}").act(Role.CLIENT, Act.WITHDRAW)
    told = refused(lambda: office.post([hearing.filing(text="one more")]))
    assert "a party files at most 2 cases" in told.detail
    hearing.file(Role.FREELANCER)
    assert standing(hearing)[0] == "notice"


def test_a_clock_that_is_behind_turns_no_case_back(office: Office, hearing: Hearing) -> None:
    hearing.file().answered()
    before = hearing.case.known_at
    hearing.act(Role.FREELANCER, Act.OFFER, claimed_at=office.now - 30_000)
    grounds = Grounds(hearing.terms, lambda _number, _value: True, lambda key: (key,))
    stored = stored_case(
        office.verifier.records,
        hearing.case.case,
        grounds,
        engagement=hearing.engagement,
        below=2**53,
    )
    assert stored is not None
    assert (stored.head, stored.known_at) == (hearing.case.head, before)


def test_a_filing_folds_no_case_that_has_ended(
    office: Office, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing.file().act(Role.CLIENT, Act.WITHDRAW)
    office.verifier.sequencer._admission.forget()
    with monkeypatch.context() as patch:
        patch.setattr(admission, "stored_case", None)
        hearing.file(text="another one")
    assert office.check() == []


def test_a_submission_is_all_or_nothing(office: Office, hearing: Hearing) -> None:
    filing = hearing.filing()
    again = hearing.filing(text="another one at once")
    assert "same party runs" in refused(lambda: office.post([filing, again])).detail
    assert office.verifier.records.cases.count() == 0
    office.post([filing])


def test_a_key_that_came_by_rotation_speaks_for_its_person(
    office: Office, hearing: Hearing
) -> None:
    hearing.file()
    new = SeedSigner(b"\x12" * 32)
    rotate = KeyRotate.make(claimed_at=office.now, old=office.people.freelancer.public_key, new=new)
    office.post([sign(rotate, office.people.freelancer)])
    old = hearing.statement(Role.FREELANCER, Act.EXHIBIT)
    assert refused(lambda: office.post([old])).reason is Reason.UNKNOWN_PARTY
    hearing._case = replace(
        hearing.case,
        parties=hearing.case.parties.succeeded(rotate.old, new.public_key.thumbprint),
    )
    hearing.act(Role.OPERATOR, Act.NOTICE).act(Role.FREELANCER, Act.ANSWER, by=new)
    assert standing(hearing)[0] == "negotiation"
    assert office.check() == []


def test_a_draw_is_by_the_committed_value(office: Office, hearing: Hearing) -> None:
    hearing.file().answered().act(Role.CLIENT, Act.END)
    number = hearing.case.panel_round
    office.now = (number + 1) * ROUND_MS
    value = bytes(32)
    person = draw_person(hearing.case.case, number, value, hearing.case.panel)
    false = hearing.statement(
        Role.CLIENT, Act.DRAW, round=number, value=value, person=person, due=None
    )
    assert "the committed value" in refused(lambda: office.post([false])).detail
    hearing.draw()
    assert hearing.case.arbitrator == office.people.arbitrator.public_key.thumbprint


def test_memory_that_holds_no_case_folds_it_again(
    office: Office, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "_CACHED_CASES", 1)
    other = Hearing(office, hearing.engagement, hearing.terms)
    hearing.file()
    other.file(Role.FREELANCER)
    hearing.act(Role.OPERATOR, Act.NOTICE)
    other.act(Role.OPERATOR, Act.NOTICE)
    hearing.act(Role.FREELANCER, Act.ANSWER)
    assert standing(hearing) == own(hearing)
    assert office.check() == []


@pytest.mark.parametrize("foreign", [admission._MOST_FOREIGN, 0], ids=["few", "too many"])
def test_two_hosts_keep_one_case(
    both: tuple[Office, Office], monkeypatch: pytest.MonkeyPatch, foreign: int
) -> None:
    """What the other logged is followed, and where that is too much everything is read again."""
    monkeypatch.setattr(admission, "_MOST_FOREIGN", foreign)
    first, second = both
    agent = ScriptedAgent(first)
    hearing = Hearing(first, agent.engagement, agent.terms).file()
    hearing.act(Role.OPERATOR, Act.NOTICE)
    # What the other host logged is what this one goes on with.
    hearing.office = second
    hearing.act(Role.FREELANCER, Act.ANSWER)
    hearing.office = first
    hearing.act(Role.CLIENT, Act.END)
    assert standing(hearing) == own(hearing)
    assert first.check() == []


def disclosed(
    office: Office, agent: ScriptedAgent, hearing: Hearing, shown_tiles: tuple[int, ...] = (0,)
) -> bytes:
    """Go up to level 2, and pack a frame that the arbitrator named."""
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    hearing.file(begin=office.now - DAY_MS).seated()
    hearing.ask(1).act(Role.FREELANCER, Act.SHOW).act(Role.CLIENT, Act.PASS)
    hearing.ask(2, freeze=hearing.freeze()).sampled()
    (drawn,) = drawn_frames(hearing.case, hearing.frames())
    frame = next(one for one in agent.frames if one.tree.commitment == drawn.frame)
    request = hearing.request(
        DisputeRequest(
            engagement=agent.engagement,
            claimed_at=office.now,
            frames=(RequestedFrame(frame.segment, frame.tree.commitment),),
            reason="the drawn one",
            sealing_key=case_public(seeded(office.seed, "sealing") * 3),
            answer_by=office.now + 1,
            place=CasePlace(hearing.case.case, hearing.case.head),
        )
    )
    shown = disclose(frame, shown_tiles)
    record = DisputeDisclosure(
        engagement=agent.engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(frame.tree.commitment, shown.digest),),
        place=CasePlace(hearing.case.case, hearing.case.head),
    )
    due = hearing.due_for(record, office.people.freelancer.public_key.thumbprint)
    record = replace(record, place=CasePlace(hearing.case.case, hearing.case.head, due))
    statement = sign(record, office.people.freelancer)
    return encode_package([statement.encode(), shown.encode()])


def test_what_is_found_in_a_disclosure_stands_in_its_case(
    office: Office, agent: ScriptedAgent, hearing: Hearing
) -> None:
    package = disclosed(office, agent, hearing)
    office.now += 60_001
    checked = office.verifier.services.desk.check(package)
    finding = read_record(checked.finding)
    assert isinstance(finding, DisputeFinding)
    assert finding.place is not None
    assert [row.state for row in steps(hearing)[-2:]] == ["comment", "comment"]
    # Again: the same finding, and nothing new.
    assert office.verifier.services.desk.check(package).finding.digest == checked.finding.digest
    assert office.check() == []


@pytest.mark.parametrize("logged", [False, True], ids=["not logged", "logged, sealed only"])
def test_more_tiles_than_level_2_has_are_refused_and_change_nothing(
    office: Office,
    agent: ScriptedAgent,
    hearing: Hearing,
    logged: bool,  # noqa: FBT001
) -> None:
    package = disclosed(office, agent, hearing, (0, 1))
    statement = Statement.parse(parse_package(package)[0])
    if logged:
        office.post([statement])
    before = office.verifier.log.head(), steps(hearing)
    with pytest.raises(RefusedError, match=r"at most 1 of \d+ tiles .* level 2.*found 2") as why:
        office.verifier.services.desk.check(package)
    assert (why.value.reason, why.value.item) == (Reason.REFUSED, 1)
    assert (office.verifier.log.head(), steps(hearing)) == before
    assert (office.verifier.records.by_digest(statement.digest) is not None) == logged


def test_a_finding_that_comes_too_late_for_its_case_is_logged_beside_it(
    office: Office, agent: ScriptedAgent, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = disclosed(office, agent, hearing)
    desk = office.verifier.services.desk
    plain = desk._finding

    def passed(candidate: Candidate, *more: Any) -> DisputeFinding:
        """Let the hearing end, and the draft be written, while the tiles are looked at."""
        hearing.follow(candidate.statement, office.now)
        hearing.act(Role.CLIENT, Act.PASS).act(Role.ARBITRATOR, Act.DRAFT)
        return plain(candidate, *more)

    monkeypatch.setattr(desk, "_finding", passed)
    finding = read_record(desk.check(package).finding)
    assert isinstance(finding, DisputeFinding)
    assert finding.place is None
    assert steps(hearing)[-1].state == "draft"
    assert office.check() == []


def test_a_case_key_is_one_that_something_can_be_sealed_to(hearing: Hearing) -> None:
    hearing.file().answered().act(Role.CLIENT, Act.END).draw()
    told = hearing.statement(Role.ARBITRATOR, Act.DECLARE, sealing_key=b"\xff" * 1216)
    with pytest.raises(RefusedError, match="the sealing key: the public half of a case key"):
        hearing.office.post([told])


def test_nobody_asks_in_a_case_with_a_key_that_nothing_can_be_sealed_to(
    office: Office, agent: ScriptedAgent, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent refuses such a request, so its freelancer could not answer."""
    monkeypatch.setattr(f"{__name__}.case_public", lambda _private: b"\xff" * 1216)
    with pytest.raises(RefusedError, match="the sealing key: the public half of a case key"):
        disclosed(office, agent, hearing)
    assert steps(hearing)[-1].state == "naming"


def found_by(office: Office, statement: Statement, signer: SeedSigner, **more: Any) -> Statement:
    """Sign that everything holds that an answer shows."""
    record = read_record(statement)
    assert isinstance(record, DisputeDisclosure)
    finding = DisputeFinding(
        engagement=record.engagement,
        claimed_at=office.now,
        disclosure=statement.digest,
        findings=tuple(Finding(one.disclosure, Outcome.HOLDS, 1, 4) for one in record.frames),
    )
    return sign(replace(finding, **more), signer)


@pytest.mark.parametrize(
    ("ahead_ms", "reason"), [(3_000, Reason.BUSY), (11 * 60_000, Reason.REFUSED)]
)
def test_no_kind_of_statement_of_a_case_comes_before_its_time(
    office: Office, agent: ScriptedAgent, hearing: Hearing, ahead_ms: int, reason: Reason
) -> None:
    """Deadlines are counted from it, and nobody acts before it: years ahead, a case stood still."""

    def early(statement: Statement) -> None:
        record = replace(read_record(statement), claimed_at=office.now + ahead_ms)
        signers = (*hearing.signers.values(), *hearing.arbitrators)
        (signer,) = (one for one in signers if one.public_key.thumbprint == statement.issuer)
        told = refused(lambda: office.post([sign(record, signer)]))
        assert (told.reason, "claimed time has not come" in told.detail) == (reason, True)

    answer = Statement.parse(parse_package(disclosed(office, agent, hearing))[0])
    early(hearing.filing(Role.FREELANCER))
    early(hearing.told[-1])
    early(hearing.statement(Role.FREELANCER, Act.APPROVE))
    early(answer)
    office.post([answer])
    hearing.follow(answer, office.now)
    place = CasePlace(hearing.case.case, hearing.case.head)
    early(found_by(office, answer, hearing.signer_of(Role.ARBITRATOR), place=place))
    early(found_by(office, answer, office.people.operator, place=place))
    assert office.check() == []


def test_in_its_case_the_seated_arbitrator_says_what_was_found(
    office: Office, agent: ScriptedAgent, hearing: Hearing
) -> None:
    """The answer went sealed only; the operator's check of it later is a second word."""
    package = disclosed(office, agent, hearing)
    answer = Statement.parse(parse_package(package)[0])
    arbitrator = hearing.signer_of(Role.ARBITRATOR)
    office.post([answer])
    hearing.follow(answer, office.now)
    place = CasePlace(hearing.case.case, hearing.case.head)
    for changes, signer in (
        ({}, arbitrator),
        ({"place": place, "disclosure": Digest(bytes(32))}, arbitrator),
        ({"place": place, "findings": (Finding(Digest(bytes(32)), Outcome.HOLDS, 1, 4),)},
         arbitrator),
        ({"place": place}, office.people.client),
    ):  # fmt: skip
        finding = found_by(office, answer, signer, **changes)
        reason = refused(lambda made=finding: office.post([made])).reason  # type: ignore[misc]
        assert reason in {Reason.REFUSED, Reason.UNKNOWN_PARTY}
    finding = found_by(office, answer, arbitrator, place=place)
    office.post([finding])
    hearing.follow(finding, office.now)
    assert [row.state for row in steps(hearing)[-2:]] == ["comment", "comment"]
    office.now += 1_000
    again = found_by(office, answer, arbitrator, place=place)
    assert refused(lambda: office.post([again])).reason is Reason.CONFLICT
    checked = office.verifier.services.desk.check(package).finding
    assert checked.issuer == office.people.operator.public_key.thumbprint
    second = read_record(checked)
    assert isinstance(second, DisputeFinding)
    assert second.place is not None
    assert [row.state for row in steps(hearing)[-3:]] == ["comment"] * 3
    assert office.verifier.services.desk.check(package).finding.digest == checked.digest
    assert office.check() == []


def test_beside_a_case_the_arbitrator_who_asked_says_what_was_found(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    request = agent.request(agent.frames[:1])
    shown = disclose(agent.frames[0], (0,))
    record = DisputeDisclosure(
        engagement=agent.engagement,
        claimed_at=office.now,
        request=request.digest,
        frames=(DisclosedFrame(agent.frames[0].tree.commitment, shown.digest),),
    )
    answer = sign(record, office.people.freelancer)
    arbitrator = office.people.arbitrator
    early = found_by(office, answer, arbitrator)
    assert refused(lambda: office.post([early])).reason is Reason.REFUSED
    office.post([answer])
    first, second = (
        found_by(office, answer, arbitrator, claimed_at=office.now - n) for n in (0, 1)
    )
    # Two in one submission are two all the same.
    assert refused(lambda: office.post([first, second])).reason is Reason.CONFLICT
    office.post([first])
    assert office.check() == []


# --- one draw over the same hours ---


def test_who_withdrew_after_a_draw_files_no_other_over_its_hours(hearing: Hearing) -> None:
    hearing.file().answered().act(Role.CLIENT, Act.END).draw().act(Role.CLIENT, Act.WITHDRAW)
    first, filing = hearing.case, hearing.case.filing
    for begin, end in (
        (filing.begin, filing.end),
        (filing.begin - 1, filing.begin + 1),
        (filing.end - 1, filing.end + 1),
    ):
        told = refused(lambda: hearing.file(begin=begin, end=end))  # noqa: B023
        assert told.detail == (
            "the filing: expected hours of no case that the same party withdrew after a draw,"
            f" found those of case {first.case}"
        )
    hearing.file(Role.FREELANCER, begin=filing.begin, end=filing.end).act(
        Role.FREELANCER, Act.WITHDRAW
    )
    hearing.file(begin=filing.begin - DAY_MS, end=filing.begin)
    assert hearing.office.check() == []


def test_who_saw_the_value_and_withdrew_before_the_draw_was_logged_files_no_other(
    hearing: Hearing,
) -> None:
    hearing.file().answered().act(Role.CLIENT, Act.END)
    filing = hearing.case.filing
    assert hearing.case.arbitrator is None
    hearing.act(Role.CLIENT, Act.WITHDRAW)
    told = refused(lambda: hearing.file(begin=filing.begin, end=filing.end, text="once more"))
    assert "withdrew after a draw" in told.detail


def test_a_withdrawal_before_any_draw_is_free(hearing: Hearing) -> None:
    hearing.file().answered().act(Role.CLIENT, Act.WITHDRAW)
    filing = hearing.case.filing
    hearing.file(begin=filing.begin, end=filing.end, text="once more")
    assert hearing.case.state is State.NOTICE


def test_a_withdrawal_that_is_sent_with_the_next_filing_counts(hearing: Hearing) -> None:
    """Of what one submission brings, nothing is stored yet when the filing is judged."""
    hearing.file().answered().act(Role.CLIENT, Act.END).draw()
    again = hearing.filing(text="once more")
    withdrawn = hearing.statement(Role.CLIENT, Act.WITHDRAW)
    told = refused(lambda: hearing.office.post([withdrawn, again]))
    assert (told.item, "withdrew after a draw" in told.detail) == (1, True)


def test_nobody_asks_beside_a_case_that_runs(
    office: Office, agent: ScriptedAgent, hearing: Hearing
) -> None:
    """There would be no ruling, no sample, no level, and no word of the other party."""
    agent.open_session()
    agent.work(4 * office.round_ms)
    agent.send()
    hearing.file().answered()
    told = refused(lambda: agent.request([agent.frames[0]]))
    assert told.detail == (
        f"the request: a case runs in this engagement, {hearing.case.case}: ask in it"
    )
    hearing.act(Role.CLIENT, Act.WITHDRAW)
    agent.request([agent.frames[0]])
