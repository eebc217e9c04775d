"""Turn what a person said into the next statement of a case; nothing is signed or sent here.

Rules: what nobody types follows from the case (the drawn person, the round, the frozen frames), or
comes from `Means`: a value of the beacon, the chain, a secret. A citation is by digest, never by
the place in a list.
"""

from datetime import tzinfo
from typing import Any, Final, Protocol

from workseal_protocol.cli.acting.beforehand import (
    Beside,
    note_opened,
    require_open_offer,
    require_to_reveal,
)
from workseal_protocol.cli.acting.naming import frames_to_name, freeze_hours
from workseal_protocol.cli.acting.said import (
    ABOUT,
    ACTS,
    REQUEST,
    Said,
    amount_of,
    code_of,
    day_of,
    digest_of,
    instant_of,
    require_fits,
)
from workseal_protocol.cli.calendars import CalendarError, holiday_days, zone_everywhere
from workseal_protocol.cli.inputs import zone_named
from workseal_protocol.cli.moments import both
from workseal_protocol.cli.nextact import notice_due
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.dispute import Case, State, draw_person, secret_commitment
from workseal_protocol.keys import Role
from workseal_protocol.records import (
    Act,
    CaseCalendar,
    CasePlace,
    DisputeAct,
    DisputeFiling,
    DisputeRequest,
    Ground,
    Pause,
    Refusal,
    Ruling,
    Verdict,
)
from workseal_protocol.sealing import case_public
from workseal_protocol.terms import Terms

_DAY_MS: Final = 86_400_000
_GROUNDS: Final[dict[Act, type[Ground] | type[Refusal] | type[Pause]]] = {
    Act.OBJECT: Ground, Act.WITHHOLD: Refusal, Act.STAY: Pause,
}  # fmt: skip


class Means(Beside, Protocol):
    """Bring what a statement needs and nobody types; each is asked for only where needed."""

    def value_of(self, number: int) -> bytes:
        """Return the beacon's value of a round that has begun."""
        ...

    def new_secret(self) -> bytes:
        """Return the secret of this case, kept durably before it is returned."""
        ...

    def kept_secret(self) -> bytes:
        """Return the secret that was committed to."""
        ...

    def new_case_key(self) -> bytes:
        """Return the private key of this case, kept durably before it is returned."""
        ...

    def case_key(self) -> bytes:
        """Return the private key that was declared."""
        ...

    def handed_over(self) -> bytes:
        """Return the digest of what goes beside, with its salt; written before it is returned."""
        ...


def make_filing(
    terms: Terms, engagement: bytes, about: str, said: Said, *, by: Role, now_ms: int
) -> DisputeFiling:
    """Make the filing that opens a case, or raise `CommandError`."""
    if about not in ABOUT:
        raise CommandError(f"expected one of {', '.join(ABOUT)}, found {about[:40]}")
    zone = _zone(terms)
    respondent = Role.FREELANCER if by is Role.CLIENT else Role.CLIENT
    for name in ("begin", "end", "amount", "text"):
        if getattr(said, name) is None:
            raise CommandError(f"a filing: expected --{name}, found none")
    try:
        filing = DisputeFiling(
            engagement=engagement,
            claimed_at=now_ms,
            due=notice_due(terms, respondent, now_ms),
            claim=ABOUT[about],
            text=said.text or "",
            begin=instant_of("--begin", said.begin or "", zone),
            end=instant_of("--end", said.end or "", zone, end=True),
            amount=amount_of(said.amount or "", terms.currency),
            calendar=_calendar(terms, by, said),
        )
    except ValueError as error:
        raise CommandError(f"it cannot be signed: {error}") from error
    _require_past(filing, said, terms)
    return filing


def _require_past(filing: DisputeFiling, said: Said, terms: Terms) -> None:
    """Refuse hours that are still to come: nobody can have worked them, or not."""
    if filing.begin > filing.claimed_at:
        found = f"found {(said.begin or '')[:40]}"
        raise CommandError(f"--begin: expected hours that have begun, {found}", DOES_NOT_HOLD)
    if filing.end > filing.claimed_at + _DAY_MS:
        latest = both(filing.claimed_at + _DAY_MS, terms.zone)
        raise CommandError(
            f"--end: expected hours that end a day after the filing at the latest, {latest},"
            f" found {(said.end or '')[:40]}",
            DOES_NOT_HOLD,
        )


def make_act(
    case: Case, name: str, said: Said, means: Means, *, by: Role, now_ms: int
) -> DisputeAct | DisputeRequest:
    """Make the act of this name, still without its deadline, or raise `CommandError`."""
    require_fits(name, said)
    place = CasePlace(case.case, case.head)
    try:
        if name == REQUEST:
            return _request(case, said, means, place, now_ms)
        act = ACTS[name]
        fields = _typed(case, act, said, by) | _brought(case, act, said, means, by)
        return DisputeAct(
            engagement=case.filing.engagement, claimed_at=now_ms, place=place, act=act, **fields
        )
    except ValueError as error:
        raise CommandError(f"it cannot be signed: {error}") from error


