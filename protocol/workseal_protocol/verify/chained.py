"""Steps 7, 8 and 9: the chain is whole, its times are possible, its captures are those drawn."""

from workseal_protocol.chain import (
    ChainError,
    ChainState,
    check_closing,
    check_order,
    check_schedule,
    check_timing,
    follow,
)
from workseal_protocol.errors import VerificationError
from workseal_protocol.lottery import ChainSide, verify_value
from workseal_protocol.records import BeaconCommitment, ChainedRecord, Segment, Tombstone
from workseal_protocol.statement import Statement
from workseal_protocol.verify.case import Case, named


def check_chain(case: Case) -> str:
    """Fold the chain; problems of steps 8, 9 and 13 are kept for those steps."""
    if case.engagement is None or case.acceptance is None:
        raise VerificationError("no terms begin the chain")
    state = ChainState.start(
        case.engagement,
        case.terms,
        case.acceptance,
        agreed_at=case.agreed_at,
        index=case.agreed_index,
    )
    for place, _, statement, record in case.chained():
        try:
            # (7) Each statement is the next one of one chain.
            check_order(state, record)
        except ChainError as error:
            raise VerificationError(f"{named(place, statement)}: {error}") from error
        known = _note_problems(case, (place, statement), state, record)
        state = follow(state, statement.digest, record, known=known)
        if isinstance(record, Tombstone):
            case.withdrawn[record.frame] = place
    return f"statements: {state.next_seq}"


def check_units(case: Case) -> str:
    """Tell whether the fold found an impossible time."""
    # (8) Rounds, begin and end, worked time and declarations: the rules are in `chain.timing`.
    return _tell(case, 8)


def check_drawn(case: Case) -> str:
    """Tell whether the fold found a wrong value or capture, and check the verifier's values."""
    # (9) Agent values and captures: the rules are in `chain.schedule`.
    _tell(case, 9)
    beacons = Beacons(case)
    for place, index, statement, record in case.chained():
        if isinstance(record, Segment) and record.verifier_value is not None:
            try:
                # (9) The verifier's value was fixed by the operator before it was used.
                case.beacons[index] = beacons.commitment_of(
                    index, record.round, record.verifier_value
                )
            except VerificationError as error:
                raise VerificationError(f"{named(place, statement)}: {error}") from error
    return f"values of the verifier: {len(case.beacons)}"


def _note_problems(
    case: Case, where: tuple[int, Statement], state: ChainState, record: ChainedRecord
) -> tuple[int, bytes] | None:
    # The first problem of each step is kept, and does not hide those of the other steps.
    known: tuple[int, bytes] | None = None
    for step, check in ((8, check_timing), (9, check_schedule), (13, check_closing)):
        # Without possible times, what the schedule asks for cannot be told.
        if step in case.chain_problems or (step == 9 and 8 in case.chain_problems):
            continue
        try:
            if step == 9:
                case.work.spend(_distance(state, record))
            known = check(state, record) or known
        except VerificationError as error:
            case.chain_problems[step] = f"{named(*where)}: {error}"
    return known


def _distance(state: ChainState, record: ChainedRecord) -> int:
    """Count the rounds between an agent value and the newest one, or head, that is proved."""
    if state.session is None or not isinstance(record, Segment):
        return 0
    known = state.session.known
    start = state.session.first_round - 1 if known is None else known[0]
    return max(record.round - start, 0)


def _tell(case: Case, step: int) -> str:
    problem = case.chain_problems.get(step)
    if problem is not None:
        raise VerificationError(problem)
    return ""


class Beacons:
    """Check verifier values against the operator's commitments that stand before them."""

    def __init__(self, case: Case) -> None:
        self._work = case.work
        found = (
            (index, record)
            for _, index, _, record in case.items()
            if isinstance(record, BeaconCommitment) and record.period_ms == case.terms.round_ms
        )
        # By first round, the last one at the end: rounds never go back (8), so each is met once.
        self._coming = sorted(found, key=lambda one: one[1].first_round, reverse=True)
        self._current: list[tuple[int, BeaconCommitment]] = []
        # By the index of its commitment, the newest value that was verified.
        self._known: dict[int, tuple[int, bytes]] = {}

    def commitment_of(self, index: int, number: int, value: bytes) -> int:
        """Give the index of the commitment that the value opens, or raise `VerificationError`."""
        at, record = self._first(number) or (index, None)
        if record is None or at > index:
            raise VerificationError(
                f"no commitment of the operator before it covers round {number}"
            )
        known = self._known.get(at)
        self._work.spend(number - (record.first_round - 1 if known is None else known[0]))
        try:
            verify_value(
                ChainSide.VERIFIER,
                head=record.head,
                first_round=record.first_round,
                count=record.count,
                round=number,
                value=value,
                known=known,
            )
        except VerificationError as error:
            raise VerificationError(f"round {number}: {error}") from error
        self._known[at] = (number, value)
        return at

    def covers(self, number: int) -> bool:
        """Tell whether the operator committed to a round; to be asked in ascending order."""
        try:
            return self._first(number) is not None
        except VerificationError:
            return False

    def _first(self, number: int) -> tuple[int, BeaconCommitment] | None:
        """Give the first commitment of the log that covers a round.

        Only that one counts: with two, the operator could choose between two draws, and with a rule
        that fails for two, undo work that is done by committing to its rounds again.
        """
        while self._coming and self._coming[-1][1].first_round <= number:
            self._current.append(self._coming.pop())
        # (9) Looking at a commitment counts too: many may cover one round.
        self._work.spend(len(self._current))
        self._current = [one for one in self._current if number < one[1].first_round + one[1].count]
        return min(self._current, key=lambda one: one[0], default=None)
