from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from support import builders
from support.rig import Rig
from support.simulator import Simulator
from support.wire import Fault
from workseal_agent import disclose
from workseal_agent.connection import RefusedError, UnreachableError
from workseal_agent.disclose import Answer, Request, RequestError, UnknownArbitratorError
from workseal_agent.errors import VaultError
from workseal_agent.evidence import find_frame, part_name, withdraw
from workseal_agent.export import export
from workseal_agent.ledger import CaptureRow, SendState
from workseal_agent.retention import kept_frames
from workseal_agent.submission import LogContradictionError
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.bundle import Bundle
from workseal_protocol.digest import Digest
from workseal_protocol.disclosure import Disclosure, verify_disclosure
from workseal_protocol.errors import MalformedError
from workseal_protocol.frame import Box
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import (
    Act,
    CasePlace,
    DisputeAct,
    DisputeRequest,
    KeyRotate,
    Outcome,
    RequestedFrame,
    WithdrawalReason,
    sign,
)
from workseal_protocol.sealing import open_package
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.verify import examine_bundle

CASE = generate_private()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path, capture_rate=65_536)
    rig.screen.width, rig.screen.height = 128, 96
    rig.recorder.start()
    rig.work(50)
    rig.recorder.stop()
    assert rig.uplink.drain(10)
    return rig


def rows(rig: Rig) -> tuple[CaptureRow, ...]:
    return rig.ledger.captures(rig.engagement.id)


def asked(rig: Rig, *numbers: int, signed_by: SeedSigner | None = None) -> Statement:
    record = DisputeRequest(
        engagement=rig.engagement.id,
        claimed_at=rig.clock.true_ms,
        frames=tuple(
            RequestedFrame(rows(rig)[number].segment, rows(rig)[number].commitment)
            for number in numbers
        ),
        reason="was the report being written?",
        sealing_key=public_of(CASE),
        answer_by=rig.clock.true_ms + 86_400_000,
    )
    return sign(record, signed_by or rig.simulator.people.arbitrator)


def request(rig: Rig, *numbers: int) -> Request:
    return disclose.read_request(asked(rig, *numbers).encode(), rig.ledger, rig.engagement)


def answered(rig: Rig, *numbers: int, show: Box | None = None) -> Answer:
    wanted = request(rig, *numbers)
    boxes = [show or Box(0, 0, 64, 64)]
    opened = [
        disclose.open_tiles(rig.vault, row, disclose.tiles_of(row, boxes, [], 32))
        for row in disclose.requested_frames(wanted, rows(rig))
    ]
    return disclose.answer(wanted, opened, rig.signer, now_ms=rig.clock.true_ms)


def sent(rig: Rig, answer: Answer) -> None:
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    findings = disclose.send(
        answer, rig.ledger, rig.client, rig.engagement, now_ms=rig.clock.true_ms
    )
    assert {finding.outcome for finding in findings} == {Outcome.HOLDS}


def test_shows_the_chosen_tiles_and_nothing_else(rig: Rig) -> None:
    answer = answered(rig, 1, show=Box(0, 0, 70, 40))
    (one,) = answer.opened
    # 70 x 40 holds two whole tiles of 32: boxes to show are rounded inward.
    assert len(one.disclosure.shown) == 2
    assert len(one.disclosure.pixels) == 2 * 32 * 32 * 3
    verified = verify_disclosure(one.disclosure, rows(rig)[1].commitment)
    assert verified.shown_pixels == 2 * 1024


def test_hiding_is_rounded_outward(rig: Rig) -> None:
    row = rows(rig)[0]
    every = disclose.tiles_of(row, None, [], 32)
    assert len(every) == 12
    assert len(disclose.tiles_of(row, None, [Box(31, 31, 2, 2)], 32)) == 8
    assert disclose.tiles_of(row, [Box(0, 0, 64, 64)], [Box(0, 0, 1, 1)], 32) != every


def test_what_leaves_holds_no_pixel_of_a_hidden_tile(rig: Rig) -> None:
    """The frames are of one colour each, so a hidden tile's bytes are known and can be sought."""
    sent(rig, answered(rig, 1, show=Box(0, 0, 32, 32)))
    colour = rig.vault.frames[rows(rig)[1].commitment].pixels[:1]
    for _, _, body in rig.wire.requests:
        assert colour * 600 not in body


