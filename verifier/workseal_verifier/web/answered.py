"""What the client said to timesheets, in words: how much was accepted, and what else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from workseal_protocol.records import SheetAnswer
from workseal_protocol.timesheets import SheetFinding, date_of
from workseal_verifier.services.acceptedhours import (
    AcceptedDay,
    DayBeside,
    Share,
    accepted_days,
    is_accepted,
    share_of,
)
from workseal_verifier.services.diaries import Agreed
from workseal_verifier.services.sheetreview import Reviewed
from workseal_verifier.services.weekfold import DAYS, Week
from workseal_verifier.web.render import hms

ANSWERS = {
    SheetAnswer.ACCEPTED: "accepted",
    SheetAnswer.QUESTION: "asked",
    SheetAnswer.OBJECTION: "objected",
}
# Silence accepts nothing.
_UNANSWERED = "no answer"


@dataclass(frozen=True, slots=True)
class Said:
    """Hold the days that count as accepted, and the timesheets in force that are not accepted."""

    agreed: Agreed
    accepted: Mapping[date, AcceptedDay]
    others: Sequence[SheetFinding]

    @classmethod
    def to(cls, agreed: Agreed, review: Reviewed) -> Self:
        """Gather what was said to all timesheets; one that was replaced waits for nothing."""
        return cls(
            agreed,
            accepted_days(agreed.terms, review),
            [one for one in review.sheets if one.replaced_by is None and not is_accepted(one)],
        )

    @property
    def unanswered(self) -> list[SheetFinding]:
        """Give the timesheets that wait for the client."""
        return [one for one in self.others if one.answer is None]

    def of(self, week: Week) -> list[str]:
        """Say how much of a week was accepted, and what else was answered about its days."""
        share = self._share(week)
        sunday = _sunday(week)
        found = [] if share is None else [self._how(share)]
        found += (
            _UNANSWERED if one.answer is None else ANSWERS[one.answer.answer]
            for one in self.others
            if date_of(one.record.first) <= sunday and week.monday <= date_of(one.record.last)
        )
        return list(dict.fromkeys(found))

    def beside(self, week: Week) -> str:
        """Say of a week how much was accepted of how much, where that is not the same."""
        share = self._share(week)
        if share is None or share.is_whole or not self.agreed.known:
            return ""
        return _beside(share.days)

    def _share(self, week: Week) -> Share | None:
        return share_of(self.accepted, week.days, week.monday, _sunday(week))

    def _how(self, share: Share) -> str:
        if not self.agreed.known:
            # In another zone these are other days.
            return "accepted, not checked here"
        if share.is_whole:
            return "accepted"
        return "accepted in part" if share.is_part else "accepted, not as recorded"


def day_text(one: DayBeside) -> str:
    """Say how much of a day was accepted, where the log has something else."""
    day = one.recorded.day
    return f"{day:%a} {day.day} {day:%b}, {_beside([one])}"


def _sunday(week: Week) -> date:
    return week.monday + timedelta(days=DAYS - 1)


def _beside(days: Sequence[DayBeside]) -> str:
    """Write what was accepted of what is recorded; late-declared time is never added to it."""
    accepted, recorded = (
        sum(one.recorded_ms for one in part)
        for part in ([one.accepted for one in days], [one.recorded for one in days])
    )
    late = sum(one.accepted.late_ms for one in days), sum(one.recorded.late_ms for one in days)
    text = f"{hms(accepted)} of {hms(recorded)}"
    return f"{text}, and {hms(late[0])} of {hms(late[1])} declared later" if any(late) else text
