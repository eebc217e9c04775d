"""The words of a mail and of a webhook, to the letter: what stands in them, and what does not."""

import base64
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from workseal_protocol.digest import Digest
from workseal_protocol.dispute import CLOSED, State
from workseal_protocol.keys import Role
from workseal_verifier.services.letters import (
    Place,
    Reader,
    confirm_letter,
    hook_body,
    mail_name,
    moment,
    notice_letter,
)
from workseal_verifier.services.noticing import About
from workseal_verifier.store.notices import Channel, Fate, NoticeRow

PLACE = Place("log.example", "https://log.example")
FILING = Digest.of(b"filing")
RECIPIENT = Digest.of(b"recipient")
SALT = b"s" * 16
STOP = "https://log.example/stop/x"
# 2 January 1970, 01:00:01 UTC.
UNTIL = 86_400_000 + 3_601_000
TOKYO = timezone(timedelta(hours=9))


def row(**changes: Any) -> NoticeRow:
    made = NoticeRow(
        name=Digest.of(b"notice"),
        channel=Channel.MAIL,
        kind=About.TURN.value,
        filing=FILING,
        step=7,
        recipient=RECIPIENT,
        waiting=1 << Role.CLIENT | 1 << Role.FREELANCER,
        made_ms=5,
        fate=Fate.WAITING,
        tries=0,
        next_ms=None,
        ended_ms=None,
        state="objection",
        until_ms=UNTIL,
        statement=None,
    )
    return replace(made, **changes)


def test_a_notice_has_these_lines_and_no_others() -> None:
    letter = notice_letter(row(), PLACE, Reader(TOKYO), STOP, SALT)
    assert letter.text.splitlines() == [
        f"Case: {FILING}",
        "Log: log.example, statement 7",
        "",
        "Until Fri 02 Jan 1970, 10:00:01 (UTC+0900) the freelancer and the client are to object",
        "to a request for evidence, or let it be.",
        "If nobody acts until then: the request counts as not objected to, and is ruled on.",
        "You need to do nothing now; the page of the case says what you may do.",
        "",
        "The case, and what you may do in it now:",
        f"https://log.example/cases/{FILING}",
        "",
        "The page asks you to sign in: with a passkey, if you made one there, or by the link that",
        "this command prints, where your key is:",
        "  workseal-agent sign-in",
        "  workseal sign-in https://log.example --key KEYFILE",
        "",
        "Nothing of what was said is in this mail. Silence moves a case on, and decides nothing.",
        "",
        f"To have no such mail from here any more: {STOP}",
    ]
    assert letter.text.endswith("\n")
    assert letter.stop == STOP


def test_a_notice_without_a_deadline_and_of_nobodys_turn_says_neither() -> None:
    letter = notice_letter(row(waiting=0, until_ms=None), PLACE, Reader(UTC), STOP, SALT)
    assert "statement 7\n\nYou need to do nothing now;" in letter.text
    assert "Until" not in letter.text
    # The first moment of all is one.
    first = notice_letter(row(until_ms=0), PLACE, Reader(UTC), STOP, SALT)
    assert "Until Thu 01 Jan 1970, 00:00:00 (UTC+0000)" in first.text


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (About.TURN, "It is your turn in a case"),
        (About.STEP, "Something was said in a case of yours"),
        (About.HALF, "Half of your time in a case has passed"),
        (About.EVE, "Your time in a case ends soon"),
        (About.REVEAL, "Your secret for a draw is taken now"),
        (About.REVEAL_HALF, "Reminder: your secret for a draw is not out"),
    ],
)
def test_a_subject_says_why_and_names_nobody(kind: About, subject: str) -> None:
    letter = notice_letter(row(kind=kind.value), PLACE, Reader(UTC), STOP, SALT)
    assert letter.subject == subject


@pytest.mark.parametrize("state", sorted(State))
def test_silence_is_said_to_decide_nothing_only_where_that_is_so(state: State) -> None:
    text = notice_letter(row(state=state.value), PLACE, Reader(UTC), STOP, SALT).text
    decides = state in CLOSED | {State.APPEAL, State.SEALED, State.PURGED}
    assert ("decides nothing" in text) is not decides


