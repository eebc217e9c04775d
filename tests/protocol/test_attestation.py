import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.attested import (
    FIRST,
    LAST,
    SCENARIOS,
    VECTORS,
    ZONE,
    attested,
    bundle,
    checked_by,
    claim,
    report,
    shown,
    told,
    vectors,
)
from support.shownrecords import (
    NEXT,
    SECOND_KEY,
    corrected,
    handed_on,
    unwitnessed,
    without_authorities,
)
from workseal_protocol.attestation import (
    STEPS,
    Attestation,
    Check,
    Claim,
    Hours,
    RecordOpening,
    ShownRecord,
    Signed,
    examine_attestation,
    figures,
    figures_of,
    sign_said,
    verify_shown,
)
from workseal_protocol.bundle import read_archive, write_archive
from workseal_protocol.cose import Sign1
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import encode
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Algorithm, Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import SheetAnswer
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Level, WorkClass
from workseal_protocol.timesheets import Agreement, SheetFinding, day_number
from workseal_protocol.verify import Outcome, Report, examine_bundle
from workseal_protocol.window import Grade

FIRST_DAY = day_number(FIRST)
HOLDS, FAILS, OPEN = Outcome.HOLDS, Outcome.FAILS, Outcome.NOT_REACHED


def outcomes(made: Attestation, **more: Any) -> list[Outcome]:
    return [one.outcome for one in examine_attestation(made.encode(), told().policy, **more).steps]


# What is said


def test_figures_are_those_of_the_bundle() -> None:
    hours = claim()[0].hours
    totals = report().totals
    assert report().holds
    assert totals is not None
    assert hours.recorded == totals.worked_ms == 174_000
    assert hours.late_declared == totals.late_declared_ms == 1_800_000
    assert hours.offline == sum(day.offline_ms for day in totals.days) == 30_000
    assert hours.off_screen == 20_000
    assert hours.online == 124_000
    grades = totals.by_grade
    assert hours.online == grades[Grade.ONLINE]
    assert hours.offline == grades[Grade.OFFLINE] + grades[Grade.LATE]
    assert hours.off_screen == grades[Grade.DECLARED]


def test_accepted_time_is_that_of_accepted_timesheets_of_these_days_alone() -> None:
    assert claim()[0].hours.accepted == 134_000
    second = FIRST + timedelta(days=1)
    assert claim(second, LAST)[0].hours.accepted == 0
    assert claim(second, LAST)[0].hours.recorded == 40_000
    answers = [one.answer for one in report().timesheets]
    assert [one and one.answer for one in answers] == [SheetAnswer.ACCEPTED, SheetAnswer.QUESTION]


def accepted_of(monkeypatch: pytest.MonkeyPatch, *sheets: SheetFinding) -> int:
    """Give what is accepted of all days when these timesheets are found."""
    monkeypatch.setattr(figures, "timesheets_of", lambda *_: sheets)
    size = told().contents.checkpoint.checkpoint.size
    return figures_of(report(), ZONE, FIRST, LAST, size=size).hours.accepted