def test_an_answer_is_logged_checked_and_sealed(rig: Rig) -> None:
    answer = answered(rig, 1, 3)
    sent(rig, answer)
    assert answer.request.statement.digest in rig.simulator.places
    assert answer.statement.digest in rig.simulator.places
    items = open_package(CASE, answer.request.statement.digest, answer.package())
    assert items[0] == answer.statement.encode()
    assert [Disclosure.parse(item) for item in items[1:]] == [
        one.disclosure for one in answer.opened
    ]
    address = rig.client.put_sealed(answer.request.statement.digest, answer.package())
    assert address.endswith(f"/v1/sealed/{answer.request.statement.digest}")


def test_the_bundle_shows_what_was_disclosed(rig: Rig) -> None:
    sent(rig, answered(rig, 1, 3))
    made = export(rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=1, reader=rig.vault)
    contents = Bundle.parse(made.data).contents
    assert len(contents.disclosures) == 2
    assert examine_bundle(made.data, rig.simulator.trust()).holds


def test_the_newest_disclosure_of_a_frame_stands_in_the_bundle(rig: Rig) -> None:
    sent(rig, answered(rig, 1, show=Box(0, 0, 32, 32)))
    rig.clock.run(5)
    sent(rig, answered(rig, 1, show=Box(0, 0, 128, 96)))
    made = export(rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=1, reader=rig.vault)
    (one,) = Bundle.parse(made.data).contents.disclosures
    assert len(one.disclosure.shown) == 12


def test_what_was_taken_back_stands_in_no_bundle(rig: Rig) -> None:
    """From when it is signed; a bundle is often for the client, and its tiles for anybody."""
    answers = [answered(rig, 1, show=Box(0, 0, 32, 32))]
    sent(rig, answers[0])
    rig.clock.run(5)
    answers.append(answered(rig, 1, 3, show=Box(0, 0, 128, 96)))
    sent(rig, answers[1])

    def shown() -> list[int]:
        made = export(
            rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=1, reader=rig.vault
        )
        assert examine_bundle(made.data, rig.simulator.trust()).holds
        return [len(one.disclosure.shown) for one in Bundle.parse(made.data).contents.disclosures]

    assert shown() == [12, 12]
    for answer, left in zip(reversed(answers), ([1], []), strict=True):
        digest = answer.statement.digest
        act = DisputeAct(
            engagement=rig.engagement.id,
            claimed_at=rig.clock.true_ms,
            place=CasePlace(digest, digest),
            act=Act.CLAW_BACK,
            cites=(digest,),
            text="a client's secret",
        )
        with rig.ledger.write() as writing:
            statement = sign(act, rig.signer)
            writing.add_statement(rig.engagement.id, statement, state=SendState.HELD)
        assert shown() == left


def test_the_same_tiles_may_be_disclosed_twice(rig: Rig) -> None:
    sent(rig, answered(rig, 1))
    rig.clock.run(5)
    sent(rig, answered(rig, 1))


def test_a_large_disclosure_is_kept_in_parts(rig: Rig) -> None:
    (one,) = answered(rig, 1).opened
    data = one.disclosure.encode()
    for part, at in enumerate(range(0, len(data), 100)):
        rig.vault.put_secret(part_name(one.disclosure.digest, part), data[at : at + 100])
    assert disclose.read_disclosure(rig.vault, one.disclosure.digest) == one.disclosure


def test_a_withdrawn_frame_is_not_shown(rig: Rig) -> None:
    frame = find_frame(rig.ledger, rig.engagement.id, rows(rig)[1].commitment.raw.hex())
    reason = WithdrawalReason.PRIVATE
    withdraw(rig.chain, rig.ledger, rig.vault, frame, reason, now_ms=rig.clock.true_ms)
    left = disclose.requested_frames(request(rig, 1, 2), rows(rig))
    assert [row.number for row in left] == [rows(rig)[2].number]
    with pytest.raises(VaultError):
        disclose.open_tiles(rig.vault, frame, [0])


def test_a_frame_that_is_not_the_committed_one_is_not_shown(rig: Rig) -> None:
    row = rows(rig)[1]
    stored = rig.vault.frames[row.commitment]
    changed = bytes([stored.pixels[0] ^ 1]) + stored.pixels[1:]
    rig.vault.frames[row.commitment] = replace(stored, pixels=changed)
    with pytest.raises(VaultError, match="not the one that was committed"):
        disclose.open_tiles(rig.vault, row, [0])


