import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.rig import Rig
from support.simulator import Simulator
from support.wire import Fault, problem
from workseal_agent.connection import VerifierClient
from workseal_agent.export import export
from workseal_agent.ledger import SendState
from workseal_agent.uplink import BeaconClient, sender
from workseal_protocol.records import Segment, read_record, sign
from workseal_protocol.statement import Kind, Statement
from workseal_protocol.window import Grade


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path)
    rig.recorder.start()
    rig.work(60, send=False)
    rig.recorder.pause()
    return rig


def unsent(rig: Rig) -> int:
    return rig.ledger.counts(rig.engagement.id).unsent


def trouble(rig: Rig) -> str:
    return rig.uplink.trouble or ""


def submissions(rig: Rig) -> int:
    return sum(path == "/v1/statements" for _, path, _ in rig.wire.requests)


def refuse_connection(_request: httpx.Request) -> Fault | None:
    raise httpx.ConnectError("refused")


def test_sends_in_order_and_keeps_a_receipt_for_each(rig: Rig) -> None:
    count = unsent(rig)
    assert count == 7
    assert rig.uplink.drain(10)
    rows = rig.ledger.statements(rig.engagement.id, SendState.RECEIPTED)
    indices = [row.log_index for row in rows if row.seq is not None]
    assert len(indices) == count
    assert indices == sorted(indices, key=lambda index: index or 0)
    assert rig.uplink.step() is None


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refuse_connection, id="refused connection"),
        pytest.param(lambda _request: Fault(None), id="answer lost"),
        pytest.param(lambda _request: Fault(httpx.Response(500)), id="server error"),
        pytest.param(lambda _request: Fault(httpx.Response(200)), id="empty answer"),
        pytest.param(lambda _request: Fault(httpx.Response(200, content=b"\xd2")), id="garbage"),
        pytest.param(lambda _request: Fault(httpx.Response(404, text="nginx")), id="wrong path"),
        pytest.param(lambda _request: Fault(problem(425, "too-early")), id="too early"),
    ],
)
def test_what_fails_is_sent_again_and_counted_once(
    rig: Rig, fault: Callable[[httpx.Request], Fault | None]
) -> None:
    count = unsent(rig)
    rig.wire.fault = fault
    waits = [rig.uplink.step() for _ in range(12)]
    assert trouble(rig)
    assert unsent(rig) == count
    assert waits[0] == 0.375
    assert [wait or 0 for wait in waits] == sorted(wait or 0 for wait in waits)
    assert waits[-1] == 15.0
    rig.wire.fault = lambda _request: None
    assert rig.uplink.drain(10)
    assert not trouble(rig)
    own = [s for s in rig.simulator.statements.values() if s.kind is Kind.SEGMENT]
    assert len(own) == 6


def test_a_trouble_ends_when_nothing_waits_any_more(rig: Rig) -> None:
    assert rig.uplink.drain(10)
    rig.uplink.trouble = "the ledger cannot be written"  # as the loop around it writes
    assert rig.uplink.step() is None
    assert trouble(rig) == ""


def test_waits_as_long_as_the_verifier_asks(rig: Rig) -> None:
    busy = httpx.Response(503, headers={"retry-after": "42"})
    rig.wire.fault = lambda _request: Fault(busy)
    assert rig.uplink.step() == 42


def test_a_batch_has_bounds(tmp_path: Path) -> None:
    rig = Rig(tmp_path, capture_rate=0)
    rig.recorder.start()
    rig.work(4_000, send=False)
    assert unsent(rig) == 401
    assert rig.uplink.step() == 0
    assert unsent(rig) == 401 - 256
    assert rig.uplink.drain(10)
    assert max(len(body) for _, _, body in rig.wire.requests) <= 1 << 20


