"""A week of an agreement: its days, its captures, and the timesheets to be reviewed."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from workseal_protocol.accepted import Acceptance
from workseal_protocol.timesheets import Agreement, SheetFinding, date_of
from workseal_verifier.api.access import Asking
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import engagement
from workseal_verifier.services.acceptedhours import AcceptedDay, accepted_days, changed_since
from workseal_verifier.services.access import About, Who
from workseal_verifier.services.sheetreview import MOST_SHEETS
from workseal_verifier.services.weekfold import DAYS, Week, monday_of
from workseal_verifier.web.agreements import about, counts_of, limit_text, sums_of
from workseal_verifier.web.answered import ANSWERS, day_text
from workseal_verifier.web.render import page, read_day

router = APIRouter(prefix="/diary", include_in_schema=False)

# As many digits of a timesheet as `workseal verify` names it by.
_DIGITS = 12


@router.get("/{name}/week")
def get_week(
    request: Request, name: str, asking: Asking, given: Given, of: Annotated[str, Query()]
) -> Response:
    """Show the week of a day."""
    wanted = engagement(name)
    monday = monday_of(read_day(of))
    sunday = monday + timedelta(days=DAYS - 1)
    reach = given.diaries.reach()
    agreed = given.diaries.agreed(wanted)
    week = given.diaries.week(agreed, monday, reach)
    review = given.sheets.of_days(agreed, monday, sunday, reach)
    accepted = accepted_days(agreed.terms, review)
    standings = given.standings.of(asking.thumbprint, About.ENGAGEMENT, wanted)
    return page(
        request,
        "week.html",
        **about(agreed, reach),
        monday=monday,
        sunday=sunday,
        before=monday - timedelta(days=DAYS),
        after=monday + timedelta(days=DAYS),
        days=[{"day": day.day, "sums": sums_of(agreed.terms, [day])} for day in week.days],
        sums=sums_of(agreed.terms, week.days),
        counts=counts_of([week]),
        exceeded=[limit_text(one) for one in week.exceeded],
        contradicted=week.contradicted,
        sheets=[
            _sheet(one, review.acceptances[one.digest])
            # In another zone these are other days.
            | {"changed": _changed(one, accepted, week) if agreed.known else []}
            for one in review.sheets
        ],
        older=review.older,
        most=MOST_SHEETS,
        is_client=any(one.who is Who.CLIENT for one in standings),
    )


def _changed(one: SheetFinding, accepted: Mapping[date, AcceptedDay], week: Week) -> list[str]:
    return [day_text(each) for each in changed_since(one, accepted, week.days)]


def _sheet(one: SheetFinding, beside: Acceptance) -> dict[str, Any]:
    record = one.record
    return {
        "digits": str(one.digest)[:_DIGITS],
        "digest": str(one.digest),
        "first": date_of(record.first),
        "last": date_of(record.last),
        "recorded_ms": sum(row.working + row.off_screen + row.sealed for row in record.days),
        "late_ms": sum(row.late_declared for row in record.days),
        "billed_ms": record.billed_ms,
        "amount": record.amount,
        "agreement": one.agreement.value,
        "why": one.why,
        "holds": one.agreement is Agreement.AGREES,
        "answers": [
            {
                "said": ANSWERS[answer.record.answer],
                "text": answer.record.text,
                "at_ms": answer.record.claimed_at,
                "digest": str(answer.digest),
            }
            for answer in one.answers
        ],
        "replaced_by": None if one.replaced_by is None else str(one.replaced_by)[:_DIGITS],
        "elsewhere": [
            {
                "digits": str(other.sheet)[:_DIGITS],
                "days": [date_of(day) for day in other.days],
                "counting": bool(other.counting),
            }
            for other in beside.elsewhere
        ],
        "left_behind": [date_of(day) for day in beside.left_behind],
        "accepted_again": [date_of(day) for day in beside.accepted_again],
        "overlaps": None if one.overlaps is None else str(one.overlaps)[:_DIGITS],
    }
