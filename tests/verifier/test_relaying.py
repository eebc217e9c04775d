import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest

from support.drand import GENESIS_S, PERIOD_S, OneMan, ServedDrand
from support.office import FakeClock, LiveServer, Office, cbor_map
from support.refusing import refused
from workseal_verifier.drand import DrandClient
from workseal_verifier.errors import Reason
from workseal_verifier.services.health import DRAND, Health
from workseal_verifier.services.relaying import (
    MAX_KEPT,
    PUBLISHED_MS,
    STALE_MS,
    DrandRelay,
    DrandValue,
    Source,
)

MAN = OneMan()
ROUND = 1_000
# Round 1,000 has been published.
NOW = (GENESIS_S + (ROUND - 1) * PERIOD_S) * 1_000 + PUBLISHED_MS


class Rig:
    """A relay over sources that count how often they are asked; None is a good one."""

    def __init__(self, *sources: Source | None) -> None:
        self.clock = FakeClock(NOW)
        self.health = Health()
        self.asked: list[int | None] = []
        self.sources = list(sources)
        self.relay = DrandRelay(
            MAN.network,
            [self._counted(place) for place in range(len(sources))],
            clock=self.clock,
            health=self.health,
        )

    def _counted(self, place: int) -> Source:
        def ask(number: int | None) -> tuple[int, bytes]:
            self.asked.append(number)
            return (self.sources[place] or self.good)(number)

        return ask

    def good(self, number: int | None) -> tuple[int, bytes]:
        found = MAN.network.at(self.clock.ms - PUBLISHED_MS) if number is None else number
        return found, MAN.sign(found)

    def later(self, seconds: float = 1.0) -> None:
        self.clock.ms += int(seconds * 1_000)


@pytest.fixture
def rig() -> Rig:
    return Rig(None)


def test_gives_the_newest_and_any_earlier_round(rig: Rig) -> None:
    assert rig.relay.latest() == DrandValue(ROUND, MAN.sign(ROUND))
    rig.later()
    assert rig.relay.value(3) == DrandValue(3, MAN.sign(3))


def test_what_is_kept_is_not_asked_for_again(rig: Rig) -> None:
    for _ in range(3):
        assert rig.relay.latest() == rig.relay.value(ROUND)
    assert rig.asked == [None]


def test_a_round_that_has_not_begun_is_too_early(rig: Rig) -> None:
    found = refused(lambda: rig.relay.value(ROUND + 1))
    assert (found.reason, found.retry_after) == (Reason.TOO_EARLY, PERIOD_S)
    rig.clock.ms += PERIOD_S * 1_000 - 1
    assert refused(lambda: rig.relay.value(ROUND + 1)).retry_after == 1
    rig.clock.ms += 1
    assert rig.relay.value(ROUND + 1).round == ROUND + 1
    assert rig.asked == [ROUND + 1]


def test_there_is_no_round_before_the_first(rig: Rig) -> None:
    """To a relay 0 would mean the newest."""
    assert refused(lambda: rig.relay.value(0)).reason is Reason.NOT_FOUND
    assert rig.asked == []


def test_relays_are_asked_once_a_second(rig: Rig) -> None:
    rig.relay.value(1)
    rig.later(0.999)
    found = refused(lambda: rig.relay.value(2))
    assert (found.reason, found.retry_after) == (Reason.BUSY, 1)
    rig.later(0.001)
    rig.relay.value(2)
    rig.clock.ms -= 60_000
    rig.relay.value(4)
    assert rig.asked == [1, 2, 4]