def test_a_batch_is_no_larger_than_the_verifier_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, capture_rate=0)
    rig.recorder.start()
    rig.work(100, send=False)
    size = max(len(row.body) for row in rig.ledger.sendable(rig.engagement.id, 100))
    monkeypatch.setattr(sender, "MAX_BATCH_BYTES", 3 * size)
    sent = len(rig.wire.requests)
    assert rig.uplink.drain(100)
    bodies = [len(body) for method, _, body in rig.wire.requests[sent:] if method == "POST"]
    assert len(bodies) > 3
    assert max(bodies) <= 3 * size


def test_an_outage_of_eight_hours_costs_not_one_minute(tmp_path: Path) -> None:
    rig = Rig(tmp_path, round_ms=60_000, capture_rate=1_000)
    rig.recorder.start()
    rig.work(3_600)
    rig.cut(up=False)
    rig.wire.fault = refuse_connection
    rig.online = True  # the sender tries all the time
    rig.work(8 * 3_600)
    assert 480 <= unsent(rig) <= 481
    rig.wire.fault = lambda _request: None
    rig.beacon.up = True
    rig.work(3_600)
    rig.recorder.stop()
    assert rig.uplink.drain(100)
    assert rig.worked_ms == 10 * 3_600_000
    exported = export(rig.ledger, rig.client, rig.engagement, rig.signer, now_ms=rig.clock.true_ms)
    totals = exported.report.totals
    assert totals is not None
    # The rounds around the cut had their values already, and were proved only afterwards.
    assert totals.by_grade[Grade.OFFLINE] == 8 * 3_600_000 - 60_000
    assert totals.by_grade[Grade.LATE] <= 120_000
    assert sum(totals.by_grade.values()) == 10 * 3_600_000


def refuse_round(rig: Rig, place: int) -> Statement:
    """Let the verifier refuse one segment; returns it."""
    rows = [row for row in rig.ledger.chain(rig.engagement.id) if row.kind == "segment"]
    poison = Statement.parse(rows[place].body)
    rig.wire.refuse = lambda statement: statement.digest == poison.digest
    return poison


def test_a_poisonous_statement_is_found_parked_and_shown(rig: Rig) -> None:
    poison = refuse_round(rig, 2)
    rig.uplink.drain(50)
    (parked,) = rig.ledger.statements(rig.engagement.id, SendState.PARKED)
    assert parked.digest == poison.digest
    assert parked.problem == "refused: the rule of this test"
    # What is chained behind it depends on it and waits; it is not lost.
    assert unsent(rig) == 3
    assert rig.ledger.sendable(rig.engagement.id, 10) == ()
    assert rig.ledger.counts(rig.engagement.id).parked == 1


def test_what_is_not_chained_goes_on_behind_a_parked_statement(rig: Rig) -> None:
    refuse_round(rig, 2)
    rig.uplink.drain(50)
    free = sign(read_record(rig.offer), rig.simulator.people.client)
    other = Statement.parse(free.encode())
    assert other.digest == rig.offer.digest
    stored = rig.ledger.statement(rig.offer.digest)
    assert stored is not None
    with rig.ledger.write() as writing:
        writing._sql.execute(
            "UPDATE statements SET state = 'unsent' WHERE digest = ?", (rig.offer.digest.raw,)
        )
    assert [row.digest for row in rig.ledger.sendable(rig.engagement.id, 9)] == [rig.offer.digest]
    rig.uplink.drain(50)
    assert unsent(rig) == 3


def test_a_parked_statement_can_be_tried_again(rig: Rig) -> None:
    refuse_round(rig, 2)
    rig.uplink.drain(50)
    rig.wire.refuse = lambda _statement: False
    with rig.ledger.write() as writing:
        assert writing.unpark(rig.engagement.id) == 1
    assert rig.uplink.drain(50)
    assert unsent(rig) == 0


def test_sending_stops_when_the_log_forks_and_keeps_the_bodies(rig: Rig) -> None:
    count = unsent(rig)
    rig.simulator.leaves[0] = bytes(32)
    rig.simulator.checkpoints = dict(rig.simulator.checkpoints)
    assert rig.uplink.step() is None
    assert rig.uplink.halted
    assert rig.uplink.trouble is not None
    asked = submissions(rig)
    assert rig.uplink.step() is None
    assert not rig.uplink.drain(5)
    assert submissions(rig) == asked
    assert unsent(rig) == count
    assert len(rig.ledger.incidents(rig.engagement.id)) == 1