def test_who_was_sued_reads_so_and_that_they_will_be_asked() -> None:
    filed = row(kind=About.STEP.value, state="notice", waiting=1 << Role.OPERATOR)
    letter = notice_letter(filed, PLACE, Reader(UTC, Role.CLIENT, sued=True), STOP, SALT)
    text = " ".join(letter.text.split())
    assert letter.subject == "The other party has filed a case"
    assert "The other party has filed this case. You will be waited for to answer it." in text
    assert "reading the page of the case counts as notice" in text
    assert "You need to do nothing" not in text
    other = notice_letter(filed, PLACE, Reader(UTC, Role.CLIENT), STOP, SALT)
    assert other.subject == "Something was said in a case of yours"
    assert "You need to do nothing now" in other.text


def test_a_mail_is_named_by_the_salt_of_its_contact_and_not_by_its_reader() -> None:
    """Who carries mails, and has everybody's key, learns no key of a mailbox by trying them."""
    one, other = row(), row(name=Digest.of(b"another"))
    letter = notice_letter(one, PLACE, Reader(UTC), STOP, SALT)
    assert letter.name == mail_name(SALT, one.name)
    assert letter.name == notice_letter(replace(one, tries=3), PLACE, Reader(UTC), STOP, SALT).name
    names = {mail_name(salt, two.name) for salt in (SALT, b"t" * 16) for two in (one, other)}
    assert (len(names), {type(one) for one in names}) == (4, {str})
    assert letter.name != str(one.name)
    assert not [word for word in (str(one.name), str(RECIPIENT)) if word in letter.text]


def test_the_mail_that_asks_for_a_confirmation_says_nothing_of_any_case() -> None:
    name, link = Digest.of(b"asked"), "https://log.example/confirm/y"
    letter = confirm_letter(name, PLACE, link, "Fri 02 Jan 1970", STOP)
    assert (letter.name, letter.subject, letter.stop) == (
        str(name),
        "Confirm this address",
        STOP,
    )
    assert letter.text.splitlines() == [
        "Somebody gave this address at log.example, to be sent notices there.",
        "",
        "If it was you, open this page and press its button:",
        link,
        "It works until Fri 02 Jan 1970.",
        "",
        "If it was not you, do nothing: nothing else is sent here, and the address is forgotten",
        "then.",
        "",
        f"To have this address forgotten now: {STOP}",
    ]


def test_a_webhook_gets_these_fields_and_no_others() -> None:
    assert hook_body(row(), PLACE) == {
        "id": str(Digest.of(b"notice")),
        "again": False,
        "kind": "turn",
        "case": str(FILING),
        "engagement": None,
        "timesheet": None,
        "replaces": None,
        "answer": None,
        "step": 7,
        "state": "objection",
        "waiting_for": ["client", "freelancer"],
        "until": UNTIL,
        "made": 5,
        "origin": "log.example",
        "link": f"https://log.example/v1/cases/{FILING}",
    }
    assert hook_body(row(tries=1), PLACE)["again"] is True
    quiet = hook_body(row(waiting=0, until_ms=None), PLACE)
    assert (quiet["waiting_for"], quiet["until"]) == ([], None)


def test_links_carry_a_whole_token_and_lead_to_their_own_page() -> None:
    token = bytes(range(224, 256))
    for link, page in ((PLACE.stop_link(token), "stop"), (PLACE.confirm_link(token), "confirm")):
        head, _, written = link.rpartition("/")
        assert head == f"https://log.example/{page}"
        assert not set("=+/") & set(written)
        assert base64.urlsafe_b64decode(written + "=") == token


def test_a_moment_stands_in_the_readers_zone_with_its_distance() -> None:
    assert moment(UNTIL, TOKYO) == "Fri 02 Jan 1970, 10:00:01 (UTC+0900)"
    west = timezone(timedelta(hours=-3, minutes=-30))
    assert moment(UNTIL + 999, west) == "Thu 01 Jan 1970, 21:30:01 (UTC-0330)"
