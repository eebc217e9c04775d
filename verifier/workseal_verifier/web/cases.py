"""The cases of whoever is signed in, and one of them as a whole, for parties and arbitrator.

Rules: a case is the protocol's fold over published statements, as everybody in it replays them. A
page changes and signs nothing; what may be done is a command, and a file that was signed elsewhere.
No picture and nothing that was opened is here, for anybody.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from workseal_protocol.cli.casesums import who_pays
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, departures
from workseal_protocol.keys import Role
from workseal_verifier.api.access import Asking, OwnSession, site_of
from workseal_verifier.api.services import Given
from workseal_verifier.api.values import digest, mark_text, optional_mark
from workseal_verifier.services.diaries import Agreed, Reach
from workseal_verifier.services.disputedhours import About, Cited, Disputed
from workseal_verifier.services.hearing import CheckedBeside, View
from workseal_verifier.services.redraws import Frozen
from workseal_verifier.web.agreements import about
from workseal_verifier.web.casechecked import checked_of
from workseal_verifier.web.casecommands import DIGITS, Reader, moves_of, reading_of
from workseal_verifier.web.casedraw import draw_of
from workseal_verifier.web.caseearlier import earlier_of
from workseal_verifier.web.caseending import ending_of
from workseal_verifier.web.casefacts import CANNOT_PROVE, columns_of
from workseal_verifier.web.casehours import hours_of
from workseal_verifier.web.caseladder import GROUNDS, REFUSALS, requests_of, rungs_of
from workseal_verifier.web.caselist import lines_of
from workseal_verifier.web.caserecord import (
    custody_of,
    decisions,
    heard,
    last_words,
    outside,
    settled,
    steps_of,
)
from workseal_verifier.web.casetimes import clocks_of, due_of
from workseal_verifier.web.casewords import CLAIMS, WHO, standing_of
from workseal_verifier.web.render import page

router = APIRouter(prefix="/cases", include_in_schema=False)


@router.get("")
def get_cases(
    request: Request, session: OwnSession, given: Given, before: str | None = None
) -> Response:
    """List the cases that the signed-in key may read, a page of them."""
    own = given.hearings.own(session.thumbprint, optional_mark(before, "before"))
    return page(
        request,
        "cases.html",
        rows=lines_of(own.cases, session.thumbprint, given.clock.now_ms()),
        key=str(session.thumbprint),
        goes_on=before is not None,
        before=mark_text(own.following),
    )


@router.get("/{name}")
def get_case(request: Request, name: str, given: Given, asking: Asking) -> Response:
    """Show one case to somebody in it."""
    view = given.hearings.view(digest(name), asking.thumbprint)
    given.board.open_case(asking.thumbprint, view.case.case)
    filing, filed = view.case.filing, view.told[0].index
    reach = given.diaries.reach()
    agreed = given.diaries.agreed(filing.engagement)
    frozen = given.redraws.of(agreed, view.case, view.told)
    beside = Beside(
        agreed=agreed,
        reach=reach,
        disputed=given.disputed.of(agreed, About(filing.begin, filing.end, filed), reach),
        frozen=frozen,
        withdrawn=given.redraws.withdrawn(agreed, frozen, below=reach.size),
        committed=partial(given.beacon.is_committed, view.case.terms.round_ms),
        cited=partial(given.disputed.cited, agreed, reach=reach),
        checked=given.hearings.checked_beside(view.case),
        earlier=given.hearings.earlier(view.case),
        keyless=given.hearings.keyless(view.case),
    )
    values = case_values(view, beside, site_of(request).origin, given.clock.now_ms())
    return page(request, "case.html", **values)


@dataclass(frozen=True, slots=True)
class Beside:
    """Hold what the log tells beside the statements of a case.

    `withdrawn` are the drawn frames that were withdrawn by now, `committed` says whether a value is
    the operator's of a round, `cited` what statements are that are none of the case, `checked` what
    was found of its disclosures beside it, `earlier` the cases over hours of it that were filed
    before, `keyless` who has no key left to act with.
    """

    agreed: Agreed
    reach: Reach
    disputed: Disputed
    frozen: Frozen | None
    withdrawn: Container[Digest]
    committed: Callable[[int, bytes], bool]
    cited: Callable[[set[Digest]], Mapping[Digest, Cited]]
    checked: Sequence[CheckedBeside] = ()
    earlier: Sequence[Case] = ()
    keyless: Sequence[Role] = ()


def case_values(view: View, beside: Beside, url: str, now_ms: int) -> dict[str, Any]:
    """Give everything that the page of a case says."""
    case, disputed = view.case, beside.disputed
    hours = hours_of(beside.agreed, disputed, case.filing.begin, case.filing.end)
    zone = clocks_of(case, view.you)[0].zone
    steps = steps_of(case, view.told, zone)
    draw = draw_of(case, view.told, beside.frozen, zone, beside.committed, beside.withdrawn)
    decided = decisions(steps)
    checked = checked_of(case, view.told, beside.checked, view.you)
    return {
        **about(beside.agreed, beside.reach),
        **_stand(view, url, now_ms),
        "hours": hours,
        "checks": () if disputed.counted is None or hours.by_day else disputed.counted.checks,
        "steps": steps,
        "columns": columns_of(case, hours, steps, draw, checked),
        "checked": checked,
        "cannot_prove": CANNOT_PROVE,
        "rungs": rungs_of(case, view.told),
        "requests": requests_of(
            steps,
            view.told,
            # By the day nobody counts segments of some hours.
            None if disputed.counted is None or hours.by_day else disputed.counted.active,
        ),
        "grounds": GROUNDS,
        "refusals": REFUSALS,
        "draw": draw,
        "words": last_words(steps),
        "heard": heard(case, steps),
        "decisions": decided,
        "settled": settled(steps),
        "pays": who_pays(case.filing.claim, case.filer),
        "departures": [
            one.sentence(case.terms.currency)
            for one in departures(told.record for told in view.told)
        ],
        "earlier": earlier_of(beside.earlier, zone),
        "cited_there": beside.cited(outside(decided)),
        "custody": custody_of(steps),
        "ending": ending_of(case, steps, now_ms, zone),
        "keyless": [WHO[role] for role in beside.keyless] if case.open else [],
        "here": zone,
    }


def _stand(view: View, url: str, now_ms: int) -> dict[str, Any]:
    """Tell where a case stands, and what its reader may do."""
    case, you = view.case, view.you
    sums = {one.digest: one.amount for one in view.told if one.amount is not None}
    return {
        "case": case,
        "number": str(case.case),
        "digits": str(case.case)[:DIGITS],
        "you": you,
        "you_are": WHO[you],
        "filer": WHO[case.filer],
        "claim": CLAIMS[case.filing.claim],
        "standing": standing_of(case),
        "due": due_of(case, you, now_ms),
        "moves": moves_of(view.moves, Reader(case, you, url, clocks_of(case, you)[0].zone, sums)),
        "reading": reading_of(case.case, you, url),
        "freelancer": you is Role.FREELANCER,
        "arbitrator": you is Role.ARBITRATOR,
        "seat": _seat(case),
        "keys": _keys(case),
    }


def _keys(case: Case) -> list[tuple[str, str]]:
    """Name who is in a case by the keys that the terms have for them."""
    keys = {
        Role.CLIENT: case.terms.client.thumbprint,
        Role.FREELANCER: case.terms.freelancer.thumbprint,
    }
    if case.arbitrator is not None:
        keys[Role.ARBITRATOR] = case.arbitrator
    return [(WHO[role], str(key)) for role, key in keys.items()]


def _seat(case: Case) -> str:
    """Say who decides."""
    if case.arbitrator is None:
        return "nobody yet" if case.open else "nobody: it ended before"
    keys = [key.thumbprint for key in case.terms.arbitrators]
    place = keys.index(case.arbitrator) + 1
    declared = "" if case.declared else ", who has not declared yet"
    return f"person {place} of {len(keys)} on the agreed panel{declared}"
