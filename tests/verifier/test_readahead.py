"""Engagements folded before the log is held: made once, taken once, forgotten with the rest."""

import threading
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from support.office import LiveServer, Office, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS, seeded
from workseal_protocol.keys import SeedSigner
from workseal_protocol.records import SessionOpen, sign
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services import admission, readahead
from workseal_verifier.services.chainreading import read_chain
from workseal_verifier.services.readahead import ReadAhead

STATE: Any = SimpleNamespace()


def test_a_state_is_taken_once() -> None:
    states = ReadAhead()
    states.keep(b"a", 7, lambda: STATE)
    assert states.has(b"a")
    assert states.take(b"a") == (STATE, 7)
    assert not states.has(b"a")
    assert states.take(b"a") is None


def test_what_does_not_exist_is_not_kept() -> None:
    states = ReadAhead()
    states.keep(b"a", 7, lambda: None)
    assert states.take(b"a") is None


def test_what_waits_for_the_same_one_makes_no_second() -> None:
    states, made, go = ReadAhead(), [], threading.Event()

    def slowly() -> Any:
        made.append(1)
        go.wait(20)
        return STATE

    threads = [threading.Thread(target=states.keep, args=(b"a", 1, slowly)) for _ in range(4)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    states = ReadAhead()

    def forgotten() -> Any:
        states.clear()
        return STATE

    states.keep(b"a", 1, forgotten)
    assert states.take(b"a") is None


def test_there_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readahead, "_MOST", 2)
    states = ReadAhead()
    for name in (b"a", b"b", b"c"):
        states.keep(name, 1, lambda: STATE)
    assert [states.has(name) for name in (b"a", b"b", b"c")] == [False, True, True]


# --- with a log ---


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note in which thread each engagement is read."""
    threads: list[str] = []

    def noted(*given: Any, **named: Any) -> Any:
        threads.append(threading.current_thread().name)
        return read_chain(*given, **named)

    monkeypatch.setattr(admission, "read_chain", noted)
    return threads


def restarted(office: Office) -> Office:
    office.verifier.close()
    again = Office(office.verifier.settings, clock=office.clock).open()
    again.now = office.now
    return again


def test_after_a_restart_a_chain_is_read_where_nobody_waits_for_it(
    office: Office, agent: ScriptedAgent, folding: list[str]
) -> None:
    agent.open_session()
    agent.work(3 * ROUND_MS)
    agent.send()
    again = restarted(office)
    agent.work(2 * ROUND_MS)
    folding.clear()
    first, rest = agent.pending[:1], agent.pending[1:]
    candidates = again.verifier.services.intake.read(first[0].encode())
    sequencer = again.verifier.sequencer
    assert not sequencer.is_prepared(candidates)
    sequencer.prepare(candidates)
    assert sequencer.is_prepared(candidates)
    again.post(first)
    again.post(rest)
    assert folding == [threading.current_thread().name]
    assert again.check() == []
    again.close()


def test_what_was_logged_after_the_reading_counts(office: Office, agent: ScriptedAgent) -> None:
    agent.open_session()
    agent.work(2 * ROUND_MS)
    agent.send()
    again = restarted(office)
    agent.work(3 * ROUND_MS)
    first, rest = agent.pending[:1], agent.pending[1:]
    sequencer, held = again.verifier.sequencer, again.verifier.sequencer._admission
    candidates = again.verifier.services.intake.read(first[0].encode())
    sequencer.prepare(candidates)
    state, size = held._prepared.take(agent.engagement) or (None, 0)
    assert state is not None
    again.post(first)
    # As if another process had logged it meanwhile.
    held._states.clear()
    held._prepared.keep(agent.engagement, size, lambda: state)
    again.post(rest)
    assert again.check() == []
    again.close()


@pytest.mark.parametrize("path", ["/v1/statements", "/entries"])
def test_a_request_has_its_chain_read_first(
    office: Office, agent: ScriptedAgent, folding: list[str], path: str
) -> None:
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    again = restarted(office)
    agent.work(ROUND_MS)
    with LiveServer(again) as live:
        for statement in agent.pending:
            folding.clear()
            media = "application/cose" if path == "/entries" else "application/cbor-seq"
            answer = httpx.post(
                f"{live.url}{path}",
                content=statement.encode(),
                headers={"content-type": media},
                trust_env=False,
            )
            assert answer.status_code in {200, 201}, answer.text
            assert "sequencer" not in folding
    assert again.check() == []
    again.close()


def test_a_stranger_has_no_chain_read(
    office: Office, agent: ScriptedAgent, folding: list[str]
) -> None:
    agent.open_session()
    agent.send()
    office.post([stranger_offer(office, 1)])
    other = SeedSigner(seeded(office.seed, "other client", 1))
    again = restarted(office)
    folding.clear()
    record = next(one for _, one in agent.made if isinstance(one, SessionOpen))
    statement = sign(record, other)
    candidates = again.verifier.services.intake.read(statement.encode())
    assert candidates[0].signed
    again.verifier.sequencer.prepare(candidates)
    with pytest.raises(RefusedError) as caught:
        again.post([statement])
    assert caught.value.reason is Reason.UNKNOWN_PARTY
    assert folding == []
    again.close()
