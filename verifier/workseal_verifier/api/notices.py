"""Notices: what a party was told of its cases and of hours, and where else it wants to be told."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from workseal_verifier.api.access import Asking
from workseal_verifier.api.forms import Form, read_form
from workseal_verifier.api.services import Given, Services
from workseal_verifier.api.values import JSON, PRIVATE, answer, optional_number, write_json
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.contacts import Contact
from workseal_verifier.services.noticing import roles_in
from workseal_verifier.services.sheetnotices import hours_of, members_of
from workseal_verifier.store.notices import NoticeRow

router = APIRouter(prefix="/v1")


class ContactForm(Form):
    """Where a party wants to be told; null where it does not."""

    mail: str | None = Field(max_length=254)
    webhook: str | None = Field(max_length=500)
    zone: str | None = Field(max_length=64)
    digest: bool


@router.get("/notices")
def get_notices(given: Given, asker: Asking, before: str | None = None) -> Response:
    """List what the asker was told of, the newest first; the first reading is written down."""
    page = given.board.page(asker.thumbprint, optional_number(before, "before"))
    told = {"notices": [_told(one) for one in page.notices], "before": page.before}
    return answer(write_json(told), PRIVATE, JSON)


@router.get("/contact")
def get_contact(given: Given, asker: Asking) -> Response:
    """Return where the asker wants to be told, and which ways out this server has."""
    own = given.contacts.own(asker.thumbprint)
    told = {
        "mail": own.mail,
        "webhook": own.webhook,
        "zone": own.zone,
        "digest": own.digest,
        "confirmed": own.confirmed,
        "sends": _ways(given),
    }
    return answer(write_json(told), PRIVATE, JSON)


@router.put("/contact", status_code=204)
async def put_contact(request: Request, asker: Asking, given: Given) -> Response:
    """Keep where the asker wants to be told; another mail address is first to be confirmed."""
    form = await read_form(request, ContactForm)
    try:
        contact = Contact(mail=form.mail, webhook=form.webhook, zone=form.zone, digest=form.digest)
    except ValueError as error:
        raise RefusedError(Reason.MALFORMED, str(error)) from error
    for name, wanted in (("mail", form.mail), ("webhook", form.webhook)):
        if wanted is not None and name not in _ways(given):
            raise RefusedError(Reason.REFUSED, f"this server sends no {name}")
    if form.webhook is not None and not given.carriers.leads_out(form.webhook):
        raise RefusedError(Reason.REFUSED, "this server sends no webhook into networks of its own")
    await run_in_threadpool(given.contacts.put, asker.thumbprint, contact)
    return Response(status_code=204, headers=PRIVATE)


@router.delete("/contact", status_code=204)
def delete_contact(asker: Asking, given: Given) -> Response:
    """Forget where the asker wanted to be told."""
    given.contacts.forget(asker.thumbprint)
    return Response(status_code=204, headers=PRIVATE)


def _ways(given: Services) -> list[str]:
    has = {"mail": given.carriers.mail, "webhook": given.carriers.hook}
    return [name for name, carrier in has.items() if carrier is not None]


def _told(row: NoticeRow) -> dict[str, Any]:
    return {
        "id": str(row.name),
        "kind": row.kind,
        "case": None if row.filing is None else str(row.filing),
        **members_of(hours_of(row)),
        "step": row.step,
        "state": row.state,
        "waiting_for": sorted(role.name.lower() for role in roles_in(row.waiting)),
        "until": row.until_ms,
        "made": row.made_ms,
        "opened": row.ended_ms,
    }
