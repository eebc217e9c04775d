from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from support import builders
from support.carried import Mocked
from support.rig import Rig
from support.wire import Fault, problem
from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.engagement import (
    InvitationError,
    OfferLink,
    fetch_offer,
    find,
    join,
    read_invitation,
    require_same_verifier,
    with_authorities,
)
from workseal_agent.ledger import Engagement, Ledger, LedgerKey
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import Acceptance, Offer, Segment, read_record, sign
from workseal_protocol.statement import Statement

SECOND = b"a second number."


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def offer_of(rig: Rig, signed_by: SeedSigner | None = None, **terms: Any) -> Statement:
    offer = builders.make_offer(
        engagement=SECOND, terms=rig.simulator.terms(**terms), claimed_at=rig.clock.true_ms
    )
    return sign(offer, signed_by or rig.simulator.people.client)


def accept(rig: Rig, offer: Statement, client: VerifierClient | None = None) -> Engagement:
    invitation = read_invitation(offer.encode(), rig.signer.public_key)
    return join(invitation, rig.ledger, client or rig.client, rig.signer, now_ms=1)


def test_an_acceptance_repeats_the_terms_of_the_offer(rig: Rig) -> None:
    acceptance = read_record(Statement.parse(rig.engagement.acceptance))
    offer = read_record(rig.offer)
    assert isinstance(acceptance, Acceptance)
    assert isinstance(offer, Offer)
    assert acceptance.terms == offer.terms == rig.engagement.terms
    assert acceptance.offer == rig.offer.digest


def link_to(rig: Rig, offer: Statement) -> OfferLink:
    return OfferLink.parse(f"{rig.client.url}/#offer={SECOND.hex()}.{offer.digest}")


def test_a_link_finds_the_very_offer_that_it_names(rig: Rig) -> None:
    offer = offer_of(rig)
    rig.simulator.admit([offer])
    link = link_to(rig, offer)
    assert (link.url, link.engagement) == (f"{rig.client.url}/", SECOND)
    assert fetch_offer(link, rig.client) == offer.encode()
    for other in (
        replace(link, digest=Digest.of(b"another")),
        replace(link, engagement=b"a third number.."),
    ):
        with pytest.raises(InvitationError, match="no such offer"):
            fetch_offer(other, rig.client)


def test_what_the_verifier_shows_to_others_is_no_such_offer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_to(rig, offer_of(rig))

    def refuse(_: bytes, **_page: int) -> None:
        raise RefusedError(404, "not-found", "nothing is known under this name")

    monkeypatch.setattr(rig.client, "statements", refuse)
    with pytest.raises(InvitationError, match="no such offer for the key of this home"):
        fetch_offer(link, rig.client)

    def wait(_: bytes, **_page: int) -> None:
        raise RefusedError(403, "waiting", "this key reads from tomorrow on")

    monkeypatch.setattr(rig.client, "statements", wait)
    with pytest.raises(RefusedError, match="tomorrow"):
        fetch_offer(link, rig.client)


@pytest.mark.parametrize(
    "text",
    [
        "https://v.example/",
        "https://v.example/#invitation=x",
        f"https://v.example/#offer={SECOND.hex()}",
        f"https://v.example/#offer={SECOND.hex()}.{'0' * 63}",
        f"https://v.example/#offer={SECOND.hex().upper()}.{'0' * 64}",
        f"https://v.example/#offer={SECOND.hex()}.{'0' * 64}#",
    ],
)
def test_refuses_a_link_of_another_form(text: str) -> None:
    with pytest.raises(MalformedError, match="#offer="):
        OfferLink.parse(text)


def test_refuses_an_offer_that_the_client_did_not_sign(rig: Rig) -> None:
    forged = offer_of(rig, builders.STRANGER)
    with pytest.raises(InvitationError, match="not signed by the client"):
        read_invitation(forged.encode(), rig.signer.public_key)


def test_refuses_an_offer_to_somebody_else(rig: Rig) -> None:
    offer = offer_of(rig, freelancer=builders.STRANGER.public_key)
    with pytest.raises(InvitationError, match="another freelancer"):
        read_invitation(offer.encode(), rig.signer.public_key)


def test_what_is_no_offer_is_malformed(rig: Rig) -> None:
    for data in (b"", b"\xd2", rig.engagement.acceptance):
        with pytest.raises(MalformedError):
            read_invitation(data, rig.signer.public_key)


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        pytest.param({"operator": builders.STRANGER.public_key}, "operator key", id="operator"),
        pytest.param({"log_policy": builders.LOG_POLICY}, "log and witnesses", id="log"),
        pytest.param({"round_ms": 17_000}, "rounds", id="rounds"),
    ],
)
def test_signs_nothing_when_the_verifier_is_not_the_agreed_one(
    rig: Rig, terms: dict[str, Any], what: str
) -> None:
    with pytest.raises(InvitationError, match=what):
        accept(rig, offer_of(rig, **terms))
    assert find(rig.ledger, SECOND) is None