def test_a_log_of_somebody_else_gets_statements_and_gives_no_receipts(rig: Rig) -> None:
    count = unsent(rig)
    stranger = Simulator(b"somebody else", round_ms=rig.simulator.round_ms, careless=True)
    stranger.now = rig.simulator.now
    stranger.others(1_000)
    rig.wire.simulator = stranger
    old = rig.simulator.checkpoint().checkpoint.size
    stranger.checkpoints[old] = rig.simulator.checkpoint()
    rig.uplink.step()
    assert rig.uplink.trouble is not None
    assert not rig.uplink.halted
    assert unsent(rig) == count


# The beacon


def beacon_of(rig: Rig) -> BeaconClient:
    return BeaconClient(rig.client, rig.simulator.round_ms)


def current_round(rig: Rig) -> int:
    return rig.simulator.now // rig.simulator.round_ms


def test_gives_the_value_of_the_round_that_was_asked_for(rig: Rig) -> None:
    beacon, number = beacon_of(rig), current_round(rig)
    assert beacon.value(number) is None
    for round_ in (number - 2, number - 1, number):
        beacon.want(round_)
        assert beacon.fetch()
        assert beacon.value(round_) == rig.simulator.value(round_)
    assert beacon.value(number - 1) is None


def test_a_value_before_its_time_is_asked_for_again(rig: Rig) -> None:
    beacon, number = beacon_of(rig), current_round(rig) + 1
    beacon.want(number)
    assert not beacon.fetch()
    rig.simulator.now += rig.simulator.round_ms
    assert beacon.fetch()
    assert beacon.value(number) is not None


def test_a_value_that_was_not_committed_to_is_never_given_out(rig: Rig) -> None:
    beacon, number = beacon_of(rig), current_round(rig)
    # The newest values that the simulator has for a round are those it gives out.
    rig.simulator._values[number] = (bytes(32),)
    beacon.want(number)
    assert beacon.fetch()
    assert beacon.value(number) is None
    assert beacon.trouble is not None
    assert "refused" in beacon.trouble


def test_no_value_without_a_network(rig: Rig) -> None:
    beacon, number = beacon_of(rig), current_round(rig)
    rig.wire.fault = refuse_connection
    beacon.want(number)
    assert not beacon.fetch()
    assert beacon.value(number) is None


def test_an_unforeseen_error_costs_one_try_and_not_the_thread(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    beacon, number = beacon_of(rig), current_round(rig)
    beacon.want(number)

    def trips(*_: object) -> None:
        raise ZeroDivisionError("of something secret")

    with monkeypatch.context() as patch:
        patch.setattr(rig.client, "beacon", trips)
        assert not beacon.fetch()
    assert beacon.trouble == "the value of a round cannot be fetched (ZeroDivisionError)"
    assert beacon.fetch()
    assert beacon.value(number) is not None


def test_the_beacons_thread_serves_wishes_and_ends(rig: Rig) -> None:
    came = threading.Event()
    client = VerifierClient("http://localhost", rig.wire)
    beacon = BeaconClient(client, rig.simulator.round_ms, came.set)
    stop = threading.Event()
    thread = threading.Thread(target=beacon.run, args=(stop,))
    thread.start()
    beacon.want(current_round(rig))
    assert came.wait(10)
    stop.set()
    beacon.release()
    thread.join(10)
    assert not thread.is_alive()
    assert beacon.value(current_round(rig)) is not None


def test_segments_name_only_values_that_the_verifier_released(rig: Rig) -> None:
    for record in rig.records():
        if isinstance(record, Segment) and record.verifier_value is not None:
            assert record.verifier_value == rig.simulator.value(record.round)
