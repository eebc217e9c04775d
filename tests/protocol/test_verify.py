import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support.builders import STRANGER
from support.examined import VECTORS, assert_fails, good, story, vector
from support.scripted import Story, begin, finish
from support.simulator import DAY_MS, Simulator, seeded
from vectors import generate, scenarios
from workseal_protocol.bundle import (
    Bundle,
    Contents,
)
from workseal_protocol.checkpoint import Checkpoint, add_cosignature, cosign, sign_checkpoint
from workseal_protocol.cli.report import report_value
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.records import (
    Acceptance,
    KeyRotate,
    Offer,
    SegmentState,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.verify import (
    STEPS,
    Outcome,
    Report,
    Step,
    Verified,
    examine_bundle,
    verify_bundle,
)
from workseal_protocol.window import Grade, Source


def examine(contents: Contents, **kwargs: SeedSigner) -> Report:
    return examine_bundle(story().bundle(contents, **kwargs).encode(), story().policy)


def assert_vectors(number: int) -> None:
    """Check every vector of one step; each must exist for the step to be tested at all."""
    count = 0
    for name in VECTORS:
        told, report = vector(name)
        if told.get("step") == number and told["outcome"] == "fails":
            assert_fails(report, number, str(told["why"]))
            count += 1
    assert count


Change = Callable[[Contents], Contents]


def without(place: int) -> Change:
    def change(contents: Contents) -> Contents:
        statements = (*contents.statements[:place], *contents.statements[place + 1 :])
        indices = (*contents.indices[:place], *contents.indices[place + 1 :])
        return dataclasses.replace(contents, statements=statements, indices=indices, receipts=())

    return change


# --- the vectors ---


def test_vectors_are_what_the_generator_writes() -> None:
    assert generate.differences() == []


def test_there_is_a_vector_for_every_scenario_and_every_step() -> None:
    assert {*VECTORS} == {*scenarios.SCENARIOS}
    steps = {vector(name)[0].get("step") for name in VECTORS}
    assert steps == {None, *range(1, 14)}


NO_LABELS: dict[str, list[object]] = {"projects": [], "tags": [], "days": []}


@pytest.mark.parametrize("name", VECTORS)
def test_says_of_a_vector_what_stands_beside_it(name: str) -> None:
    told, report = vector(name)
    assert report.holds == (told["expect"] == "holds")
    assert report.malformed == (told["expect"] == "malformed")
    failed = [step.number for step in report.steps if step.outcome is Outcome.FAILS]
    if told["expect"] == "holds":
        assert failed == []
        shown = report_value(report)
        bounds = [(one.window.lower, one.window.upper, one.grade) for one in report.entries]
        assert told["windows"] == [list(row) for row in bounds]
        assert (told["totals"], told["diary"]) == (shown["totals"], shown["diary"])
        assert told["not_proven"] == len(report.not_proven)
        nothing: dict[str, list[object]] = {"statements": [], "weeks_without": []}
        assert told.get("possession", nothing) == shown["possession"]
        assert told.get("activity", []) == shown["activity"]
        assert told.get("labels", NO_LABELS) == shown["labels"]
        return
    step = report.by_number()[int(str(told["step"]))]
    assert str(step.outcome) == told["outcome"]
    assert str(told["why"]) in step.why
    assert failed == ([step.number] if step.outcome is Outcome.FAILS else [])


# --- the steps, by number ---


def test_step_01_form() -> None:
    assert_vectors(1)
    assert examine_bundle(b"", story().policy).malformed


def test_step_02_manifest() -> None:
    assert_vectors(2)


def test_step_02_follows_a_rotation_to_the_key_that_signs_the_manifest() -> None:
    told, fresh = rotated()
    report = examine_bundle(told.bundle(signer=fresh).encode(), told.policy)
    assert report.holds, report.first_problem


def test_step_02_refuses_the_key_that_a_rotation_ended() -> None:
    told, _ = rotated()
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert_fails(report, 2, "not signed by a party")


def rotated() -> tuple[Story, SeedSigner]:
    verifier = Simulator()
    agent = begin(verifier)
    fresh = SeedSigner(seeded(b"", "fresh"))
    old = verifier.people.freelancer
    record = KeyRotate.make(claimed_at=verifier.now, old=old.public_key, new=fresh)
    verifier.admit([sign(record, old)])
    verifier.people = dataclasses.replace(verifier.people, freelancer=fresh)
    agent.open_session()
    agent.work(30_000)
    agent.close_session()
    verifier.people = dataclasses.replace(verifier.people, freelancer=old)
    return Story(verifier, agent, *finish(verifier, agent, ())), fresh


def test_step_03_checkpoint() -> None:
    assert_vectors(3)


def test_step_04_log() -> None:
    assert_vectors(4)


def test_step_04_refuses_an_earlier_checkpoint_of_another_log() -> None:
    told = story()
    first, *others = told.contents.checkpoints
    foreign = Checkpoint("log.elsewhere.example", first.checkpoint.size, first.checkpoint.root)
    signed = sign_checkpoint(foreign, STRANGER)
    for name, signer in told.verifier.witness_signers.items():
        signed = add_cosignature(signed, cosign(foreign, name, signer, 1_772_442_000))
    both = VerifierKey(foreign.origin, STRANGER.public_key, NoteType.LOG_ED25519)
    tlog = dataclasses.replace(told.policy.tlog, logs=(*told.policy.tlog.logs, both))
    contents = dataclasses.replace(told.contents, checkpoints=(signed, *others))
    report = examine_bundle(
        told.bundle(contents).encode(), dataclasses.replace(told.policy, tlog=tlog)
    )
    assert_fails(report, 4, "is one of another log")


def test_step_05_signatures() -> None:
    assert_vectors(5)


def test_step_06_terms() -> None:
    assert_vectors(6)


@pytest.mark.parametrize("role", Role)
def test_step_06_refuses_a_party_that_the_policy_does_not_name(role: Role) -> None:
    policy = story().policy
    parties = {one: keys for one, keys in policy.parties.items() if one is not role}
    # Without its key its statements fail before; the other parties' keys only count here.
    report = examine_bundle(good(), dataclasses.replace(policy, parties=parties))
    assert not report.holds
    assert report.first_problem is not None
    assert report.first_problem.number in {2, 5, 6}


def test_step_06_refuses_terms_under_another_log_policy_of_the_bundle() -> None:
    other = Simulator(b"other").policy
    report = examine(dataclasses.replace(story().contents, policy=other))
    assert_fails(report, 6, "the bundle's policy is not the one of the terms")


def test_step_06_refuses_a_manifest_of_another_engagement() -> None:
    bundle = story().bundle()
    record = dataclasses.replace(bundle.manifest_record(), engagement=bytes(16))
    manifest = sign(record, story().verifier.people.freelancer)
    report = examine_bundle(dataclasses.replace(bundle, manifest=manifest).encode(), story().policy)
    assert_fails(report, 6, "the manifest is about another engagement")


def test_step_06_wants_one_acceptance() -> None:
    verifier = Simulator(careless=True)
    agent = begin(verifier)
    acceptance = next(one for one, record in agent.made if isinstance(record, Acceptance))
    agent.open_session()
    agent.close_session()
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    place = told.contents.statements.index(acceptance)
    none = dataclasses.replace(without(place)(told.contents), openings=())
    size = none.checkpoint.checkpoint.size
    hashes = verifier.proof(size, none.indices, none.sizes)
    none = dataclasses.replace(none, hashes=hashes)
    report = examine_bundle(told.bundle(none).encode(), told.policy)
    assert_fails(report, 6, "expected one acceptance, found 0")
    again = dataclasses.replace(read_acceptance(acceptance), claimed_at=verifier.now)
    verifier.admit([sign(again, verifier.people.freelancer)])
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert_fails(report, 6, "expected one acceptance, found 2")


def read_acceptance(statement: Statement) -> Acceptance:
    record = read_record(statement)
    assert isinstance(record, Acceptance)
    return record


def test_step_06_refuses_statements_of_another_engagement() -> None:
    verifier = Simulator(careless=True)
    agent = begin(verifier)
    offer = next(record for _, record in agent.made if isinstance(record, Offer))
    foreign = sign(dataclasses.replace(offer, engagement=bytes(16)), verifier.people.client)
    verifier.admit([foreign])
    agent.open_session()
    agent.close_session()
    contents, tsa = finish(verifier, agent, ())
    rows = sorted(verifier.statements.items())
    size = contents.checkpoint.checkpoint.size
    indices = tuple(index for index, _ in rows)
    mixed = dataclasses.replace(
        contents,
        statements=tuple(statement for _, statement in rows),
        indices=indices,
        hashes=verifier.proof(size, indices, contents.sizes),
        receipts=(),
    )
    told = Story(verifier, agent, mixed, tsa)
    report = examine_bundle(told.bundle().encode(), told.policy)
    assert_fails(report, 6, "(offer) is about another engagement")


def test_step_07_chain() -> None:
    assert_vectors(7)


def test_step_08_time_units() -> None:
    assert_vectors(8)


def test_step_09_schedule() -> None:
    assert_vectors(9)


@pytest.mark.parametrize("logged", ["before", "after", "never"])
def test_step_09_wants_the_commitment_to_stand_before_the_segment(logged: str) -> None:
    """Whoever commits to a value when the work is known has chosen what was drawn."""
    verifier = Simulator(careless=True)
    agent = begin(verifier)
    # Past the rounds that the story's commitment covers.
    verifier.now += 2 * DAY_MS
    number = verifier.now // verifier.round_ms
    commitment = verifier.prepare_beacon(number - 1, 100)
    agent.open_session()
    agent.work(4 * verifier.round_ms)
    if logged == "before":
        verifier.say(commitment)
    agent.send()
    if logged == "after":
        verifier.say(commitment)
    told = Story(verifier, agent, *finish(verifier, agent, ()))
    report = examine_bundle(told.bundle().encode(), told.policy)
    if logged == "before":
        assert report.by_number()[9].outcome is Outcome.HOLDS
    else:
        why = f"no commitment of the operator before it covers round {number}"
        assert_fails(report, 9, why)


def test_step_10_time_stamp() -> None:
    assert_vectors(10)


def test_step_10_is_not_reached_without_a_token() -> None:
    _, report = vector("time-stamp-absent")
    assert report.by_number()[10] == Step(
        10, "time-stamp", Outcome.NOT_REACHED, "no token in the bundle"
    )
    assert not report.holds
    # What does not rest on a token is still told.
    assert report.totals is not None


def test_step_10_holds_when_the_policy_names_no_tsa() -> None:
    _, report = vector("valid-without-tsa")
    assert report.by_number()[10].why == "the policy names no TSA"
    policy = dataclasses.replace(story().policy, tsa=())
    unused = examine_bundle(good(), policy).by_number()[10]
    assert unused.why == "the policy names no TSA; tokens not examined: 2"


def test_step_10_refuses_bytes_that_are_no_token() -> None:
    report = examine(dataclasses.replace(story().contents, token=b"token"))
    assert_fails(report, 10, "the token of size")
    assert not report.malformed


def test_step_11_windows() -> None:
    assert_vectors(11)


def test_step_12_openings_and_disclosures() -> None:
    assert_vectors(12)


def test_step_13_totals() -> None:
    assert_vectors(13)


def test_every_step_has_its_comment_spec_line_and_test() -> None:
    root = Path(__file__).resolve().parents[2]
    package = root / "protocol/workseal_protocol"
    code = (
        "".join(
            path.read_text()
            for folder in ("verify", "chain")
            for path in (package / folder).glob("*.py")
        )
        + (package / "window.py").read_text()
    )
    spec = (root / "docs/spec/verification.md").read_text()
    for rule in STEPS:
        assert f"# ({rule.number})" in code, rule
        assert f"\n| {rule.number} | {rule.name} |" in spec, rule
        assert f"def test_step_{rule.number:02d}_" in Path(__file__).read_text(), rule


# --- the whole ---


def test_holds_and_tells_everything() -> None:
    report = examine_bundle(good(), story().policy, zone=ZoneInfo("Europe/Berlin"))
    assert report.holds, report.first_problem
    assert report.zone == "Europe/Berlin"
    assert report.engagement == story().agent.engagement
    assert report.terms == story().agent.terms
    assert report.independent == report.witnesses == ("w0.example",)
    assert report.tree_size == len(story().verifier.leaves)
    grades = {entry.grade for entry in report.entries}
    assert grades == {None, *Grade}
    states = {entry.record.state for entry in report.entries if hasattr(entry.record, "state")}
    assert states == set(SegmentState)
    assert report.totals is not None
    assert [day.day for day in report.totals.days] == [date(2026, 3, 2), date(2026, 3, 3)]
    assert report.window is not None
    assert report.window.lower_source is Source.ANCHOR
    assert report.window.upper_source is Source.COSIGNATURE


def test_days_are_cut_in_utc_without_a_zone() -> None:
    assert examine_bundle(good(), story().policy).zone == "UTC"


def test_says_when_days_are_not_those_of_the_terms() -> None:
    cut_in_utc = " ".join(examine_bundle(good(), story().policy).not_proven)
    assert "cut in UTC here, not in Europe/Berlin" in cut_in_utc
    cut_right = examine_bundle(good(), story().policy, zone=ZoneInfo("Europe/Berlin"))
    assert "cut in UTC" not in " ".join(cut_right.not_proven)


def test_says_that_what_was_proved_late_may_have_been_made_up() -> None:
    assert "were proved late" in " ".join(examine_bundle(good(), story().policy).not_proven)


def test_verify_bundle_gives_what_held() -> None:
    verified = verify_bundle(good(), story().policy)
    assert isinstance(verified, Verified)
    assert verified.bundle == Bundle.parse(good())


def test_verify_bundle_raises_for_the_first_problem() -> None:
    with pytest.raises(MalformedError, match="step 1 form: fails"):
        verify_bundle(good()[:-1], story().policy)
    stranger = story().bundle(signer=STRANGER).encode()
    with pytest.raises(VerificationError, match="step 2 manifest: fails"):
        verify_bundle(stranger, story().policy)
    absent = story().bundle(
        dataclasses.replace(story().contents, token=None, timestamps=(), tsa_ca=None)
    )
    with pytest.raises(VerificationError, match="step 10 time-stamp: not reached"):
        verify_bundle(absent.encode(), story().policy)
