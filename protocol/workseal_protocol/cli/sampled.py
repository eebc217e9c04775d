"""What a drawn sample says, and how much of it was asked for and shown.

Rules: page and terminal say the same, out of the statements alone. What was taken back, or cannot
be opened, was not shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workseal_protocol.cli.plainodds import QUESTION, plain_odds
from workseal_protocol.cli.text import count
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CLOSED, LADDER, Case, State, meaning
from workseal_protocol.records import (
    DisputeAct,
    DisputeDisclosure,
    DisputeRequest,
    Holding,
    Record,
)

# From a draft on nobody asks for evidence any more.
PAST_ASKING: Final = CLOSED | {State.DRAFT, State.DECISION, State.APPEAL, State.REVIEW,
                            State.SEALED, State.PURGED}  # fmt: skip

_SAMPLED: Final = frozenset(level for level, rung in LADDER.items() if rung.sampled)

Said = tuple[Digest, Record]


@dataclass(frozen=True, slots=True)
class LevelShown:
    """Hold at how many frames a request of a level pointed, and how many of them were shown."""

    level: int
    of: int
    shown: int

    @property
    def words(self) -> str:
        """Write it as it stands beside a level."""
        drawn = " drawn" if LADDER[self.level].sampled else ""
        return f"{self.shown} of {self.of}{drawn} shown"


@dataclass(frozen=True, slots=True)
class Course:
    """Count what became of the drawn frames that could be shown when they were drawn.

    Of the `could` the arbitrator named some, and of these some were shown; of the others some had
    been shown and were taken back, or cannot be opened. `ended` says that no more are asked for.
    """

    could: int
    named: int
    shown: int
    taken_back: int
    unreadable: int
    ended: bool

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say it, and what it does to the figure of the sample."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if not self.could:
            return
        so_far = "" if self.ended else " so far"
        yield (
            f"{self.shown} of {self.could} shown{so_far}: {self.could} of the drawn frames could be"
            f" shown, and {self.named} {_was(self.named)} asked for."
        )
        if self.taken_back:
            yield f"{self.taken_back} {_was(self.taken_back)} shown and taken back."
        if self.unreadable:
            yield f"{self.unreadable} cannot be opened, as the arbitrator says."
        if self.shown < self.could and (self.named or self.ended):
            yield (
                "Who asks for fewer than all, or shows fewer, chooses which: the figure above is"
                " of all, and does not hold for fewer."
            )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Say of which drawn frames nobody knows what they show."""
        so_far = "" if self.ended else " so far"
        kinds = (
            (self.could - self.named, f"drawn and not asked for{so_far}"),
            (self.named - self.shown, f"drawn and asked for and not shown{so_far}"),
        )
        return tuple(
            f"What {count(left, 'frame shows', 'frames show')} that {_was(left)} {how}."
            for left, how in kinds
            if left
        )


@dataclass(frozen=True, slots=True)
class SampleTold:
    """Hold all that is said of a drawn sample: the exact figure, plain words, what became of it."""

    exact: str
    plain: tuple[str, ...]
    course: Course

    @property
    def sentences(self) -> tuple[str, ...]:
        """Give everything in the order in which it is read."""
        return (self.exact, *self.plain, *self.course.sentences)

    def as_value(self) -> dict[str, object]:
        """Write it as a JSON value."""
        return {
            "sentences": list(self.sentences),
            "could_be_shown": self.course.could,
            "asked_for": self.course.named,
            "shown": self.course.shown,
            "taken_back": self.course.taken_back,
            "unreadable": self.course.unreadable,
        }


def sample_told(
    case: Case, said: Sequence[Said], frames: frozenset[Digest] | None = None
) -> SampleTold | None:
    """Say what a sample means and what became of it; None before it is drawn.

    `said` are the statements of the case; `frames` those at the drawn places that were not
    withdrawn before, where the work is at hand. Without it a request at a sampled level counts.
    """
    sample = case.sample
    if case.drawn is None or sample is None:
        return None
    strata = sample.freeze.strata
    exact = meaning(strata, sample.size, QUESTION, case.drawn)
    plain = (*_all_drawn(case, said), *plain_odds(strata, sample.size))
    return SampleTold(exact, plain, _course(case, said, frames))


def _all_drawn(case: Case, said: Iterable[Said]) -> tuple[str, ...]:
    """Say that a sample is everything in hours that one person chose, where it is."""
    sample = case.sample
    if sample is None or not sample.size or sample.size < sample.freeze.count:
        return ()
    asked = next(
        (
            one
            for _, one in said
            if isinstance(one, DisputeAct) and one.freeze == sample.freeze and one.begin is not None
        ),
        None,
    )
    whole = asked is not None and (asked.begin, asked.end) == (case.filing.begin, case.filing.end)
    who = case.filer.name.lower() if whole else "arbitrator"
    frames = count(sample.freeze.count, "frozen frame")
    told = (
        f"The sample is all of the {frames} of these hours: the lot left none out, and the {who}"
        " alone chose the hours, and so the frames."
    )
    return (told,)


# --- what became of it ---


def _course(case: Case, said: Sequence[Said], frames: frozenset[Digest] | None) -> Course:
    strata = case.sample.freeze.strata if case.sample is not None else ()
    kept = sum(one.count for one in strata if one.holding is Holding.KEPT)
    levels = _SAMPLED if frames is None else frozenset(LADDER)
    named = _frames_of(one for _, one in _requests(said, levels))
    if frames is not None:
        named &= frames
    answers = [(digest, one) for digest, one in said if isinstance(one, DisputeDisclosure)]
    shown = _frames_of(one for digest, one in answers if _stays(case, digest)) & named
    taken = _frames_of(one for digest, one in answers if digest in case.clawed_back) & named
    closed = _frames_of(one for digest, one in answers if digest in case.unreadable) & named
    return Course(
        could=sum(place < kept for place in case.drawn or ()),
        named=len(named),
        shown=len(shown),
        taken_back=len(taken - shown),
        unreadable=len(closed - shown - taken),
        ended=case.state in PAST_ASKING or case.appealed,
    )


def levels_shown(case: Case, said: Sequence[Said]) -> dict[int, LevelShown]:
    """Count for each level that was reached with frames how many of them were shown.

    At the first sampled level all drawn ones count that could be shown; above, those asked for.
    """
    told = sample_told(case, said)
    found = {}
    for level in range(min(_SAMPLED), case.reached + 1):
        requests = dict(_requests(said, frozenset({level})))
        named = _frames_of(requests.values())
        shown = _frames_of(
            one
            for digest, one in said
            if isinstance(one, DisputeDisclosure)
            and one.request in requests
            and _stays(case, digest)
        )
        could = told.course.could if told is not None and level == min(_SAMPLED) else 0
        if named or could:
            found[level] = LevelShown(level, max(could, len(named)), len(shown & named))
    return found


def _requests(
    said: Iterable[Said], levels: frozenset[int]
) -> Iterator[tuple[Digest, DisputeRequest]]:
    """Give the requests for frames that stand after a question at one of some levels."""
    level = 0
    for digest, one in said:
        if isinstance(one, DisputeAct) and one.level is not None:
            level = one.level
        if isinstance(one, DisputeRequest) and level in levels:
            yield digest, one


def _frames_of(told: Iterable[DisputeRequest | DisputeDisclosure]) -> frozenset[Digest]:
    return frozenset(frame.frame for one in told for frame in one.frames)


def _stays(case: Case, disclosure: Digest) -> bool:
    """Say whether what was shown was neither taken back nor cannot be opened."""
    return disclosure not in case.clawed_back and disclosure not in case.unreadable


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