def test_one_question_at_a_time() -> None:
    asked, end = threading.Event(), threading.Event()

    def slow(_: int | None) -> tuple[int, bytes]:
        asked.set()
        assert end.wait(20)
        return ROUND, MAN.sign(ROUND)

    rig = Rig(slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(rig.relay.latest)
        assert asked.wait(20)
        rig.later()
        assert refused(lambda: rig.relay.value(2)).detail == "drand is being asked"
        end.set()
        assert first.result(20).round == ROUND
    assert rig.asked == [None]


def down(_: int | None) -> tuple[int, bytes]:
    raise OSError("it did not answer in 5 s")


BAD: dict[str, tuple[Source, str]] = {
    "down": (down, "it did not answer"),
    "forged": (lambda _: (ROUND, OneMan(b"other").sign(ROUND)), "does not verify"),
    "another round's": (lambda _: (ROUND, MAN.sign(ROUND - 1)), "does not verify"),
    "old": (lambda _: (ROUND - 12, MAN.sign(ROUND - 12)), "long over"),
    "before the first": (lambda _: (0, MAN.sign(0)), "another round"),
    "negative": (lambda _: (-1, MAN.sign(1)), "another round"),
    "endless": (lambda _: (1 << 64, MAN.sign(1)), "another round"),
}


@pytest.mark.parametrize("how", BAD)
def test_the_next_relay_steps_in(how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    source, text = BAD[how]
    rig = Rig(source, None)
    assert rig.relay.latest().round == ROUND
    assert "no drand value by relay 1: " in caplog.text
    assert text in caplog.text
    assert rig.health.failing() == ()


def test_a_relay_that_gives_another_round_than_was_asked_for_is_refused() -> None:
    rig = Rig(lambda _: (7, MAN.sign(7)))
    assert refused(lambda: rig.relay.value(8)).reason is Reason.BUSY
    assert refused(lambda: rig.relay.value(7)).reason is Reason.BUSY


@pytest.mark.parametrize("how", BAD)
def test_what_does_not_verify_is_refused_and_told(how: str) -> None:
    rig = Rig(BAD[how][0])
    for _ in range(3):
        found = refused(rig.relay.latest)
        assert (found.reason, found.retry_after) == (Reason.BUSY, PERIOD_S)
        rig.later()
    assert rig.health.failing() == (DRAND,)
    assert not rig.health.down()
    rig.sources = [None]
    rig.relay.latest()
    assert rig.health.failing() == ()


def test_the_newest_is_served_for_half_a_minute_without_a_relay() -> None:
    rig = Rig(None)
    rig.relay.latest()
    rig.sources = [down]
    rig.clock.ms = MAN.network.start_ms(ROUND + 1) + STALE_MS
    assert rig.relay.latest().round == ROUND
    rig.later(0.001)
    assert refused(rig.relay.latest).reason is Reason.BUSY
    # Asked for by name it stays.
    assert rig.relay.value(ROUND).round == ROUND


def test_a_relay_that_lags_takes_nothing_back() -> None:
    numbers = iter([ROUND, ROUND - 1])

    def lagging(_: int | None) -> tuple[int, bytes]:
        number = next(numbers)
        return number, MAN.sign(number)

    rig = Rig(lagging)
    assert rig.relay.latest().round == ROUND
    rig.later(PERIOD_S)
    assert rig.relay.latest().round == ROUND
    assert rig.asked == [None, None]


def test_a_clock_that_goes_back_takes_nothing_back(rig: Rig) -> None:
    newest = rig.relay.latest()
    rig.clock.ms -= 3_600_000
    assert rig.relay.latest() == rig.relay.value(ROUND) == newest
    assert refused(lambda: rig.relay.value(ROUND + 1)).reason is Reason.TOO_EARLY


def test_memory_is_bounded() -> None:
    signature = MAN.sign(1)
    rig = Rig(lambda number: (number or 0, signature))
    rig.relay.network = replace(MAN.network, holds=lambda _number, _signature: True)
    rig.clock.ms += MAX_KEPT * 10_000
    for number in range(1, MAX_KEPT + 2):
        rig.later()
        rig.relay.value(number)
    asked = len(rig.asked)
    rig.relay.value(2)
    assert len(rig.asked) == asked
    rig.later()
    rig.relay.value(1)
    assert len(rig.asked) == asked + 1


# --- over HTTP --------------------------------------------------------------------------------


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    """Give a server that asks a real relay over HTTP, by the office's clock."""
    office.now = NOW

    def reply(path: str) -> tuple[int, bytes]:
        name = path.rpartition("/")[2]
        return 200, MAN.answer(ROUND if name == "latest" else int(name))

    with ExitStack() as stack:
        served = stack.enter_context(ServedDrand(reply))
        relay = DrandRelay(
            MAN.network,
            [DrandClient(served.url, MAN.chain).ask],
            clock=office.clock,
            health=office.verifier.health,
        )
        office.verifier.services = replace(office.verifier.services, drand=relay)
        live = stack.enter_context(LiveServer(office))
        yield stack.enter_context(httpx.Client(base_url=live.url, trust_env=False, timeout=30))


def test_a_round_may_be_kept_for_ever_and_the_newest_may_not(client: httpx.Client) -> None:
    newest = client.get("/v1/beacon/drand/latest")
    named = client.get(f"/v1/beacon/drand/{ROUND}")
    value = {1: MAN.chain, 2: ROUND, 3: MAN.sign(ROUND)}
    assert cbor_map(newest.content) == cbor_map(named.content) == value
    assert newest.headers["cache-control"] == "no-cache"
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    early = client.get(f"/v1/beacon/drand/{ROUND + 1}")
    assert (early.status_code, early.headers["retry-after"]) == (425, str(PERIOD_S))
    assert early.headers["cache-control"] == "no-store"
    assert client.get("/v1/beacon/drand/first").status_code == 400


def test_a_server_without_drand_says_so(office: Office) -> None:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as client,
    ):
        for path in ("latest", "7"):
            answer = client.get(f"/v1/beacon/drand/{path}")
            assert answer.status_code == 404
            assert answer.json()["detail"] == "this server relays no drand network"