# --- what was typed ---


def _typed(case: Case, act: Act, said: Said, by: Role) -> dict[str, Any]:
    zone = _zone(case.terms)
    found: dict[str, Any] = {
        "text": said.text,
        "why": said.why,
        "level": said.level,
        "count": said.count,
        "code": _code(act, said),
        "cites": tuple(digest_of("--cite", one) for one in said.cite) or None,
        "calendar": _calendar(case.terms, by, said),
    }
    if said.amount is not None:
        found["amount"] = amount_of(said.amount, case.terms.currency)
    if said.begin is not None:
        found["begin"] = instant_of("--begin", said.begin, zone)
    if said.end is not None:
        found["end"] = instant_of("--end", said.end, zone, end=True)
    return {name: value for name, value in found.items() if value is not None}


def _code(act: Act, said: Said) -> Ground | Refusal | Pause | Ruling | Verdict | None:
    if said.ground is not None:
        return code_of(_GROUNDS[act], said.ground)
    if said.ruling is not None:
        return code_of(Ruling, said.ruling)
    return None if said.verdict is None else code_of(Verdict, said.verdict)


def _calendar(terms: Terms, by: Role, said: Said) -> CaseCalendar | None:
    """Announce days: the parties those of the terms, the arbitrator their own."""
    if said.calendar is None and said.zone is None and not said.day_off:
        return None
    agreed = {Role.CLIENT: terms.client_calendar, Role.FREELANCER: terms.freelancer_calendar}
    name = said.calendar or agreed.get(by)
    if name is None:
        raise CommandError("--zone and --day-off go with --calendar")
    off = sorted({day_of(one) for one in said.day_off})
    try:
        if said.zone is not None and zone_everywhere(said.zone) is None:
            raise CommandError(f"--zone: expected one as in Europe/Berlin, found {said.zone[:64]}")
        return holiday_days(name, said.zone or terms.zone, off).announced()
    except CalendarError as error:
        raise CommandError(f"--calendar: {error}") from error


def _zone(terms: Terms) -> tzinfo:
    zone = zone_named(terms.zone)
    if zone is None:
        raise CommandError(f"this machine does not know the time zone {terms.zone[:64]}")
    return zone


# --- what the case and the means bring ---


def _brought(  # noqa: C901, PLR0911 - one line for each act that needs more than words
    case: Case, act: Act, said: Said, means: Means, by: Role
) -> dict[str, Any]:
    match act:
        case Act.ACCEPT:
            require_open_offer(case, by, said.cite)
            return {}
        case Act.DRAW:
            if case.state is not State.DRAW:
                raise CommandError(
                    f"draw: nobody is to be drawn now, the case is in {case.state}", DOES_NOT_HOLD
                )
            number = case.panel_round
            value = means.value_of(number)
            return {
                "round": number,
                "value": value,
                "person": draw_person(case.case, number, value, case.panel),
            }
        case Act.SAMPLE:
            return _sampled(case, means)
        case Act.ASK if said.level == 2 and case.sample is None:
            return _frozen(case, said, means)
        case Act.COMMIT:
            return {"value": secret_commitment(case.case, by, means.new_secret())}
        case Act.REVEAL:
            require_to_reveal(case, by)
            return {"value": means.kept_secret()}
        case Act.DECLARE:
            return {"sealing_key": case_public(means.new_case_key())}
        case Act.SHOW:
            note_opened(case, means)
            return {"value": means.handed_over()}
        case Act.EXHIBIT if said.file is not None:
            return {"value": means.handed_over()}
        case _:
            return {}


def _sampled(case: Case, means: Means) -> dict[str, Any]:
    if case.sample_round is None:
        raise CommandError("nothing is to be drawn: no sample was granted", DOES_NOT_HOLD)
    return {"round": case.sample_round, "value": means.value_of(case.sample_round)}


def _frozen(case: Case, said: Said, means: Means) -> dict[str, Any]:
    zone = _zone(case.terms)
    begin = instant_of("--begin", said.begin or "", zone)
    end = instant_of("--end", said.end or "", zone, end=True)
    return {"freeze": freeze_hours(means.statements(), begin, end)}


def _request(case: Case, said: Said, means: Means, place: CasePlace, now_ms: int) -> DisputeRequest:
    if case.ask is None or not case.ask.granted:
        raise CommandError("request: expected what was asked and granted, found none", 1)
    return DisputeRequest(
        engagement=case.filing.engagement,
        claimed_at=now_ms,
        frames=frames_to_name(case, means.statements(), said.frame),
        reason=said.text or "",
        sealing_key=case_public(means.case_key()),
        # Replaced by the deadline as soon as that is counted.
        answer_by=now_ms + _DAY_MS,
        place=place,
    )
