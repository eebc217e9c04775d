"""What the signed-in key was told of its cases and of hours, and where else it is told.

Rules: reading is what makes a notice an opened one. An address is given and taken away by a command
that the key signs: a session alone, or who has stolen one, sends nobody's notices elsewhere.
"""

from datetime import UTC
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_protocol.records import SheetAnswer
from workseal_protocol.timesheets import date_of
from workseal_verifier.api.access import OwnSession
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import optional_number
from workseal_verifier.services.noticing import About, roles_in
from workseal_verifier.services.sheetnotices import hours_of
from workseal_verifier.store.notices import NoticeRow
from workseal_verifier.web.casecommands import DIGITS
from workseal_verifier.web.casewords import STANDINGS, WHO
from workseal_verifier.web.render import moment, page

router = APIRouter(prefix="/notices", include_in_schema=False)

# As many digits as the list of agreements shows.
_OF_AGREEMENT: Final = 8
_WHY: Final = {
    About.TURN: "Your turn",
    About.STEP: "Something was said",
    About.HALF: "Reminder: half of the time has passed",
    About.EVE: "Reminder: the last working day before the deadline",
    About.REVEAL: "Your secret for the draw is taken now, for twenty hours from the ruling",
    About.REVEAL_HALF: "Reminder: your secret for the draw is not out",
    About.TIMESHEET: "A timesheet came",
    About.ANSWER: "Your timesheet was answered",
    About.REVIEW: "Reminder: a timesheet has no answer, and the days to review it end",
}
_YOURS: Final = {About.TURN, About.REVEAL, About.REVEAL_HALF, About.TIMESHEET, About.REVIEW}
_ANSWERS: Final = {
    SheetAnswer.ACCEPTED: "it is accepted",
    SheetAnswer.QUESTION: "with a question",
    SheetAnswer.OBJECTION: "with an objection",
}


@router.get("")
def get_notices(
    request: Request, session: OwnSession, given: Given, before: str | None = None
) -> Response:
    """List what the signed-in key was told of, the newest first; reading opens it."""
    told = given.board.page(session.thumbprint, optional_number(before, "before"))
    return page(
        request,
        "notices.html",
        rows=[_line(one) for one in told.notices],
        before=told.before,
        contact=given.contacts.own(session.thumbprint),
        sends={"mail": given.carriers.mail is not None, "webhook": given.carriers.hook is not None},
    )


def _line(row: NoticeRow) -> dict[str, Any]:
    state = None if row.state is None else State(row.state)
    return {
        "why": _WHY[About(row.kind)],
        "yours": row.kind in _YOURS,
        "case": str(row.filing),
        "digits": str(row.filing)[:DIGITS],
        "hours": _hours(row),
        "standing": None if state is None else STANDINGS[state].title,
        "waiting": [WHO[Role(role)] for role in sorted(roles_in(row.waiting))],
        "until": None if row.until_ms is None else moment(row.until_ms, UTC),
        "made": moment(row.made_ms, UTC),
        "new": row.ended_ms is None,
    }


def _hours(row: NoticeRow) -> dict[str, Any] | None:
    """Say of which timesheet, and where it is read."""
    told = hours_of(row)
    if told is None:
        return None
    page = f"/diary/{told.engagement.hex()}"
    sheet = told.sheet
    return {
        "agreement": told.engagement.hex()[:_OF_AGREEMENT],
        "link": page if sheet is None else f"{page}/week?of={date_of(sheet.first)}#review",
        "days": None if sheet is None else (date_of(sheet.first), date_of(sheet.last)),
        "replaces": told.replaces is not None,
        "answer": None if told.answer is None else _ANSWERS[told.answer],
    }