@pytest.mark.parametrize(
    "changes",
    [
        {"agreement": Agreement.DIFFERS},
        {"agreement": Agreement.UNCHECKED},
        {"answers": ()},
    ],
)
def test_time_of_a_timesheet_that_does_not_count_is_not_accepted(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    accepted = report().timesheets[0]
    assert accepted_of(monkeypatch, accepted) == 134_000
    assert accepted_of(monkeypatch, replace(accepted, **changes)) == 0


def test_an_objection_takes_an_acceptance_back_and_is_missed_where_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever shows a record chooses what stands in it: so say the reports of it, too."""
    accepted = report().timesheets[0]
    (said,) = accepted.answers
    objection = replace(said, record=replace(said.record, answer=SheetAnswer.OBJECTION, text="no"))
    assert accepted_of(monkeypatch, replace(accepted, answers=(said, objection))) == 0
    assert accepted_of(monkeypatch, accepted) == 134_000
    assert any("a client's answers, may be left out" in one for one in report().not_proven)


def test_an_accepted_day_that_its_replacement_leaves_out_is_accepted() -> None:
    told = corrected()
    assert [one.replaced_by is None for one in told.report().timesheets] == [False, True]
    assert told.figures().hours.accepted == told.figures().hours.recorded == 60_000
    assert told.figures(FIRST, FIRST).hours.accepted == 34_000


def test_a_day_that_was_replaced_and_not_accepted_again_is_not_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = corrected()
    both, second = told.report().timesheets
    monkeypatch.setattr(figures, "timesheets_of", lambda *_: (both, replace(second, answers=())))
    assert told.figures().hours.accepted == 34_000


@pytest.mark.parametrize("rows", [(-1, 0), (0, 7), (-1, 0, 7)])
def test_a_row_is_accepted_whatever_other_days_its_timesheet_has(
    monkeypatch: pytest.MonkeyPatch, rows: tuple[int, ...]
) -> None:
    one = report().timesheets[0]
    (row,) = one.record.days
    days = tuple(replace(row, day=FIRST_DAY + place) for place in rows)
    wider = replace(one.record, first=days[0].day, last=days[-1].day, days=days)
    assert accepted_of(monkeypatch, replace(one, record=wider)) == 134_000


def test_a_day_that_two_accepted_timesheets_have_is_accepted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = report().timesheets[0]
    (row,) = one.record.days
    grown = replace(one.record, days=(replace(row, working=row.working + 20_000),))
    again = replace(one, digest=Digest.of(b"again"), record=grown)
    assert accepted_of(monkeypatch, one, again) == 134_000
    assert accepted_of(monkeypatch, again, one) == 154_000


def test_a_report_with_terms_and_one_step_that_fails_gives_no_figures() -> None:
    *steps, last = report().steps
    failing = replace(report(), steps=(*steps, replace(last, outcome=FAILS)))
    assert failing.terms is not None
    with pytest.raises(VerificationError, match="does not hold"):
        figures_of(failing, ZONE, FIRST, LAST, size=1)


def test_only_what_the_log_had_then_counts() -> None:
    size = next(
        entry.index
        for entry in report().entries
        if entry.digest == report().timesheets[0].answers[0].digest
    )
    before = figures_of(report(), ZONE, FIRST, LAST, size=size)
    assert before.hours.accepted == 0
    assert before.hours.recorded == 134_000
    assert before.head != claim()[1].head
    after = figures_of(report(), ZONE, FIRST, LAST, size=size + 1)
    assert (after.hours.accepted, after.head) == (134_000, before.head)


def test_nothing_in_it_names_client_or_engagement() -> None:
    data = attested().encode()
    people = told().verifier.people
    for hidden in (
        told().agent.engagement,
        people.client.public_key.raw,
        people.client.public_key.thumbprint.raw,
        people.arbitrator.public_key.raw,
        claim()[1].head.raw,
        Digest.of(told().agent.engagement).raw,
        b"EUR",
        b"Berlin",
    ):
        assert hidden not in data
    assert bytes(told().agent.engagement) in bundle()


def test_two_of_one_record_have_no_digest_in_common() -> None:
    one = RecordOpening(bytes(16), bytes(16), Digest.of(b"head"))
    other = replace(one, salt=bytes([1] * 16))
    assert one.commitment != other.commitment
    assert one.commitment.raw == Digest.of(
        b"workseal/attested/v1", bytes(16), bytes(16), Digest.of(b"head").raw
    ).raw  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"offline": 100},
        {"accepted": 100},
        {"working": -1},
    ],
)
def test_hours_that_contradict_themselves_cannot_exist(wrong: dict[str, int]) -> None:
    right = dict.fromkeys(Hours.__slots__, 10)
    with pytest.raises(ValueError, match=r"more time|expected 0"):
        Hours(**(right | wrong))


# The bytes


@pytest.mark.parametrize("make", SCENARIOS.values(), ids=SCENARIOS)
def test_parse_is_the_inverse_of_encode(make: Callable[[], Attestation]) -> None:
    made = make()
    assert Attestation.parse(made.encode()) == made
    _, opening = claim()
    assert RecordOpening.parse(opening.encode()) == opening


@given(st.data())
def test_parse_raises_only_malformed(data: st.DataObject) -> None:
    right = bytearray(SCENARIOS["checked by the operator"]().encode())
    for _ in range(data.draw(st.integers(1, 3))):
        right[data.draw(st.integers(0, len(right) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        assert Attestation.parse(bytes(right)).encode() == bytes(right)
    for parse in (Attestation.parse, RecordOpening.parse):
        with suppress(MalformedError):
            parse(data.draw(st.binary(max_size=200)))


@given(st.dictionaries(st.integers(1, 17), st.integers(0, 3) | st.binary(max_size=33)))
def test_payloads_of_another_form_are_malformed(value: dict[int, int | bytes]) -> None:
    for kind in (Claim, Check):
        with pytest.raises(MalformedError):
            kind.read(dict(value))


@pytest.mark.parametrize("key", [1, 2, 6, 10, 11, 12, 13, 14, 15])
def test_every_field_of_a_claim_is_needed(key: int) -> None:
    value = claim()[0].to_value()
    del value[key]
    with pytest.raises(MalformedError):
        Claim.read(value)
    with pytest.raises(MalformedError, match="unknown key 17"):
        Claim.read(claim()[0].to_value() | {17: 1})


def test_a_header_that_says_something_else_is_malformed() -> None:
    parts = Sign1.parse(attested().claim.encode())
    for spoiled in (
        replace(parts, protected=encode({1: -8})),
        replace(parts, unprotected={1: 1}),
        replace(parts, payload=None),
        replace(parts, signature=b""),
    ):
        with pytest.raises(MalformedError):
            Signed.parse(spoiled.encode(), Claim)
    with pytest.raises(MalformedError, match="at most"):
        Signed.parse(bytes(70_000), Claim)
    with pytest.raises(MalformedError):
        Signed.parse(attested().claim.encode(), Check)


def test_an_algorithm_that_is_not_the_keys_is_named() -> None:
    made = replace(attested().claim, algorithm=Algorithm.ML_DSA_44, signature=bytes(2_420))
    with pytest.raises(VerificationError, match="algorithm that is not its key's"):
        made.verify_signature()


def test_a_claim_is_no_statement_and_no_log_admits_it() -> None:
    with pytest.raises(MalformedError):
        Statement.parse(attested().claim.encode())


def test_the_container_has_these_entries_in_this_order() -> None:
    made = SCENARIOS["checked by the operator"]()
    entries = list(read_archive(made.encode()))
    assert [name for name, _ in entries] == [
        "README.txt",
        "claim.cose",
        "claim.pem",
        "checkpoint",
        "checks/0.cose",
        "checks/0.pem",
    ]
    readme = ("README.txt", b"another text")
    for wrong in (
        [*entries, ("more", b"")],
        entries[:3],
        [entries[1], entries[0], *entries[2:]],
        [*entries[:4], ("checks/1.cose", entries[4][1]), ("checks/1.pem", entries[5][1])],
        [readme, *entries[1:]],
        [*entries[:2], ("claim.pem", entries[5][1]), *entries[3:]],
        [*entries, ("checks/1.cose", entries[4][1])],
    ):
        with pytest.raises(MalformedError):
            Attestation.parse(write_archive(wrong))
    with pytest.raises(MalformedError, match="at most"):
        Attestation.parse(bytes(2 * 1024 * 1024))


def test_a_check_of_another_attestation_does_not_fit() -> None:
    people = told().verifier.people
    other = checked_by(people.operator, attested(purpose="another"))
    with pytest.raises(ValueError, match="about another"):
        attested().with_check(other)
    with pytest.raises(ValueError, match="not the one that the claim names"):
        replace(attested(), checkpoint=told().contents.checkpoints[0])
    checks = attested()
    for number in range(8):
        checks = checks.with_check(checked_by(SeedSigner(bytes([number] * 32)), checks))
    with pytest.raises(ValueError, match="at most 8"):
        checks.with_check(checked_by(people.operator, checks))


def test_who_checks_again_takes_the_place_of_their_earlier_check() -> None:
    operator = told().verifier.people.operator
    made = attested()
    first = checked_by(operator, made)
    said = replace(first.said, claimed_at=first.said.claimed_at + 5)
    again = made.with_check(first).with_check(sign_said(said, operator))
    assert [one.said.claimed_at for one in again.checks] == [first.said.claimed_at + 5]
    with pytest.raises(ValueError, match="who signs is not who speaks"):
        sign_said(said, told().verifier.people.client)


# The steps


def test_the_vectors_are_what_is_made_and_found_here() -> None:
    kept = json.loads(VECTORS.read_text())
    assert kept == vectors()
    for one in kept["scenarios"]:
        policy = TrustPolicy.parse(kept["policy"])
        found = examine_attestation(bytes.fromhex(one["file"]), policy)
        assert [str(step.outcome) for step in found.steps] == one["outcomes"], one["name"]


def test_the_vectors_beside_their_records_are_found_by_readers_of_both_policies() -> None:
    found = {}
    for record in json.loads(VECTORS.read_text())["records"]:
        opening = RecordOpening.parse(bytes.fromhex(record["opening"]))
        for place, text in enumerate(record["policies"]):
            policy = TrustPolicy.parse(text)
            seen = examine_bundle(bytes.fromhex(record["bundle"]), policy, zone=ZONE)
            beside = ShownRecord(opening, seen, ZONE)
            for one in record["claims"]:
                made = examine_attestation(bytes.fromhex(one["file"]), policy, shown=beside)
                figures, hours = made.steps[-1].outcome, made.recomputed
                assert hours is not None
                assert one["found"][place] == {"figures": figures, "hours": list(astuple(hours))}
                found[one["name"], place] = figures
    assert found == {
        ("a corrected day", 0): HOLDS,
        ("a corrected day", 1): HOLDS,
        ("as much online as a time-stamp shows", 0): HOLDS,
        ("as much online as a time-stamp shows", 1): OPEN,
        ("nothing online", 0): HOLDS,
        ("nothing online", 1): HOLDS,
        ("online, what is offline by the record itself", 0): FAILS,
        ("online, what is offline by the record itself", 1): FAILS,
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("own word", [HOLDS, HOLDS, HOLDS, HOLDS, HOLDS, OPEN]),
        ("checked by the operator", [HOLDS] * 6),
        ("checked by a stranger", [HOLDS, HOLDS, HOLDS, HOLDS, HOLDS, OPEN]),
        ("another key", [HOLDS, FAILS, HOLDS, HOLDS, HOLDS, OPEN]),
        ("broken signature", [HOLDS, FAILS, HOLDS, HOLDS, HOLDS, OPEN]),
        ("broken check", [HOLDS, HOLDS, HOLDS, HOLDS, FAILS, OPEN]),
        ("no witness", [HOLDS, HOLDS, HOLDS, OPEN, HOLDS, HOLDS]),
        ("another log", [HOLDS, HOLDS, FAILS, FAILS, HOLDS, OPEN]),
    ],
)
def test_each_scenario_ends_as_it_must(name: str, expected: list[Outcome]) -> None:
    assert outcomes(SCENARIOS[name]()) == expected


def test_a_checkpoint_is_not_before_its_cosignatures() -> None:
    found = examine_attestation(attested().encode(), told().policy)
    assert found.not_before is not None
    assert found.not_before <= claim()[0].claimed_at


def test_what_is_malformed_is_judged_in_nothing() -> None:
    found = examine_attestation(b"PK", told().policy, shown=shown())
    assert found.malformed
    assert not found.holds
    assert [one.outcome for one in found.steps] == [FAILS, OPEN, OPEN, OPEN, OPEN, OPEN]
    assert [one.name for one in found.steps] == list(STEPS)


def test_the_freelancers_own_check_counts_for_nothing() -> None:
    made = attested()
    own = made.with_check(checked_by(told().verifier.people.freelancer, made))
    assert outcomes(own)[-1] is OPEN


def test_a_check_by_a_freelancer_counts_for_nothing_whoever_attests() -> None:
    people = told().verifier.people
    made = attested(SeedSigner(bytes(range(32))))
    by_freelancer = made.with_check(checked_by(people.freelancer, made))
    assert outcomes(by_freelancer)[-1] is OPEN
    by_both = by_freelancer.with_check(checked_by(people.client, made))
    found = examine_attestation(by_both.encode(), told().policy)
    assert found.steps[-1].why == "by the word of the client"


def test_whoever_made_it_does_not_check_it_in_another_role() -> None:
    client = told().verifier.people.client
    policy = replace(told().policy, parties={Role.CLIENT: told().policy.parties[Role.CLIENT]})
    made = attested(client)
    own = made.with_check(checked_by(client, made))
    assert examine_attestation(own.encode(), policy).steps[-1].outcome is OPEN


def test_a_check_is_told_as_a_word_and_no_check_as_the_makers_own() -> None:
    policy = told().policy
    by_check = examine_attestation(SCENARIOS["checked by the operator"]().encode(), policy)
    assert any("word of its key's owner" in one for one in by_check.not_proven)
    assert [one.role for one in by_check.checkers] == [Role.OPERATOR]
    alone = examine_attestation(attested().encode(), policy)
    assert any("freelancer's own word" in one for one in alone.not_proven)


def test_where_the_policy_names_no_freelancer_the_key_is_to_be_compared() -> None:
    policy = TrustPolicy(told().policy.tlog)
    found = examine_attestation(attested().encode(), policy)
    assert "compare the key" in found.steps[1].why
    assert found.steps[1].outcome is HOLDS


# Shown with its record


def test_with_its_record_every_figure_is_recomputed() -> None:
    assert outcomes(attested(), shown=shown()) == [HOLDS] * 6


def resigned(**changes: Any) -> Attestation:
    """Sign a claim whose fields are not what the record gives."""
    people = told().verifier.people
    said = replace(claim()[0], **changes)
    return Attestation(sign_said(said, people.freelancer), told().contents.checkpoint)


def changed_hours(**changes: int) -> dict[str, Hours]:
    return {"hours": replace(claim()[0].hours, **changes)}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"hours": {"working": 104_001}}, "the hours are not"),
        ({"hours": {"offline": 0}}, "than the record itself says"),
        ({"hours": {"accepted": 174_000}}, "the hours are not"),
        ({"hours": {"sealed": 0}}, "the hours are not"),
        ({"level": Level.TIMER}, "evidence level"),
        ({"record": Digest.of(b"another")}, "not of the record"),
        ({"first": FIRST_DAY + 1}, "the hours are not"),
    ],
)
def test_each_figure_that_differs_from_the_record_fails(changes: dict[str, Any], why: str) -> None:
    if "hours" in changes:
        changes = changed_hours(**changes["hours"])
    made = resigned(**changes)
    assert outcomes(made)[:-1] == [HOLDS] * 5
    found = examine_attestation(made.encode(), told().policy, shown=shown())
    assert found.steps[-1].outcome is FAILS
    assert why in found.steps[-1].why


def test_a_record_that_is_another_or_does_not_hold_proves_nothing() -> None:
    made = attested()
    _, opening = claim()
    strange = replace(opening, head=Digest.of(b"another head"))
    claimed = attested(record=strange.commitment)
    with pytest.raises(VerificationError, match="another newest statement"):
        verify_shown(claimed, shown(opening=strange))
    foreign = replace(opening, engagement=bytes(16))
    with pytest.raises(VerificationError, match="another engagement"):
        verify_shown(attested(record=foreign.commitment), shown(opening=foreign))
    spoiled = examine_bundle(bundle()[:-1], told().policy, zone=ZONE)
    with pytest.raises(VerificationError, match="does not hold"):
        verify_shown(made, shown(report=spoiled))
    with pytest.raises(VerificationError, match="another log"):
        verify_shown(made, shown(report=replace(report(), origin="other.example/1")))


def test_a_record_that_cannot_tell_is_no_contradiction() -> None:
    made = attested()
    for unfit, why in (
        ({"report": replace(report(), tree_size=3)}, "older than the checkpoint"),
        ({"zone": UTC}, "which is not known here"),
        ({"report": with_step(10, OPEN)}, "step 10"),
    ):
        found = examine_attestation(made.encode(), told().policy, shown=shown(**unfit))
        assert found.steps[-1].outcome is OPEN
        assert why in found.steps[-1].why
        assert found.recomputed is None
    failing = shown(report=with_step(10, FAILS))
    found = examine_attestation(made.encode(), told().policy, shown=failing)
    assert found.steps[-1].outcome is FAILS


def with_step(number: int, outcome: Outcome) -> Report:
    """Give the report of the record with another outcome of a step."""
    steps = [
        replace(one, outcome=outcome) if one.number == number else one for one in report().steps
    ]
    return replace(report(), steps=tuple(steps))


def test_a_key_that_followed_the_freelancers_attests_where_the_record_shows_that() -> None:
    told = handed_on()
    made = told.attested(SECOND_KEY)
    found = told.read(made)
    assert found.holds
    assert "by the key that followed the one of your policy" in found.steps[1].why
    alone = examine_attestation(made.encode(), told.policy)
    assert alone.steps[1].outcome is FAILS
    beside_another = told.read(made, report=corrected().report())
    assert beside_another.steps[1].outcome is FAILS
    *steps, last = told.report().steps
    unheld = replace(told.report(), steps=(*steps, replace(last, outcome=OPEN)))
    assert told.read(made, report=unheld).steps[1].outcome is FAILS
    before = told.read(told.attested())
    assert [one.outcome for one in before.steps] == [*[HOLDS] * 5, FAILS]
    assert "not signed by the freelancer of the bundle" in before.steps[-1].why


# Graded by another policy


def test_who_trusts_no_authority_is_not_shown_what_was_online_and_hears_no_lie() -> None:
    told = unwitnessed()
    made, reader = told.attested(), without_authorities(told)
    assert told.read(made).steps[-1].outcome is HOLDS
    found = told.read(made, reader)
    assert told.report(reader).holds
    assert [one.outcome for one in found.steps] == [*[HOLDS] * 5, OPEN]
    assert "less of it online than it says" in found.steps[-1].why
    assert found.recomputed == replace(made.claim.said.hours, offline=84_000)
    assert any("time-stamp authorities that you trust" in one for one in found.not_proven)
    assert not any("time-stamp" in one for one in told.read(made).not_proven)


def test_who_is_shown_more_online_than_is_said_is_told_so_and_it_holds() -> None:
    told = unwitnessed()
    made = told.attested(offline=84_000)
    found = told.read(made)
    assert found.holds
    assert "shows more of it online" in found.steps[-1].why
    assert found.recomputed is not None
    assert found.recomputed.offline == 37_000
    same = told.read(made, without_authorities(told))
    assert same.steps[-1].why == "recomputed from the bundle"


@pytest.mark.parametrize("offline", [0, 36_999])
def test_what_the_record_itself_says_was_offline_is_a_lie_to_everybody(offline: int) -> None:
    told = unwitnessed()
    made = told.attested(offline=offline)
    for reader in (told.policy, without_authorities(told)):
        found = told.read(made, reader)
        assert found.steps[-1].outcome is FAILS
        assert "than the record itself says" in found.steps[-1].why


def test_what_is_offline_for_everybody_is_counted_by_its_day_and_hangs_on_no_policy() -> None:
    told = unwitnessed()
    assert told.figures().surely_offline == told.figures(FIRST, FIRST).surely_offline == 37_000
    assert told.figures(NEXT, NEXT).surely_offline == 0
    elsewhere = figures_of(
        told.report(without_authorities(told)), ZONE, FIRST, NEXT, size=told.size
    )
    assert (elsewhere.surely_offline, elsewhere.hours.offline) == (37_000, 84_000)


def test_another_figure_that_is_false_is_a_lie_however_it_is_graded() -> None:
    told = unwitnessed()
    made = told.attested(working=63_999)
    for reader in (told.policy, without_authorities(told)):
        assert told.read(made, reader).steps[-1].outcome is FAILS


def test_who_is_not_the_freelancer_of_the_record_attests_nothing_of_it() -> None:
    stranger = attested(told().verifier.people.client)
    with pytest.raises(VerificationError, match="not signed by the freelancer of the bundle"):
        verify_shown(stranger, shown())


def test_another_tree_of_the_same_size_is_told() -> None:
    signed = told().contents.checkpoint
    forked = replace(signed, checkpoint=replace(signed.checkpoint, root=Digest.of(b"fork")))
    said, _ = claim(checkpoint=forked.digest)
    made = Attestation(sign_said(said, told().verifier.people.freelancer), forked)
    with pytest.raises(VerificationError, match="another tree of that size"):
        verify_shown(made, shown())


def test_before_the_first_work_there_is_nothing_to_sum_up() -> None:
    with pytest.raises(VerificationError, match="no work of the record"):
        figures_of(report(), ZONE, FIRST, LAST, size=1)


def test_every_class_of_work_has_a_figure() -> None:
    assert len(astuple(claim()[0].hours)) == len(WorkClass) + 2
