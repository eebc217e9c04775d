"""Who may speak in an engagement, and when, against a real log."""

from dataclasses import replace

import pytest

from support.office import Office, unique
from support.refusing import STRANGER, offer_of, refused
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS
from workseal_protocol.records import SessionOpen, sign
from workseal_verifier.errors import Reason


def test_refuses_a_bad_signature(office: Office) -> None:
    offer = offer_of(office)
    bad = replace(offer, signature=bytes(64))
    found = refused(lambda: office.post([bad]))
    assert (found.reason, found.item) == (Reason.REFUSED, 0)


def test_refuses_the_work_of_a_stranger_and_of_an_unknown_engagement_alike(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    record = agent.made[-1][1]
    assert isinstance(record, SessionOpen)
    stranger = refused(lambda: office.post([sign(record, STRANGER)]))
    unknown = replace(record, engagement=unique(office, "nobody"))
    nowhere = refused(lambda: office.post([sign(unknown, STRANGER)]))
    assert (stranger.reason, stranger.detail) == (nowhere.reason, nowhere.detail)
    assert stranger.reason is Reason.UNKNOWN_PARTY


def test_asks_a_sender_whose_clock_is_a_little_ahead_to_come_back(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    agent.online = False
    agent.work(ROUND_MS)
    statements = list(agent.pending)
    office.now -= 5_000
    office.verifier.publisher._last_signed_at = 0
    found = refused(lambda: office.post(statements))
    assert (found.reason, found.retry_after) == (Reason.BUSY, 4)
    office.now += 3_000
    office.post(statements)


@pytest.mark.parametrize("name", ["client", "arbitrator", "operator"])
def test_refuses_a_party_who_says_what_is_anothers_to_say(
    office: Office, agent: ScriptedAgent, name: str
) -> None:
    agent.open_session()
    record = agent.made[-1][1]
    assert isinstance(record, SessionOpen)
    party = getattr(office.people, name)
    other = sign(replace(record, seq=1), party)
    assert refused(lambda: office.post([other])).reason is Reason.UNKNOWN_PARTY


def test_a_false_signature_is_told_where_the_engagement_is_known(
    office: Office, agent: ScriptedAgent
) -> None:
    agent.open_session()
    bad = replace(agent.made[-1][0], signature=bytes(64))
    found = refused(lambda: office.post([bad]))
    assert (found.reason, str(found)) == (Reason.REFUSED, "the signature does not hold")
