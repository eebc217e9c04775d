"""Notices: what a party was told of its cases, and where else it wants to be told."""

from typing import Any

from fastapi import APIRouter, Response

from workseal_verifier.api.access import Asking
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import JSON, PRIVATE, answer, optional_number, write_json
from workseal_verifier.services.noticing import roles_in
from workseal_verifier.store.notices import NoticeRow

router = APIRouter(prefix="/v1")


@router.get("/notices")
def get_notices(given: Given, asker: Asking, before: str | None = None) -> Response:
    """List what the asker was told of, the newest first; the first reading is written down."""
    page = given.board.page(asker.thumbprint, optional_number(before, "before"))
    told = {"notices": [_told(one) for one in page.notices], "before": page.before}
    return answer(write_json(told), PRIVATE, JSON)


def _told(row: NoticeRow) -> dict[str, Any]:
    return {
        "id": str(row.name),
        "kind": row.kind,
        "case": None if row.filing is None else str(row.filing),
        "step": row.step,
        "state": row.state,
        "waiting_for": sorted(role.name.lower() for role in roles_in(row.waiting)),
        "until": row.until_ms,
        "made": row.made_ms,
        "opened": row.ended_ms,
    }