def test_only_an_arbitrator_of_the_terms_is_answered(rig: Rig) -> None:
    with pytest.raises(RequestError, match="arbitrator"):
        disclose.read_request(
            asked(rig, 1, signed_by=rig.simulator.people.client).encode(),
            rig.ledger,
            rig.engagement,
        )
    true = asked(rig, 1)
    forged = replace(true, signature=bytes(64))
    with pytest.raises(RequestError, match="signature"):
        disclose.read_request(forged.encode(), rig.ledger, rig.engagement)
    with pytest.raises(RequestError, match="another engagement"):
        disclose.read_request(true.encode(), rig.ledger, replace(rig.engagement, id=bytes(16)))
    for data in (b"", rig.offer.encode()):
        with pytest.raises(MalformedError):
            disclose.read_request(data, rig.ledger, rig.engagement)


def test_a_request_with_a_key_that_nothing_can_be_sealed_to_is_refused_at_once(rig: Rig) -> None:
    record = replace(request(rig, 1).record, sealing_key=bytes(1216))
    with pytest.raises(RequestError, match="is not a public key"):
        disclose.read_request(
            sign(record, rig.simulator.people.arbitrator).encode(), rig.ledger, rig.engagement
        )


def test_a_frame_of_nobody_is_not_asked_for(rig: Rig) -> None:
    wanted = request(rig, 1)
    stranger = replace(
        wanted.record, frames=(RequestedFrame(Digest(bytes(32)), Digest(bytes(32))),)
    )
    with pytest.raises(RequestError, match="never recorded"):
        disclose.requested_frames(replace(wanted, record=stranger), rows(rig))


def test_an_answer_is_stored_before_it_is_sent_and_waits_for_its_own_way(rig: Rig) -> None:
    answer = answered(rig, 1)
    rig.wire.fault = lambda _request: Fault(httpx.Response(500))
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    with pytest.raises(UnreachableError):
        disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=1)
    stored = rig.ledger.statement(answer.statement.digest)
    assert stored is not None
    assert stored.state is SendState.HELD
    # The queue does not send it without its tiles.
    assert rig.ledger.sendable(rig.engagement.id, 9) == ()
    rig.wire.fault = lambda _request: None
    disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=1)


def test_a_finding_of_somebody_else_is_no_answer(rig: Rig) -> None:
    answer = answered(rig, 1)
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    people = rig.simulator.people
    rig.simulator.people = replace(people, operator=Simulator(b"x").people.operator)
    rig.simulator.careless = True
    with pytest.raises(UnreachableError, match="operator"):
        disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=1)


def test_a_finding_by_the_operators_next_key_is_an_answer(rig: Rig) -> None:
    answer = answered(rig, 1)
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    people, new = rig.simulator.people, SeedSigner(b"\x07" * 32)
    rotation = KeyRotate.make(claimed_at=rig.clock.true_ms, old=people.operator.public_key, new=new)
    # A rotation by anybody else leads nowhere.
    other = SeedSigner(b"\x08" * 32)
    stray = KeyRotate.make(claimed_at=rig.clock.true_ms, old=other.public_key, new=new)
    rig.simulator.careless = True
    rig.simulator.admit([sign(stray, other)])
    rig.simulator.people = replace(people, operator=new)
    with pytest.raises(UnreachableError, match="operator"):
        disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=1)
    rig.simulator.admit([sign(rotation, people.operator)])
    disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=1)


def test_a_refused_disclosure_is_told(rig: Rig) -> None:
    answer = answered(rig, 1)
    rig.wire.refuse = lambda _statement: True
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    with pytest.raises(RefusedError):
        disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=1)


