"""The thirteen steps, in their order, with what each of them builds on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from workseal_protocol.activity import ActivityShare, activity_of
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.keys import Check, check_at_once
from workseal_protocol.labels import Labelled, labelled_of, labelled_sheets
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import CHAINED
from workseal_protocol.verify.agreed import check_signatures, check_terms
from workseal_protocol.verify.ahead import Ahead, Checker
from workseal_protocol.verify.case import Case, NotReachedError
from workseal_protocol.verify.chained import check_chain, check_drawn, check_units
from workseal_protocol.verify.form import check_form, check_manifest
from workseal_protocol.verify.logged import check_checkpoint, check_log
from workseal_protocol.verify.opened import check_opened
from workseal_protocol.verify.report import Outcome, Report, Step, Verified
from workseal_protocol.verify.summed import check_totals
from workseal_protocol.verify.timed import check_time_stamps, check_windows
from workseal_protocol.verify.unproven import independent_of, not_proven
from workseal_protocol.window import Window


@dataclass(frozen=True, slots=True)
class StepRule:
    """Hold one step: its check gives a remark, or raises; it is reached when its needs held."""

    number: int
    name: str
    check: Callable[[Case], str]
    needs: tuple[int, ...]


STEPS = (
    StepRule(1, "form", check_form, ()),
    StepRule(2, "manifest", check_manifest, (1,)),
    StepRule(3, "checkpoint", check_checkpoint, (1,)),
    StepRule(4, "log", check_log, (3,)),
    StepRule(5, "signatures", check_signatures, (4,)),
    StepRule(6, "terms", check_terms, (5,)),
    StepRule(7, "chain", check_chain, (6,)),
    StepRule(8, "time units", check_units, (7,)),
    StepRule(9, "schedule", check_drawn, (7, 8)),
    StepRule(10, "time-stamp", check_time_stamps, (4,)),
    StepRule(11, "windows", check_windows, (8, 9)),
    StepRule(12, "openings", check_opened, (7,)),
    StepRule(13, "totals", check_totals, (11,)),
)


def examine_bundle(
    data: bytes,
    policy: TrustPolicy,
    *,
    zone: tzinfo | None = None,
    checker: Checker | None = None,
) -> Report:
    """Examine a bundle against the caller's policy, step by step; never raises.

    `zone` is the zone of the terms, in which days are cut; without it they are cut in UTC. With a
    `checker`, signatures are checked by it, beside the rest; the report is the same.
    """
    if checker is not None:
        ahead = Ahead(checker)
        report = _examine(_case(data, policy, zone, ahead.check))
        if ahead.all_held():
            return report
    return _examine(_case(data, policy, zone, check_at_once))


def _case(data: bytes, policy: TrustPolicy, zone: tzinfo | None, check: Check) -> Case:
    return Case(data=data, policy=policy, zone=UTC if zone is None else zone, check=check)


def _examine(case: Case) -> Report:
    done: dict[int, Step] = {}
    malformed = False
    for rule in STEPS:
        try:
            outcome, why = Outcome.HOLDS, _reach(rule, done)(case)
        except NotReachedError as reason:
            outcome, why = Outcome.NOT_REACHED, str(reason)
        except MalformedError as error:
            outcome, why = Outcome.FAILS, str(error)
            malformed = malformed or rule.number == 1
        except VerificationError as error:
            outcome, why = Outcome.FAILS, str(error)
        done[rule.number] = Step(rule.number, rule.name, outcome, why)
    return _report(case, tuple(done.values()), malformed=malformed)


def verify_bundle(data: bytes, policy: TrustPolicy, *, zone: tzinfo | None = None) -> Verified:
    """Examine a bundle and raise for the first step that does not hold.

    Raises `MalformedError` when the bytes are no bundle, else `VerificationError`.
    """
    report = examine_bundle(data, policy, zone=zone)
    problem = report.first_problem
    if problem is not None:
        error = MalformedError if report.malformed else VerificationError
        raise error(f"step {problem}")
    if report.bundle is None:
        raise VerificationError("no bundle was read")
    return Verified(report.bundle, report)


def _reach(rule: StepRule, done: dict[int, Step]) -> Callable[[Case], str]:
    for number in rule.needs:
        if done[number].outcome is not Outcome.HOLDS:
            raise NotReachedError(f"step {number} did not hold")
    return rule.check


def _report(case: Case, steps: tuple[Step, ...], *, malformed: bool) -> Report:
    holds = all(step.outcome is Outcome.HOLDS for step in steps)
    checkpoint = case.checkpoint
    opened = _opened(case, steps)
    return Report(
        steps=steps,
        malformed=malformed,
        not_proven=not_proven(case, holds=holds),
        bundle=case.parsed,
        engagement=case.engagement,
        terms=case.agreed,
        keys=case.keys,
        origin=checkpoint.checkpoint.origin if checkpoint else None,
        tree_size=checkpoint.checkpoint.size if checkpoint else None,
        witnesses=tuple(one.name for one in checkpoint.cosignatures) if checkpoint else (),
        independent=independent_of(case),
        entries=case.entries,
        window=_span(case),
        totals=case.totals,
        diary=case.diary,
        timesheets=case.timesheets,
        possessions=case.possessions,
        activity=opened.activity,
        labelled=opened.labelled,
        labelled_sheets=opened.labelled_sheets,
        zone=str(case.zone),
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """Hold what was opened about the time."""

    activity: tuple[ActivityShare, ...] = ()
    labelled: Labelled = field(default_factory=Labelled)
    labelled_sheets: Mapping[Digest, Labelled] = field(default_factory=dict)


def _opened(case: Case, steps: tuple[Step, ...]) -> _Opened:
    """Fold what was opened about the time, once both are known to hold."""
    held = {step.number for step in steps if step.outcome is Outcome.HOLDS}
    if not {12, 13} <= held:
        return _Opened()
    entries, openings, zone = case.entries, case.bundle.contents.openings, case.zone
    return _Opened(
        activity_of(case.terms.granularity, entries, openings, zone),
        labelled_of(entries, openings, zone),
        labelled_sheets(entries, openings, zone, case.timesheets),
    )


def _span(case: Case) -> Window | None:
    windows = [entry.window for entry in case.entries if entry.record.KIND in CHAINED]
    if not windows:
        return None
    first, last = windows[0], windows[-1]
    return Window(first.lower, last.upper, first.lower_source, last.upper_source)
