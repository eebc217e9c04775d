"""The words of notices: what a mail says, and what a webhook is sent.

Rules: nothing of what was said in a case or of hours: its name, its state, whose turn it is, by
when, a link. No name of anybody. Times stand in the reader's zone, with their distance from UTC.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from textwrap import wrap
from typing import Any, Final

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CLOSED, State
from workseal_protocol.keys import Role
from workseal_verifier.services.letterwords import Told, entry_lines, standing_lines
from workseal_verifier.services.noticing import About, roles_in
from workseal_verifier.services.sheetnotices import hours_of, members_of
from workseal_verifier.store.notices import NoticeRow

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAME: Final = b"workseal/mail/v1"
# Letters in a line of a mail. A moment is one word in it.
_WIDTH: Final = 88
_GLUE: Final = "\N{NO-BREAK SPACE}"
_SUBJECTS: Final = {
    About.TURN: "It is your turn in a case",
    About.STEP: "Something was said in a case of yours",
    About.HALF: "Half of your time in a case has passed",
    About.EVE: "Your time in a case ends soon",
    About.REVEAL: "Your secret for a draw is taken now",
    About.REVEAL_HALF: "Reminder: your secret for a draw is not out",
}
# Here silence decides, or nothing is left to be silent about.
_DECIDED: Final = CLOSED | {State.APPEAL, State.SEALED, State.PURGED}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: `name` tells a receiver what comes again; `stop` is the link that stops mails."""

    name: str
    subject: str
    text: str
    stop: str


@dataclass(frozen=True, slots=True)
class Place:
    """Say which log writes, and where it is reached."""

    origin: str
    url: str

    def stop_link(self, token: bytes) -> str:
        """Write the link that stops mails."""
        return f"{self.url}/stop/{_written(token)}"

    def confirm_link(self, token: bytes) -> str:
        """Write the link that confirms an address."""
        return f"{self.url}/confirm/{_written(token)}"


def mail_name(salt: bytes, notice: Digest) -> str:
    """Name a mail: the same when it comes again, and nothing to whoever has keys to try.

    A notice's own name follows from its recipient's key, which others know; the salt is the
    contact's, and stands in no mail.
    """
    return str(Digest.of(_NAME, salt, notice.raw))


@dataclass(frozen=True, slots=True)
class Reader:
    """Say who reads: in which zone, as whom, whether they were sued.

    `secret_until` is until when a secret of theirs is taken, where one is owed; of the `keyless`
    nothing more comes.
    """

    zone: tzinfo
    you: Role | None = None
    sued: bool = False
    secret_until: int | None = None
    keyless: frozenset[Role] = frozenset()


def notice_letter(row: NoticeRow, place: Place, reader: Reader, stop: str, salt: bytes) -> Letter:
    """Write a notice as a mail; `salt` is that of the contact it goes to."""
    told, you = _told_lines(row, reader), reader.you
    lines = [
        f"Case: {row.filing}",
        f"Log: {place.origin}, statement {row.step}",
        "",
        *(line.replace(_GLUE, " ") for said in told for line in wrap(said, _WIDTH)),
        "",
        "The case, and what you may do in it now:",
        f"{place.url}/cases/{row.filing}",
        "",
        *entry_lines(place.url, you),
        "",
        *wrap(_ending(row), _WIDTH),
    ]
    return Letter(
        mail_name(salt, row.name),
        _subject(row, reader),
        signed(lines, "no such mail from here any more", stop),
        stop,
    )


def _told_lines(row: NoticeRow, reader: Reader) -> Iterator[str]:
    if row.state is None:
        return iter(())
    until, secret_until = (
        None if ms is None else moment(ms, reader.zone).replace(" ", _GLUE)
        for ms in (row.until_ms, reader.secret_until)
    )
    waiting = frozenset(roles_in(row.waiting))
    told = Told(State(row.state), until, waiting, reader.you, reader.sued, secret_until)
    return standing_lines(replace(told, keyless=reader.keyless))


def _subject(row: NoticeRow, reader: Reader) -> str:
    if reader.sued and row.kind == About.STEP and row.state == State.NOTICE.value:
        return "The other party has filed a case"
    return _SUBJECTS[About(row.kind)]


def _ending(row: NoticeRow) -> str:
    said = "Nothing of what was said is in this mail."
    if row.state is None or State(row.state) in _DECIDED:
        return said
    return f"{said} Silence moves a case on, and decides nothing."


def confirm_letter(name: Digest, place: Place, link: str, until: str, stop: str) -> Letter:
    """Write the one mail that goes to an address before it was confirmed."""
    lines = [
        f"Somebody gave this address at {place.origin}, to be sent notices there.",
        "",
        "If it was you, open this page and press its button:",
        link,
        f"It works until {until}.",
        "",
        "If it was not you, do nothing: nothing else is sent here, and the address is forgotten",
        "then.",
    ]
    return Letter(
        str(name), "Confirm this address", signed(lines, "this address forgotten now", stop), stop
    )


def hook_body(row: NoticeRow, place: Place) -> dict[str, Any]:
    """Write a notice for a webhook."""
    hours = hours_of(row)
    link = f"v1/cases/{row.filing}" if hours is None else f"diary/{hours.engagement.hex()}"
    return {
        "id": str(row.name),
        # It may have been taken: somebody claimed it before, who may have ended after the sending.
        "again": row.tries > 0,
        "kind": row.kind,
        "case": None if row.filing is None else str(row.filing),
        **members_of(hours),
        "step": row.step,
        "state": row.state,
        "waiting_for": sorted(role.name.lower() for role in roles_in(row.waiting)),
        "until": row.until_ms,
        "made": row.made_ms,
        "origin": place.origin,
        "link": f"{place.url}/{link}",
    }


def moment(ms: int, zone: tzinfo) -> str:
    """Write a moment with its day and its distance from UTC."""
    return in_zone(ms, zone).strftime("%a %d %b %Y, %H:%M:%S (UTC%z)")


def in_zone(ms: int, zone: tzinfo) -> datetime:
    """Return a moment as clocks in a zone show it."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(zone)


def _written(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def signed(lines: list[str], what: str, stop: str) -> str:
    """Join the lines of a mail, and say below how to have no more of its kind."""
    return "\n".join([*lines, "", f"To have {what}: {stop}", ""])