def test_a_log_that_forked_since_is_found_by_a_disclosure(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer proves no consistency of its own: that is asked for, and must hold."""
    answer = answered(rig, 1)
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    rig.simulator.submit([answer.request.statement], None)
    rig.simulator.others(1)
    monkeypatch.setattr(rig.client, "proof", lambda *_: (bytes(32),))
    with pytest.raises(LogContradictionError, match="does not continue"):
        disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=4711)
    (incident,) = rig.ledger.incidents(rig.engagement.id)
    assert incident.at_ms == 4711
    assert rig.ledger.statement(answer.statement.digest).state is not SendState.RECEIPTED  # type: ignore[union-attr]


def test_an_answer_that_the_log_did_not_sign_is_no_evidence(rig: Rig) -> None:
    answer = answered(rig, 1)
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    rig.simulator.submit([answer.request.statement], None)
    other = Simulator(b"another log")
    rig.simulator.log_signer, true = other.log_signer, rig.simulator.log_signer
    with pytest.raises(UnreachableError, match="not from the agreed log"):
        disclose.send(answer, rig.ledger, rig.client, rig.engagement, now_ms=4711)
    rig.simulator.log_signer = true
    assert rig.ledger.incidents(rig.engagement.id) == ()


def test_a_request_is_kept_until_it_is_answered(rig: Rig) -> None:
    statement = asked(rig, 0)
    kept = disclose.receive(statement.encode(), rig.ledger, rig.engagement)
    assert disclose.receive(statement.encode(), rig.ledger, rig.engagement) == kept
    assert disclose.received(rig.ledger, rig.engagement) == (kept,)
    assert disclose.answered(rig.ledger, rig.engagement) == frozenset()
    # It is not ours to send by the queue.
    assert rig.ledger.sendable(rig.engagement.id, 10) == ()
    answer = answered(rig, 0)
    package = answer.package()
    findings, address = disclose.deliver(
        answer, package, rig.ledger, rig.vault, rig.client, rig.engagement, now_ms=1
    )
    assert [found.outcome for found in findings] == [Outcome.HOLDS]
    assert rig.wire.sealed[address.rpartition("/")[2]] == package
    assert disclose.answered(rig.ledger, rig.engagement) == {statement.digest}


def test_a_request_that_is_not_for_this_agent_is_not_kept(rig: Rig) -> None:
    forged = asked(rig, 0, signed_by=rig.simulator.people.client)
    with pytest.raises(RequestError):
        disclose.receive(forged.encode(), rig.ledger, rig.engagement)
    assert disclose.received(rig.ledger, rig.engagement) == ()


def test_requests_are_fetched_once_and_others_left_alone(rig: Rig) -> None:
    first, second = asked(rig, 0), asked(rig, 1)
    rig.simulator.submit([first, second])
    assert disclose.fetch_requests(rig.client, rig.ledger, rig.engagement) == 2
    assert disclose.fetch_requests(rig.client, rig.ledger, rig.engagement) == 0
    kept = {one.statement.digest for one in disclose.received(rig.ledger, rig.engagement)}
    assert kept == {first.digest, second.digest}


def test_filings_that_are_met_among_requests_hold_frames(rig: Rig) -> None:
    row = rows(rig)[1]
    begin = row.round * rig.engagement.terms.round_ms
    filing = builders.make_filing(engagement=rig.engagement.id, begin=begin, end=begin + 1)
    rig.simulator.admit([sign(filing, rig.simulator.people.client)])
    for _ in range(2):
        assert disclose.fetch_requests(rig.client, rig.ledger, rig.engagement) == 0
        assert kept_frames(rig.ledger, rig.engagement, 1 << 50).disputed == (row,)


def test_an_arbitrator_whose_key_was_replaced_is_answered(rig: Rig) -> None:
    """By the key that the terms name, then by the one that it led to, and by nobody's else."""
    old = rig.simulator.people.arbitrator
    new, third = SeedSigner(b"\x12" * 32), SeedSigner(b"\x13" * 32)
    by_new, by_third = asked(rig, 0, signed_by=new), asked(rig, 1, signed_by=third)
    with pytest.raises(UnknownArbitratorError):
        disclose.receive(by_new.encode(), rig.ledger, rig.engagement)
    # Whoever is no arbitrator leads to nobody.
    client = rig.simulator.people.client
    rig.simulator.careless = True
    rig.simulator.admit([rotation(client, third), rotation(old, new), by_new, by_third])
    assert disclose.fetch_requests(rig.client, rig.ledger, rig.engagement) == 1
    assert disclose.fetch_requests(rig.client, rig.ledger, rig.engagement) == 0
    (kept,) = disclose.received(rig.ledger, rig.engagement)
    assert kept.statement.digest == by_new.digest
    assert len(rig.ledger.of_kind(rig.engagement.id, Kind.KEY_ROTATE)) == 1
    # What was asked by the old key before stays readable.
    disclose.receive(asked(rig, 1).encode(), rig.ledger, rig.engagement)
    with pytest.raises(UnknownArbitratorError):
        disclose.receive(by_third.encode(), rig.ledger, rig.engagement)


def rotation(old: SeedSigner, new: SeedSigner) -> Statement:
    return sign(KeyRotate.make(claimed_at=4711, old=old.public_key, new=new), old)


def test_what_was_shown_before_stays_known(rig: Rig) -> None:
    row = rows(rig)[0]
    before = disclose.shown_before(rig.vault, rig.ledger, rig.engagement.id, row.commitment)
    assert before == frozenset()
    union: set[int] = set()
    for box in (Box(0, 0, 64, 64), Box(32, 32, 64, 64)):
        answer = answered(rig, 0, show=box)
        disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
        union |= set(answer.opened[0].disclosure.shown)
        known = disclose.shown_before(rig.vault, rig.ledger, rig.engagement.id, row.commitment)
        assert known == union
    other = rows(rig)[1].commitment
    assert not disclose.shown_before(rig.vault, rig.ledger, rig.engagement.id, other)


def delivered_sealed_only(rig: Rig, answer: Answer) -> str:
    return disclose.deliver_sealed_only(
        answer, answer.package(), rig.ledger, rig.vault, rig.client, rig.engagement, now_ms=1
    )


def state_of(rig: Rig, answer: Answer) -> SendState:
    stored = rig.ledger.statement(answer.statement.digest)
    assert stored is not None
    return stored.state


def require_no_tile_sent(rig: Rig, answer: Answer) -> None:
    """Neither a way for tiles, nor a byte of one: as pixels, as they are packed, or as seeds."""
    assert "/v1/disclosures" not in [path for _, path, _ in rig.wire.requests]
    for one in answer.opened:
        packed = one.disclosure.encode()
        colour = rig.vault.frames[one.frame.commitment].pixels[:1]
        for _, _, body in rig.wire.requests:
            assert colour * 600 not in body
            assert all(packed[at : at + 16] not in body for at in range(0, len(packed) - 16, 8))


def test_sealed_only_no_byte_of_a_shown_tile_reaches_the_verifier(rig: Rig) -> None:
    answer = answered(rig, 1, 3)
    address = delivered_sealed_only(rig, answer)
    require_no_tile_sent(rig, answer)
    assert answer.statement.digest in rig.simulator.places
    assert disclose.answered(rig.ledger, rig.engagement) == {answer.request.statement.digest}
    sealed = rig.wire.sealed[address.rpartition("/")[2]]
    items = open_package(CASE, answer.request.statement.digest, sealed)
    assert [Disclosure.parse(item) for item in items[1:]] == [
        one.disclosure for one in answer.opened
    ]


@pytest.mark.parametrize("lost", ["/v1/statements", "/v1/sealed/"])
def test_sealed_only_a_lost_answer_is_made_good_by_the_same_bytes(rig: Rig, lost: str) -> None:
    rig.simulator.submit([asked(rig, 1)])
    answer = answered(rig, 1)
    rig.wire.fault = lambda one: (
        Fault(None) if one.method != "GET" and one.url.path.startswith(lost) else None
    )
    with pytest.raises(UnreachableError):
        delivered_sealed_only(rig, answer)
    rig.wire.fault = lambda _request: None
    # What is kept says everything, and is found by what it shows.
    (one,) = answer.opened
    assert disclose.read_disclosure(rig.vault, one.disclosure.digest) == one.disclosure
    again = disclose.kept_answer(rig.ledger, answer.request, answer.opened)
    assert again == answer
    delivered_sealed_only(rig, again)
    require_no_tile_sent(rig, answer)
    assert state_of(rig, answer) is SendState.RECEIPTED
    assert len(rig.wire.sealed) == 1
    assert len(rig.ledger.of_kind(rig.engagement.id, answer.statement.kind)) == 1


def test_sealed_only_it_is_durable_before_it_is_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.simulator.submit([asked(rig, 1)])
    answer, kept = answered(rig, 1), []
    true = rig.client.submit

    def submit(bodies: list[bytes], old: int) -> bytes:
        kept.append(state_of(rig, answer))
        return true(bodies, old)

    monkeypatch.setattr(type(rig.client), "submit", lambda _client, *rest: submit(*rest))
    delivered_sealed_only(rig, answer)
    assert kept == [SendState.UNSENT]


def test_what_was_kept_sealed_only_goes_with_the_queue_and_without_its_tiles(rig: Rig) -> None:
    rig.simulator.submit([asked(rig, 1)])
    answer = answered(rig, 1)
    # First it was to go with its tiles, which nothing but its own command sends.
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id)
    assert state_of(rig, answer) is SendState.HELD
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id, sealed_only=True)
    assert rig.uplink.drain(10)
    assert state_of(rig, answer) is SendState.RECEIPTED
    require_no_tile_sent(rig, answer)


def test_an_answer_that_shows_something_else_is_not_the_kept_one(rig: Rig) -> None:
    answer = answered(rig, 1)
    disclose.keep(answer, rig.ledger, rig.vault, rig.engagement.id, sealed_only=True)
    other = answered(rig, 1, show=Box(0, 0, 32, 32))
    assert disclose.kept_answer(rig.ledger, other.request, other.opened) is None
    kept = frozenset({answer.statement.digest})
    assert disclose.kept_answer(rig.ledger, answer.request, answer.opened, but=kept) is None
