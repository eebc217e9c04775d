"""Cases, for who is in them: where each stands, what is due and when, and what was said.

A filing and an act are statements: they come by `POST /v1/statements`, like all others.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from fastapi import APIRouter, Response

from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_verifier.api.access import Asking
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import (
    CBOR_SEQUENCE,
    JSON,
    PRIVATE,
    answer,
    digest,
    mark_text,
    optional_mark,
    write_json,
)
from workseal_verifier.services.hearing import Told, zones_of

router = APIRouter(prefix="/v1/cases")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@router.get("")
def get_cases(given: Given, asker: Asking, before: str | None = None) -> Response:
    """List the cases that the asker is in, the latest changed first, a page of them."""
    own = given.hearings.own(asker.thumbprint, optional_mark(before, "before"))
    found = [
        {
            "case": str(case.case),
            "engagement": case.filing.engagement.hex(),
            "state": case.state.value,
            "head": str(case.head),
            "due": _due(case),
            "you": _you(case, asker.thumbprint),
            "amount": case.filing.amount,
            "currency": case.terms.currency,
        }
        for case in own.cases
    ]
    told = {"cases": found, "before": mark_text(own.following)}
    return answer(write_json(told), PRIVATE, JSON)


@router.get("/{name}")
def get_case(name: str, given: Given, asker: Asking) -> Response:
    """Return where a case stands, what is due by whom and when, and what was said."""
    view = given.hearings.view(digest(name), asker.thumbprint)
    case = view.case
    told = {
        "case": str(case.case),
        "engagement": case.filing.engagement.hex(),
        "state": case.state.value,
        "head": str(case.head),
        "due": _due(case),
        "you": _word(view.you),
        "moves": list(view.moves),
        "filer": _word(case.filer),
        "begin": case.filing.begin,
        "end": case.filing.end,
        "amount": case.filing.amount,
        "currency": case.terms.currency,
        "arbitrator": None if case.arbitrator is None else str(case.arbitrator),
        "level": case.reached,
        "limit": case.limit,
        "statements": [_statement(one) for one in view.told],
    }
    return answer(write_json(told), PRIVATE, JSON)


@router.get("/{name}/statements")
def get_case_statements(name: str, given: Given) -> Response:
    """Return the statements of a case, filing first: who replays them needs no other word."""
    return answer(b"".join(given.hearings.statements(digest(name))), PRIVATE, CBOR_SEQUENCE)


def _statement(one: Told) -> dict[str, Any]:
    return {
        "index": one.index,
        "digest": str(one.digest),
        "by": _word(one.by),
        "move": one.move,
        "at": one.at_ms,
        "state": one.state,
        "late": one.is_late,
        "code": one.code,
        "amount": one.amount,
        "text": one.text,
    }


def _due(case: Case) -> dict[str, Any] | None:
    """Tell until when whom the state binds: in UTC, and in the zone of everybody in the case."""
    if case.due is None:
        return None
    until, due = case.due.until, case.due.due
    return {
        "until": until,
        "utc": _written(until, UTC),
        "waiting_for": sorted(map(_word, case.waiting_for)),
        "working_days": None if due is None else due.days,
        "calendar": None if due is None else due.calendar,
        "source": None if due is None else due.source,
        "counted_in": None if due is None else due.zone,
        "local": [
            {"who": _word(role), "zone": name, "time": _written(until, zone)}
            for role, name in zones_of(case).items()
            if (zone := zone_named(name)) is not None
        ],
    }


def _written(ms: int, zone: tzinfo) -> str:
    moment = (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)
    return moment.isoformat(timespec="milliseconds")


def _you(case: Case, person: Digest) -> str | None:
    """Name the part that a key has in a case."""
    role = case.parties.roles.get(person)
    return None if role is None else _word(role)


def _word(role: Role) -> str:
    return role.name.lower()