def test_compares_what_the_verifier_says_with_the_terms(rig: Rig) -> None:
    facts = rig.client.operator()
    require_same_verifier(rig.engagement.terms, facts)
    with pytest.raises(InvitationError):
        require_same_verifier(rig.engagement.terms, replace(facts, key=bytes(32)))


def test_signs_no_offer_of_the_future(rig: Rig) -> None:
    """The chain may not begin before its offer: nothing could be recorded for a year."""
    offer = read_record(offer_of(rig))
    assert isinstance(offer, Offer)
    now = rig.client.operator().time_ms
    for ahead, text in ((600_001, "still to come"), (366 * 86_400_000, "right date")):
        later = sign(replace(offer, claimed_at=now + ahead), rig.simulator.people.client)
        with pytest.raises(InvitationError, match=text):
            accept(rig, later)
    assert find(rig.ledger, SECOND) is None
    accept(rig, sign(offer, rig.simulator.people.client))


def test_joining_again_sends_the_same_acceptance(rig: Rig) -> None:
    rig.wire.fault = lambda request: Fault(None) if request.method == "POST" else None
    offer = offer_of(rig)
    with pytest.raises(UnreachableError):
        accept(rig, offer)
    first = find(rig.ledger, SECOND)
    assert first is not None
    assert rig.ledger.newest_checkpoint(SECOND) is None
    rig.wire.fault = lambda _request: None
    again = accept(rig, offer)
    assert again.acceptance == first.acceptance
    assert rig.ledger.newest_checkpoint(SECOND) is not None
    assert rig.ledger.counts(SECOND).unsent == 0
    assert accept(rig, offer).acceptance == first.acceptance


def test_takes_over_the_authorities_that_the_verifier_has_now(rig: Rig) -> None:
    """What was stamped since it joined may lead to a root that did not exist then."""
    assert with_authorities(rig.ledger, rig.client, rig.engagement) == rig.engagement
    rig.wire.roots = [b"a root", b"an intermediate"]
    found = with_authorities(rig.ledger, rig.client, rig.engagement)
    assert found == replace(rig.engagement, tsa_roots=(b"a root", b"an intermediate"))
    assert find(rig.ledger, rig.engagement.id) == found


def test_one_number_stands_for_one_offer(rig: Rig) -> None:
    accept(rig, offer_of(rig))
    with pytest.raises(InvitationError, match="another offer"):
        accept(rig, offer_of(rig, rate_minor_per_hour=1))


def test_a_refused_acceptance_can_be_sent_again(rig: Rig) -> None:
    refusal = Fault(problem(403, "unknown-party"))
    rig.wire.fault = lambda request: refusal if request.method == "POST" else None
    with pytest.raises(RefusedError, match="unknown-party"):
        accept(rig, offer_of(rig))
    rig.wire.fault = lambda _request: None
    accept(rig, offer_of(rig))


def test_pins_the_log_of_the_terms_and_not_of_the_server(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with Ledger(tmp_path / "other" / "ledger", LedgerKey(rig.signer)) as ledger:
        facts = rig.client.operator()
        lying = Mocked(lambda _request: httpx.Response(200, content=b"\xa0"))
        client = VerifierClient("http://localhost", lying)
        invitation = read_invitation(rig.offer.encode(), rig.signer.public_key)
        with pytest.raises(UnreachableError):
            join(invitation, ledger, client, rig.signer, now_ms=1)
        assert ledger.engagements() == ()
        assert facts.policy == rig.engagement.terms.log_policy


def test_work_goes_on_under_other_terms_without_losing_a_moment(rig: Rig) -> None:
    """The second is joined while the first is recorded, and taken up in the middle of a round."""
    first = rig.engagement
    began = rig.clock.true_ms
    rig.recorder.start()
    rig.work(24)
    second = accept(rig, offer_of(rig, rate_minor_per_hour=9_000))
    rig.work(1.5)
    rig.recorder.stop()
    rig.engagement = second
    rig.recorder = rig.build()
    rig.recorder.start()
    changed = rig.clock.true_ms
    rig.work(31.25)
    rig.recorder.stop()
    ended = rig.clock.true_ms
    before, after = segments_of(rig, first), segments_of(rig, second)
    assert (before[0].begin, before[-1].end) == (began, changed)
    assert (after[0].begin, after[-1].end) == (changed, ended)
    # One round of the grid has a part in each.
    assert before[-1].round == after[0].round
    assert sum(one.worked for one in before) == changed - began
    assert sum(one.worked for one in after) == ended - changed
    # The log takes both: no moment is claimed twice.
    for engagement in (first, second):
        rig.engagement = engagement
        assert rig.build_uplink().drain(9)
        assert rig.ledger.counts(engagement.id).unsent == 0
    assert (first.terms.rate_minor_per_hour, second.terms.rate_minor_per_hour) == (6_500, 9_000)


def segments_of(rig: Rig, engagement: Engagement) -> list[Segment]:
    rows = rig.ledger.chain(engagement.id)
    found = (read_record(Statement.parse(row.body)) for row in rows)
    return [record for record in found if isinstance(record, Segment)]
