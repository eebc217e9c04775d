"""Send what waits in the outbox: each notice by its channel, again and again, and never dropped.

Rules: a notice is claimed before it is sent, for a lease, and settled after. Who dies between
leaves it due again: a receiver may be told twice, and knows the second by its name. Waits grow;
what was tried for days is parked and shown to the operator. Where a person wants to be told is
looked up at the last moment: what was deleted is not used any more. An address that nobody
confirmed gets the one mail that asks for it, and what comes meanwhile stands on the page.

Nobody's notices wait for somebody else's server: who took as long as a whole exchange may last
waits a minute, and nobody's webhook is asked twice at once, by whichever worker. Of a case somebody
gets one mail an hour, unless a deadline begins for them: what came meanwhile is told by the newest.
Of hours as well, and that mail tells of all that came meanwhile.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final, Protocol

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case
from workseal_protocol.keys import Role
from workseal_verifier.services.casebook import CaseBook
from workseal_verifier.services.casedays import first_zone, zone_of
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.health import NOTICES, Health
from workseal_verifier.services.letters import (
    Letter,
    Place,
    Reader,
    confirm_letter,
    moment,
    notice_letter,
)
from workseal_verifier.services.noticing import About, owes_secret, people
from workseal_verifier.store.contacts import ContactRow
from workseal_verifier.store.notices import OF_HOURS, Channel, Fate, NoticeRow
from workseal_verifier.store.outbox import SENT_ON, Outbox

_logger = logging.getLogger(__name__)

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
# Longer than any one sending takes.
LEASE_MS: Final = 10 * _MINUTE
# Between two mails of one case, or of hours, to one person.
QUIET_MS: Final = _HOUR
_OF_STEPS: Final = frozenset({About.TURN.value, About.STEP.value})
_SELDOM: Final = _OF_STEPS.union(OF_HOURS)
# In one mail about hours; what is more comes with the next.
MOST_TOLD: Final = 20
# Some five days.
WAITS_MS: Final = (
    _MINUTE,
    5 * _MINUTE,
    15 * _MINUTE,
    _HOUR,
    3 * _HOUR,
    6 * _HOUR,
    12 * _HOUR,
    24 * _HOUR,
    24 * _HOUR,
    48 * _HOUR,
)
# In one turn of the loop.
_MOST_AT_ONCE: Final = 200
# What one person's server may take of a turn, and a mail server that stalls of anybody's.
_SHARE_S: Final = 10.0
_STALL_S: Final = 15.0


class Mailer(Protocol):
    """Send mails."""

    def send(self, letter: Letter, to: str, at_ms: int) -> None:
        """Hand a letter over, or raise `OSError` when the other server did not take it."""
        ...


class Hours(Protocol):
    """Write of timesheets and of their answers."""

    def letter(self, rows: Sequence[NoticeRow], contact: ContactRow) -> Letter:
        """Write one mail about all of them."""
        ...

    def is_settled(self, row: NoticeRow) -> bool:
        """Tell whether a reminder is of a timesheet that needs no answer any more."""
        ...


class Weekly(Protocol):
    """Write weekly digests."""

    def letter(self, row: NoticeRow, contact: ContactRow) -> Letter | None:
        """Write one; None when there is nothing to tell any more."""
        ...


# Tells a webhook of a notice; raises `OSError` when the other server did not take it.
Hook = Callable[[NoticeRow, str], None]


@dataclass(frozen=True, slots=True)
class Carriers:
    """Hold the ways out that this server has; None where it has none.

    `leads_out` says of a webhook whether this server would send to it at all.
    """

    mail: Mailer | None = None
    hook: Hook | None = None
    leads_out: Callable[[str], bool] = field(default=lambda _url: True)


@dataclass(frozen=True, slots=True)
class Room:
    """Hold what notices are sent from; `size` tells how far the published log reaches."""

    outbox: Outbox
    contacts: ContactBook
    cases: CaseBook
    hours: Hours
    clock: Clock
    health: Health
    size: Callable[[], int]


class Delivery:
    """Send notices; several workers may do it at once."""

    def __init__(
        self,
        room: Room,
        carriers: Carriers,
        place: Place,
        *,
        weekly: Weekly | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outbox = room.outbox
        self._contacts = room.contacts
        self._cases = room.cases
        self._hours = room.hours
        self._carriers = carriers
        self._place = place
        self._clock = room.clock
        self._health = room.health
        self._size = room.size
        self._weekly = weekly
        self._timer = timer

    def run(self, *channels: Channel) -> int:
        """Send what is due on these channels, or on all, and count what was tried."""
        self._contacts.expire()
        tried = 0
        taken_s: defaultdict[Digest, float] = defaultdict(float)
        for _ in range(_MOST_AT_ONCE):
            now_ms = self._clock.now_ms()
            row = self._outbox.claim(now_ms, lease_ms=LEASE_MS, channels=channels or SENT_ON)
            if row is None:
                break
            if taken_s[row.recipient] >= _SHARE_S:
                self._outbox.give_back(row, now_ms + _MINUTE)
                continue
            began = self._timer()
            self._try(row)
            tried += 1
            took = self._timer() - began
            if row.channel is Channel.WEBHOOK:
                taken_s[row.recipient] += took
            elif took >= _STALL_S:
                # One server takes all mails: the others are not spent on it.
                break
        if self._outbox.counts().parked:
            self._health.stuck(NOTICES)
        else:
            self._health.freed(NOTICES)
        return tried

    def _try(self, claimed: NoticeRow) -> None:
        rows = self._with_others(claimed)
        try:
            fates = dict.fromkeys(rows, self._sent(rows)) if rows else {}
        except OSError as error:
            # Never an address: the other server's text is not quoted.
            fates = {row: self._failed(row, error) for row in rows}
        for row, fate in fates.items():
            if fate is not Fate.WAITING:
                self._outbox.settle(row, fate, self._clock.now_ms())

    def _with_others(self, claimed: NoticeRow) -> list[NoticeRow]:
        """Give what one sending tells of: of hours one mail tells all; what has passed, none."""
        rows = [claimed]
        if claimed.channel is Channel.MAIL and claimed.kind in OF_HOURS:
            rows += self._outbox.claim_more(
                claimed, self._clock.now_ms(), lease_ms=LEASE_MS, most=MOST_TOLD - 1
            )
        for row in [row for row in rows if self._has_passed(row)]:
            rows.remove(row)
            self._outbox.settle(row, Fate.PASSED, self._clock.now_ms())
        return sorted(rows, key=lambda row: (row.step, row.kind))

    def _has_passed(self, row: NoticeRow) -> bool:
        if row.kind == About.REVIEW:
            return self._hours.is_settled(row)
        if row.kind in {About.HALF, About.EVE}:
            return self._has_moved(row)
        if row.filing is None or row.step >= self._size():
            # Nobody is shown how the case stands since.
            return False
        if row.kind in {About.REVEAL, About.REVEAL_HALF}:
            return self._is_out(row)
        # Who acted meanwhile hears nothing of a turn that was theirs. A program is told of each.
        return row.kind == About.TURN and row.channel is Channel.MAIL and self._has_moved(row)

    def _sent(self, rows: Sequence[NoticeRow]) -> Fate:
        row = rows[0]
        if row.kind == About.CONFIRM:
            return self._asked(row)
        if row.kind == About.WEEK and self._weekly is None:
            # Beside the server, by hand: the server counts weeks, and sends it when it runs.
            self._outbox.give_back(row, self._clock.now_ms() + _HOUR)
            return Fate.WAITING
        contact = self._contacts.of_person(row.recipient)
        if contact is None:
            return Fate.NOWHERE
        return (
            self._mail(rows, contact) if row.channel is Channel.MAIL else self._hook(row, contact)
        )

    def _asked(self, row: NoticeRow) -> Fate:
        """Send the mail that asks for a confirmation, later if its address has had enough."""
        mailer, contact = self._carriers.mail, self._contacts.to_confirm(row.recipient)
        if mailer is None or contact is None or contact.mail is None:
            return Fate.PASSED
        if not self._contacts.is_of(row.name, contact.mail):
            # Another address stands there by now, and has a mail of its own, counted as its own.
            return Fate.PASSED
        now_ms = self._clock.now_ms()
        if not self._contacts.may_send(row.name):
            self._outbox.give_back(row, now_ms + _HOUR)
            return Fate.WAITING
        contacts, place = self._contacts, self._place
        letter = confirm_letter(
            row.name,
            place,
            place.confirm_link(contacts.confirm_token(contact)),
            moment(contact.confirm_until_ms or now_ms, reader_zone(contact, None, row.recipient)),
            place.stop_link(contacts.stop_token(contact, digest=False)),
        )
        mailer.send(letter, contact.mail, now_ms)
        return Fate.DONE

    def _failed(self, row: NoticeRow, error: OSError) -> Fate:
        if row.tries >= len(WAITS_MS):
            _logger.error("a notice was given up: %s", type(error).__name__)
            return Fate.PARKED
        self._outbox.put_off(row, self._clock.now_ms() + WAITS_MS[row.tries])
        return Fate.WAITING

    def _mail(self, rows: Sequence[NoticeRow], contact: ContactRow) -> Fate:
        row, mailer = rows[0], self._carriers.mail
        if mailer is None or contact.mail is None or contact.confirmed_ms is None:
            return Fate.NOWHERE
        if row.kind in _OF_STEPS and self._outbox.is_outdated(row):
            return Fate.PASSED
        if row.kind in _SELDOM and (wait := self._quiet_until(row)) is not None:
            for one in rows:
                self._outbox.give_back(one, wait)
            return Fate.WAITING
        letter = self._letter(rows, contact)
        if letter is None:
            return Fate.PASSED
        mailer.send(letter, contact.mail, self._clock.now_ms())
        return Fate.DONE

    def _quiet_until(self, row: NoticeRow) -> int | None:
        """Return until when a mail waits, because one of the same kind went out just now."""
        last = self._outbox.last_sent(row)
        if last is None or last.ended_ms is None:
            return None
        begins = row.kind == About.TURN and (last.kind, last.until_ms) != (row.kind, row.until_ms)
        until = last.ended_ms + QUIET_MS
        now_ms = self._clock.now_ms()
        return until if not begins and now_ms < until <= now_ms + QUIET_MS else None

    def _hook(self, row: NoticeRow, contact: ContactRow) -> Fate:
        hook = self._carriers.hook
        if hook is None or contact.webhook is None:
            return Fate.NOWHERE
        hook(row, contact.webhook)
        return Fate.DONE

    def _letter(self, rows: Sequence[NoticeRow], contact: ContactRow) -> Letter | None:
        row = rows[0]
        if row.kind in OF_HOURS:
            return self._hours.letter(rows, contact)
        if row.filing is None:
            return None if self._weekly is None else self._weekly.letter(row, contact)
        stop = self._place.stop_link(self._contacts.stop_token(contact, digest=False))
        case = self._cases.case(row.filing, below=self._size())
        role = role_of(case, row.recipient)
        reader = Reader(
            reader_zone(contact, case, row.recipient),
            role,
            sued=case is not None and role is case.respondent,
            secret_until=None if case is None else self._secret_until(case, role),
            keyless=frozenset() if case is None else self._cases.keyless(case, below=self._size()),
        )
        return notice_letter(row, self._place, reader, stop, contact.salt)

    def _is_out(self, row: NoticeRow) -> bool:
        """Tell whether a secret is out, or its time over."""
        case = None if row.filing is None else self._cases.case(row.filing, below=self._size())
        role = role_of(case, row.recipient)
        return case is None or self._secret_until(case, role) is None

    def _secret_until(self, case: Case, role: Role | None) -> int | None:
        """Return until when somebody's secret is taken; None where none is owed any more."""
        until = case.reveal_until
        if until is None or role is None or not owes_secret(case, role):
            return None
        return until if self._clock.now_ms() <= until else None

    def _has_moved(self, row: NoticeRow) -> bool:
        """Tell whether a reminder is of what is no longer due by its recipient."""
        case = None if row.filing is None else self._cases.case(row.filing, below=self._size())
        if case is None or case.due is None or case.due.until != row.until_ms:
            return True
        roles = [role for role, person in people(case).items() if person == row.recipient]
        return case.state.value != row.state or not case.waiting_for.intersection(roles)


def role_of(case: Case | None, person: Digest) -> Role | None:
    """Return the part that somebody has in a case; None for who has none any more."""
    roles = [] if case is None else [role for role, one in people(case).items() if one == person]
    return roles[0] if roles else None


def reader_zone(contact: ContactRow, case: Case | None, person: Digest) -> tzinfo:
    """Return the zone of whoever reads: the one that they gave, or that of the case."""
    if contact.zone is not None or case is None:
        return first_zone([contact.zone or "UTC"])
    role = role_of(case, person)
    return first_zone([case.terms.zone]) if role is None else zone_of(case, role)
