"""What the signed-in key was told of its cases, and where else it is told.

Rules: reading is what makes a notice an opened one. An address is given and taken away by a command
that the key signs: a session alone, or who has stolen one, sends nobody's notices elsewhere.
"""

from datetime import UTC
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from workseal_protocol.dispute import State
from workseal_protocol.keys import Role
from workseal_verifier.api.access import OwnSession
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import optional_number
from workseal_verifier.services.noticing import About, roles_in
from workseal_verifier.store.notices import NoticeRow
from workseal_verifier.web.casecommands import DIGITS
from workseal_verifier.web.casewords import STANDINGS, WHO
from workseal_verifier.web.render import moment, page

router = APIRouter(prefix="/notices", include_in_schema=False)

_WHY: Final = {
    About.TURN: "Your turn",
    About.STEP: "Something was said",
    About.HALF: "Reminder: half of the time has passed",
    About.EVE: "Reminder: the last working day before the deadline",
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
        "yours": row.kind == About.TURN,
        "case": str(row.filing),
        "digits": str(row.filing)[:DIGITS],
        "standing": None if state is None else STANDINGS[state].title,
        "waiting": [WHO[Role(role)] for role in sorted(roles_in(row.waiting))],
        "until": None if row.until_ms is None else moment(row.until_ms, UTC),
        "made": moment(row.made_ms, UTC),
        "new": row.ended_ms is None,
    }
