"""The draw of a sample, with everything that whoever doubts it computes it from again.

Rules: the seed and the places are computed here by the protocol's own functions from the statements
alone, and compared with what the case says; the freeze is compared with the log. What differs is
said. The chance to miss is an exact fraction, rounded up once.
"""

from collections.abc import Callable, Container, Sequence
from datetime import tzinfo
from typing import Any, Final

from workseal_protocol.cli.plainodds import QUESTION, plain_odds
from workseal_protocol.cli.sampled import SampleTold, sample_told
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import (
    Case,
    Sample,
    allocate,
    draw_places,
    meaning,
    sample_seed,
    secret_commitment,
    shares_of,
)
from workseal_protocol.keys import Role
from workseal_protocol.lottery import round_start
from workseal_protocol.records import (
    DisputeAct,
    DisputeRequest,
    Freeze,
    Holding,
)
from workseal_verifier.services.hearing import Told
from workseal_verifier.services.redraws import Frozen, asked_of
from workseal_verifier.web.casewords import WHO
from workseal_verifier.web.render import moment

_THREE: Final = (Role.FREELANCER, Role.CLIENT, Role.ARBITRATOR)
_EPOCH_DAYS: Final = 86_400_000


def draw_of(
    case: Case,
    told: Sequence[Told],
    frozen: Frozen | None,
    zone: tzinfo,
    committed: Callable[[int, bytes], bool],
    withdrawn: Container[Digest],
) -> dict[str, Any] | None:
    """Tell of the sample; None where nothing is frozen.

    `committed` says whether a value is the operator's of a round; `withdrawn` are the drawn frames
    that have been withdrawn by now.
    """
    sample, asked = case.sample, asked_of(case, told)
    if sample is None or asked is None:
        return None
    number = case.sample_round
    drawn = _told(case, told, frozen)
    return {
        "asked": asked,
        "root": str(sample.freeze.root),
        "count": sample.freeze.count,
        "strata": _strata(sample),
        "secrets": [_secret(case, sample, role) for role in _THREE],
        "ruled": bool(sample.ruled_at),
        "size": sample.size,
        "reveal_until": None if case.reveal_until is None else moment(case.reveal_until, zone),
        "round": number,
        "round_begins": (
            None if number is None else moment(round_start(number, case.terms.round_ms), zone)
        ),
        "drawn": None if sample.seed is None else _drawn(case, sample, told, committed),
        "sentences": _sentences(sample, drawn) if case.open or drawn is not None else (),
        "frozen": frozen,
        "requests": _requests(told, frozen),
        "course": None if drawn is None else drawn.course,
        "withdrawn": _withdrawn(frozen, withdrawn),
    }


def _sentences(sample: Sample, drawn: SampleTold | None) -> tuple[str, ...]:
    """Say what the sample means, from the ruling on; what became of it, once it is drawn."""
    if drawn is not None:
        return drawn.sentences
    if not sample.ruled_at:
        return ()
    strata, size = sample.freeze.strata, sample.size
    return (meaning(strata, size, QUESTION), *plain_odds(strata, size))


def _told(case: Case, told: Sequence[Told], frozen: Frozen | None) -> SampleTold | None:
    """Say what a drawn sample means; the log tells which frames were drawn, where it is read."""
    said = [(one.digest, one.record) for one in told]
    if frozen is None or not frozen.drawn or frozen.problem:
        return sample_told(case, said)
    kept = (one.frame for one in frozen.drawn)
    return sample_told(
        case, said, frozenset(one.frame for one in kept if one.holding is Holding.KEPT)
    )


def _withdrawn(frozen: Frozen | None, withdrawn: Container[Digest]) -> int:
    """Count the drawn frames that were withdrawn since they were drawn."""
    drawn = () if frozen is None else frozen.drawn
    kept = (one.frame for one in drawn if one.frame.holding is Holding.KEPT)
    return sum(one.frame in withdrawn for one in kept)


def _strata(sample: Sample) -> list[dict[str, Any]]:
    counts = [one.count for one in sample.freeze.strata]
    wanted: Sequence[int | str | None] = [None] * len(counts)
    if sample.seed is not None:
        wanted = allocate(sample.seed, counts, sample.size)
    elif sample.ruled_at:
        shares = shares_of(counts, sample.size)
        wanted = [f"{whole} or {whole + 1}" if rest else whole for whole, rest in shares]
    return [
        {
            "day_ms": one.day * _EPOCH_DAYS,
            "kept": one.holding is Holding.KEPT,
            "count": one.count,
            "drawn": looked,
        }
        for one, looked in zip(sample.freeze.strata, wanted, strict=True)
    ]


def _secret(case: Case, sample: Sample, role: Role) -> dict[str, Any]:
    commitment, secret = sample.commitments.get(role), sample.secrets.get(role)
    leads = secret is not None and secret_commitment(case.case, role, secret) == commitment
    return {
        "who": WHO[role],
        "number": int(role),
        "commitment": None if commitment is None else commitment.hex(),
        "secret": None if secret is None else secret.hex(),
        "leads": leads,
    }


def _drawn(
    case: Case, sample: Sample, told: Sequence[Told], committed: Callable[[int, bytes], bool]
) -> dict[str, Any]:
    """Compute seed and places anew from what the statements say."""
    act = next(
        one.record
        for one in reversed(told)
        if one.move == "sample" and isinstance(one.record, DisputeAct)
    )
    freeze: Freeze = sample.freeze
    number, value = act.round or 0, act.value or b""
    seed = sample_seed(
        case=case.case, freeze=freeze, number=number, value=value, secrets=sample.secrets
    )
    places = draw_places(seed, freeze.strata, sample.size)
    return {
        "number": number,
        "value": value.hex(),
        "committed": committed(number, value),
        "seed": seed.hex(),
        "places": places,
        "same": places == case.drawn and seed == sample.seed,
    }


def _requests(told: Sequence[Told], frozen: Frozen | None) -> list[dict[str, Any]]:
    """Say of each request for drawn frames whether it names drawn ones alone."""
    level = 0
    found = []
    for number, one in enumerate(told):
        if isinstance(one.record, DisputeAct) and one.move == "ask":
            level = one.record.level or 0
        if isinstance(one.record, DisputeRequest) and level in {2, 3} and frozen is not None:
            stray = frozen.stray(one.record)
            found.append({"number": number, "count": len(one.record.frames), "stray": len(stray)})
    return found
