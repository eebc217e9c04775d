"""Verify a case file, offline: the ten steps of docs/spec/casefile.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from workseal_protocol.bundle import MAX_STATEMENTS
from workseal_protocol.casefile.bag import read_bag
from workseal_protocol.casefile.complete import Breach, check_complete
from workseal_protocol.casefile.earlier import check_refiling
from workseal_protocol.casefile.exhibits import in_order, named_in
from workseal_protocol.casefile.frames import Compared, compare_frames
from workseal_protocol.casefile.granted import GrantedHours, granted_in, shown_openings
from workseal_protocol.casefile.logged import Logged
from workseal_protocol.casefile.made import BUNDLE, CaseParts, check_names, make_case_file
from workseal_protocol.casefile.replay import Replayed, replay
from workseal_protocol.commitment import Opening
from workseal_protocol.desk import gather
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import split_sequence
from workseal_protocol.errors import MalformedError, VerificationError
from workseal_protocol.policy import TrustPolicy
from workseal_protocol.records import read_record
from workseal_protocol.terms import Terms
from workseal_protocol.verify import Outcome, Report, Step, examine_bundle
from workseal_protocol.window import Entry

_MAX_OPENINGS: Final = 2 * MAX_STATEMENTS

NOT_PROVEN: Final = (
    "What was said in the case is not proven to be true; each statement is its signer's claim.",
    (
        "Instants are those that the signers claim. Between which instants a statement was signed"
        " is proved for those alone that stand in the bundle's log; custody.csv says which."
    ),
    (
        "What a sealed package shows is not proven here: it opens with the arbitrator's key alone,"
        " and nothing ties its bytes to the statement that announced it."
    ),
    (
        "What was handed over beside is what a statement names, byte by byte. That a message in it"
        " was sent, or by whom, is its party's word."
    ),
    "That the case went on after its last statement here, or that a party was heard, is not shown.",
)
BEACON_UNVERIFIED: Final = "Values drawn by that no commitment of the operator covers: {}."
BEACON_UNSHOWN: Final = (
    "Values drawn by of which the bundle does not show that the operator had committed to them"
    " before the round was set (on a sample, by the ruling): {}. It could have chosen them."
)
UNLOGGED: Final = (
    "Statements of the case that are not in the bundle's log: {}. Nothing shows when they were"
    " signed, nor that a deadline had passed when they say so."
)
FRAMES_UNREACHED: Final = (
    "Freezes and requests for frames behind the end of the bundle's log, or of such a freeze: {}."
    " Whether they are of the frames that there were then is not shown."
)
EXHIBITS_MISSING: Final = (
    "Files handed over beside that are not here: {}. Statements name their digests alone, and what"
    " is in them is known to who has them."
)
KEY_KEPT: Final = "The arbitrator never said that the key of this case was destroyed."


@dataclass(frozen=True, slots=True)
class CaseFileReport:
    """Hold the steps, and what they read where they held."""

    steps: tuple[Step, ...]
    malformed: bool
    not_proven: tuple[str, ...]
    replayed: Replayed | None = None
    bundle: Report | None = None
    granted: tuple[GrantedHours, ...] = ()
    # What was handed over beside and is here, in the order of its files.
    exhibits: tuple[Digest, ...] = ()
    # What the log took beside the case; no step fails for it.
    breaches: tuple[Breach, ...] = ()

    @property
    def holds(self) -> bool:
        """Say whether every step holds."""
        return all(step.outcome is Outcome.HOLDS for step in self.steps)


@dataclass(slots=True)
class _Folder:
    """Collect what each step finds for those after it."""

    files: Mapping[str, bytes]
    policy: TrustPolicy
    zone: tzinfo
    parts: CaseParts | None = None
    report: Report | None = None
    replayed: Replayed | None = None
    logged: Logged | None = None
    compared: Compared | None = None
    openings: tuple[Opening, ...] = ()
    # What was handed over beside and is here, and how many files of it are not.
    exhibits: tuple[Digest, ...] = ()
    missing: int = 0
    breaches: tuple[Breach, ...] = ()
    entries: Mapping[Digest, Entry] = field(default_factory=dict)

    def read(self) -> CaseParts:
        if self.parts is None:
            raise VerificationError("no parts were read")
        return self.parts

    def terms(self) -> Terms:
        if self.report is None or self.report.terms is None:
            raise VerificationError("the bundle has no terms")
        return self.report.terms

    def log(self) -> Logged:
        if self.logged is None:
            raise VerificationError("the bundle was not examined")
        return self.logged

    def case(self) -> Replayed:
        if self.replayed is None:
            raise VerificationError("the case was not replayed")
        return self.replayed


def _form(folder: _Folder) -> str:
    # (1) The folder has the files of a case file and no other.
    check_names(folder.files)
    return f"{len(folder.files)} files"


def _bag(folder: _Folder) -> str:
    # (2) Each file is the one whose digests stand in the manifests.
    read_bag(folder.files)
    return "SHA-256 and SHA-512"


def _bundle(folder: _Folder) -> str:
    # (3) The bundle holds under the caller's own policy.
    report = examine_bundle(folder.files[BUNDLE], folder.policy, zone=folder.zone)
    problem = report.first_problem
    if problem is not None:
        raise VerificationError(f"step {problem}")
    folder.report = report
    folder.logged = Logged.of(report)
    folder.entries = folder.logged.entries
    return f"{len(report.entries)} statements"


def _signatures(folder: _Folder) -> str:
    # (4) Every statement of the case is signed by a key of the terms, or by one that replaced it.
    parts = folder.parts = CaseParts.read(folder.files)
    logged = folder.log()
    for number, statement in enumerate((*parts.statements, *parts.beacon)):
        try:
            logged.speakers.check(statement, logged.index(statement))
        except VerificationError as error:
            raise VerificationError(f"statement {number}: {error}") from error
    return f"{len(parts.statements)} of the case, {len(parts.beacon)} of the beacon"


def _fold(folder: _Folder) -> str:
    # (5) The statements are one case, in their order, and each was allowed where it stands.
    parts = folder.read()
    found = replay((*parts.statements, *parts.beacon), folder.terms(), folder.log())
    filing = found.case.filing
    if folder.report is not None and filing.engagement != folder.report.engagement:
        raise VerificationError("the case is about another engagement than the bundle")
    # (5) What the log took beside the case may be left out; it stands at the end.
    of_case = tuple(one.statement for one in found.told)
    if (*of_case, *found.beside) != parts.statements:
        raise VerificationError("the statements do not stand in the order of the case")
    folder.replayed = found
    return f"head {found.case.head}, state {found.case.state}"


def _logged(folder: _Folder) -> str:
    # (6) The log took it in this order, each statement at about the instant that it claims.
    found = folder.case()
    folder.log().check_instants((one.statement, one.at) for one in found.told)
    if folder.report is None or folder.report.bundle is None:
        raise VerificationError("there is no bundle to compare with")
    statements = folder.report.bundle.contents.statements
    # (6) What the bundle's log has of this case is here, and nothing of it was left out.
    folder.breaches = check_complete(found.told, statements, folder.log())
    # (6) Nor had whoever filed it withdrawn another over its hours, after a draw in that one.
    check_refiling(found.case, statements)
    logged = sum(one.statement.digest in folder.entries for one in found.told)
    remark = f"{logged} of {len(found.told)} statements are in the bundle's log"
    breaches = len(folder.breaches)
    return f"{remark}, and {breaches} beside them that count for nothing" if breaches else remark


def _openings(folder: _Folder) -> str:
    # (7) What was opened beside the bundle is what its statements committed to.
    data = folder.read().openings
    if data is None:
        return "none beside the bundle"
    items = split_sequence(data, max_items=_MAX_OPENINGS)
    openings = tuple(Opening.parse(item) for item in items)
    if folder.report is None:
        raise VerificationError("there is no bundle to compare with")
    gather(folder.report, openings=openings)
    folder.openings = openings
    return f"{len(openings)} beside the bundle"


def _derived(folder: _Folder) -> str:
    # (8) Decision, custody table, graph and text are those that the parts give.
    made = make_case_file(folder.read(), folder.case(), folder.entries)
    if differing := sorted(made.keys() ^ folder.files.keys()):
        what = "missing" if differing[0] in made else "one too many"
        raise VerificationError(f"{differing[0]} is {what}")
    # The payload first: what differs there makes the tag files differ.
    for name in sorted(made, key=lambda one: (not one.startswith("data/"), one)):
        if made[name] != folder.files[name]:
            raise VerificationError(f"{name} is not what the statements give")
    return f"{len(folder.case().told)} rows of custody"


def _frames(folder: _Folder) -> str:
    # (9) What was frozen, and the frames that were named, are those of the bundle's chain.
    found = folder.compared = compare_frames(folder.case().told, folder.entries.values())
    if not found.freezes + found.requests:
        return "no frame was asked for"
    freezes = "1 freeze" if found.freezes == 1 else f"{found.freezes} freezes"
    requests = "1 request" if found.requests == 1 else f"{found.requests} requests"
    beyond = f", {found.unreached} of them not compared" if found.unreached else ""
    return f"{freezes}, {requests} for frames{beyond}"


def _exhibits(folder: _Folder) -> str:
    # (10) What was handed over beside is what the statements name, in their order.
    exhibits, told = folder.read().exhibits, folder.case().told
    if in_order(exhibits, told) != exhibits:
        raise VerificationError("the exhibits do not stand once each in the order of the case")
    named = len(named_in(told))
    folder.exhibits = tuple(map(Digest.of, exhibits))
    folder.missing = named - len(exhibits)
    if not named:
        return "nothing was handed over beside"
    return f"{len(exhibits)} of {named} {'file' if named == 1 else 'files'}"


@dataclass(frozen=True, slots=True)
class StepRule:
    """Hold one step: its check gives a remark, or raises; it is reached when its needs held."""

    number: int
    name: str
    check: Callable[[_Folder], str]
    needs: tuple[int, ...]


STEPS: Final = (
    StepRule(1, "form", _form, ()),
    StepRule(2, "bag", _bag, (1,)),
    StepRule(3, "bundle", _bundle, (1,)),
    StepRule(4, "signatures", _signatures, (3,)),
    StepRule(5, "fold", _fold, (4,)),
    StepRule(6, "log", _logged, (5,)),
    StepRule(7, "openings", _openings, (4,)),
    StepRule(8, "derived", _derived, (5,)),
    StepRule(9, "frames", _frames, (5,)),
    StepRule(10, "exhibits", _exhibits, (5,)),
)


def examine_case_file(
    files: Mapping[str, bytes], policy: TrustPolicy, *, zone: tzinfo | None = None
) -> CaseFileReport:
    """Examine the files of a folder against the caller's policy, step by step; never raises."""
    folder = _Folder(files, policy, UTC if zone is None else zone)
    done: dict[int, Step] = {}
    malformed = False
    for rule in STEPS:
        failed = [n for n in rule.needs if done[n].outcome is not Outcome.HOLDS]
        if failed:
            why = f"step {failed[0]} did not hold"
            done[rule.number] = Step(rule.number, rule.name, Outcome.NOT_REACHED, why)
            continue
        try:
            outcome, why = Outcome.HOLDS, rule.check(folder)
        except (MalformedError, VerificationError) as error:
            outcome, why = Outcome.FAILS, str(error)
            malformed = malformed or rule.number == 1
        done[rule.number] = Step(rule.number, rule.name, outcome, why)
    return CaseFileReport(
        tuple(done.values()),
        malformed,
        _not_proven(folder),
        folder.replayed,
        folder.report,
        _granted(folder),
        folder.exhibits,
        folder.breaches,
    )


