"""What a bundle does not prove, in sentences: always some, and more where bounds are weak."""

from collections import Counter
from collections.abc import Iterator

from workseal_protocol.days import HOUR_MS
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    BeaconCommitment,
    ChainedRecord,
    Declaration,
    DeclarationForm,
    Segment,
    SessionOpen,
)
from workseal_protocol.terms import Level
from workseal_protocol.verify.case import Case
from workseal_protocol.window import Grade, seen_in_time

ALWAYS = (
    "It is not proven that the screen was not staged: the agent's machine is the freelancer's.",
    "It is not proven who sat at the machine, nor that a person was thinking.",
    "The bounds are those of signatures: pixels may be older than the commitment to them.",
    "Whether statements were made after the last one in this bundle, the bundle does not tell.",
    (
        "Whoever made the bundle chose what stands in it: statements on keys and disputes, and a"
        " client's answers, may be left out, and another chain of the same engagement would not"
        " show."
    ),
)
FAILED = "A step that fails or was not reached proves nothing of what it stands for."
DAY_MS = 24 * HOUR_MS


def not_proven(case: Case, *, holds: bool) -> tuple[str, ...]:
    """Write the sentences that go with a report."""
    return (*ALWAYS, *_about_witnesses(case), *_about_time(case), *(() if holds else (FAILED,)))


def independent_of(case: Case) -> tuple[str, ...]:
    """Name the cosigners that the caller holds to be independent of the operator."""
    if case.checkpoint is None:
        return ()
    found = {one.name for one in case.checkpoint.cosignatures}
    return tuple(sorted(found & case.policy.independent))


def _about_witnesses(case: Case) -> Iterator[str]:
    if case.checkpoint is not None and not independent_of(case):
        yield (
            "0 independent witnesses cosigned: that the operator shows everybody the same log rests"
            " on the operator's word."
        )


def _about_time(case: Case) -> Iterator[str]:
    if not case.entries:
        return
    if any(entry.window.upper is None for entry in case.entries):
        yield (
            "Some statements have no upper bound: neither a witness nor a time-stamp of the policy"
            " says by when they existed."
        )
    if str(case.zone) != case.terms.zone:
        yield (
            f"Days, weeks and billing are cut in {case.zone} here, not in {case.terms.zone} as the"
            " terms ask: those sums are not the ones that the terms give."
        )
    yield from _about_anchors(case)
    yield from _about_stamps(case)
    yield from _about_beacons(case)
    early = _before_commitment(case)
    if early:
        yield (
            f"For {_hours(early)} the round began before its session is shown to have been opened:"
            " the freelancer could have chosen captures there."
        )
    worked = _worked(case)
    offline = worked[Grade.OFFLINE]
    if offline:
        yield (
            f"{_hours(offline)} were recorded offline: their times are the device's claim within"
            " the bounds shown, and the machine's owner could foresee their captures."
        )
    late = worked[Grade.LATE]
    if late:
        yield (
            f"{_hours(late)} were proved late: they may have been recorded at any time up to then,"
            " with every draw known; the limit on offline time counts them too."
        )
    stepped = case.totals.stepped_over if case.totals is not None else 0
    if stepped:
        yield (
            f"{stepped} captures were due in gaps of under 5 s between recorded segments of work,"
            " or where a new session took the round over: stepping over a capture looks like this."
        )
    declared = worked[Grade.DECLARED]
    if declared:
        yield f"{_hours(declared)} are declared: they rest on the freelancer's word."


def _about_anchors(case: Case) -> Iterator[str]:
    held = {one.signed.digest.raw for one in case.earlier}
    if case.checkpoint is not None:
        held.add(case.checkpoint.signed.digest.raw)
    # A segment that was seen in time was not back-dated, whatever its anchor.
    named = [
        entry.record.anchor.digest.raw
        for entry in case.entries
        if isinstance(entry.record, ChainedRecord)
        and not (
            isinstance(entry.record, Segment)
            and seen_in_time(entry.record, entry.window.upper, case.terms.round_ms)
        )
    ]
    missing = sum(digest not in held for digest in named)
    if missing:
        yield (
            f"{missing} of {len(named)} anchors cannot be checked, for their checkpoints are not in"
            " the bundle: those statements could have been back-dated as far as the bounds leave"
            " room."
        )


def _about_stamps(case: Case) -> Iterator[str]:
    if not case.stamps or case.checkpoint is None:
        return
    newest = max(case.stamps)
    later = sum(entry.index >= newest for entry in case.entries)
    if later:
        yield (
            f"No time-stamp is over the last {later} statements: the newest one is over size"
            f" {newest} of {case.checkpoint.checkpoint.size}."
        )


def _about_beacons(case: Case) -> Iterator[str]:
    uppers = {
        entry.index: entry.window.upper
        for entry in case.entries
        if isinstance(entry.record, BeaconCommitment)
    }
    leads: list[int | None] = []
    for entry in case.entries:
        if entry.index in case.beacons and isinstance(entry.record, Segment):
            upper = uppers[case.beacons[entry.index]]
            start = round_start(entry.record.round, case.terms.round_ms)
            leads.append(None if upper is None else start - upper)
    known = [lead for lead in leads if lead is not None]
    if len(known) < len(leads) or any(lead < 0 for lead in known):
        yield (
            "For some rounds it is not shown that the operator committed to its value before the"
            " round began: operator and freelancer together could have chosen captures."
        )
    elif known and min(known) < DAY_MS:
        yield (
            f"The operator committed to its values only {min(known) // HOUR_MS} hours ahead"
            " of some rounds."
        )


def _before_commitment(case: Case) -> int:
    """Add up online work in rounds whose agent value may have been made with the round's beacon."""
    if case.terms.level is not Level.FRAMES:
        return 0
    opened: int | None = None
    worked = 0
    for entry in case.entries:
        match entry.record:
            case SessionOpen():
                opened = entry.window.upper
            case Segment() as record if record.verifier_value is not None:
                start = round_start(record.round, case.terms.round_ms)
                worked += record.worked if opened is None or opened > start else 0
            case _:
                pass
    return worked


def _worked(case: Case) -> Counter[Grade]:
    """Add up what was worked, by how it is known."""
    worked: Counter[Grade] = Counter()
    for entry in case.entries:
        match entry.record:
            # A live declaration describes time that its segments already count.
            case Segment() | Declaration(form=DeclarationForm.LATE) as record if entry.grade:
                worked[entry.grade] += record.worked
            case _:
                pass
    return worked


def _hours(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds // 3600} h {seconds // 60 % 60:02d} min {seconds % 60:02d}.{ms % 1000:03d} s"