def _granted(folder: _Folder) -> tuple[GrantedHours, ...]:
    """Count what was opened of the hours of requests; what did not hold counts as closed."""
    if folder.report is None or folder.replayed is None:
        return ()
    told = [(one.statement.digest, read_record(one.statement)) for one in folder.replayed.told]
    exhibits = folder.read().exhibits if folder.exhibits else ()
    shown = shown_openings(folder.report, told, exhibits, folder.replayed.case.clawed_back)
    return granted_in(folder.report, told, (*folder.openings, *shown))


def _not_proven(folder: _Folder) -> tuple[str, ...]:
    told = list(NOT_PROVEN)
    found = folder.replayed
    if found is not None:
        unlogged = sum(one.statement.digest not in folder.entries for one in found.told)
        counts = (
            (UNLOGGED, unlogged),
            (BEACON_UNVERIFIED, found.unverified),
            (BEACON_UNSHOWN, found.unshown),
            (FRAMES_UNREACHED, 0 if folder.compared is None else folder.compared.unreached),
            (EXHIBITS_MISSING, folder.missing),
        )
        told += [sentence.format(number) for sentence, number in counts if number]
        told += [KEY_KEPT] if found.case.keeps_silent else []
    if folder.report is not None:
        told += folder.report.not_proven
    return tuple(told)
