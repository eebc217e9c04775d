"""A clock that goes back: nothing is signed, reading goes on, and everybody is told."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.office import LiveServer, Office, stranger_offer
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.services.clock import SystemClock

BACK_MS = 60_000


@pytest.fixture
def live(office: Office) -> Iterator[httpx.Client]:
    office.post([stranger_offer(office, "before")])
    with (
        LiveServer(office) as served,
        httpx.Client(base_url=served.url, trust_env=False, timeout=30) as client,
    ):
        yield client


def require_told(answer: httpx.Response, seconds: int) -> None:
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:workseal:problem:clock"
    assert f"clock is {seconds} s behind" in answer.json()["detail"]
    assert answer.headers["retry-after"] == str(seconds)
    assert answer.headers["cache-control"] == "no-store"


def test_tells_unix_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    assert before <= SystemClock().now_ms() <= time.time_ns() // 1_000_000


def test_a_submission_is_refused_before_anything_is_stored(
    office: Office, live: httpx.Client
) -> None:
    size = office.checkpoint().checkpoint.size
    offer = stranger_offer(office, "during")
    office.now -= BACK_MS
    require_told(live.post("/v1/statements", content=offer.encode()), 60)
    head = office.verifier.log.head()
    assert head is not None
    assert head.size == size
    office.now += BACK_MS
    assert office.post([offer]).indices == (size,)


def test_health_tells_at_once_and_reading_goes_on(office: Office, live: httpx.Client) -> None:
    office.now -= BACK_MS
    require_told(live.get("/healthz"), 60)
    assert live.get("/v1/log/checkpoint").status_code == 200
    office.now += BACK_MS - 2_000
    assert live.get("/healthz").text == "ok"


def test_the_servers_log_has_a_line_when_it_goes_back_and_one_when_it_has_caught_up(
    office: Office, live: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert live.get("/healthz").text == "ok"
    office.now -= BACK_MS
    for _ in range(3):
        office.verifier._look_around()
        office.now += 1_000
    office.now += BACK_MS
    office.verifier._look_around()
    lines = [one.getMessage() for one in caplog.records if "clock" in one.getMessage()]
    assert lines == [
        "the server's clock is 60 s behind the newest checkpoint, so nothing is signed",
        "the clock has caught up: the log is signed again",
    ]


def test_a_long_wait_is_asked_for_an_hour_at_a_time(office: Office, live: httpx.Client) -> None:
    office.now -= 30 * 86_400_000
    answer = live.get("/healthz")
    assert answer.headers["retry-after"] == "3600"


def test_a_step_back_between_check_and_signature_signs_nothing(
    office: Office, live: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tick is committed by then: its statement is signed for as soon as the clock is right."""
    before = office.checkpoint()
    size = before.checkpoint.size
    signed_at = office.verifier.log.last_signed_at()
    offer = stranger_offer(office, "during")
    publisher = office.verifier.publisher
    publish = publisher.publish

    def stepping(*arguments: Any) -> Any:
        office.now -= BACK_MS
        return publish(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(publisher, "publish", stepping)
        require_told(live.post("/v1/statements", content=offer.encode()), 60)
    head = office.verifier.log.head()
    assert head is not None
    assert head.size == size + 1
    assert office.checkpoint() == before
    require_told(live.get("/healthz"), 60)
    require_told(live.post("/v1/statements", content=offer.encode()), 60)
    office.now += BACK_MS
    assert office.post([offer]).indices == (size,)
    assert office.checkpoint().checkpoint.size == size + 1
    newest = office.verifier.log.last_signed_at()
    assert newest is not None
    assert signed_at is not None
    assert newest >= signed_at
    assert office.check() == []


def test_the_beacon_commits_to_nothing_meanwhile(office: Office) -> None:
    """A day ahead of a wrong clock is no day ahead."""
    office.post([stranger_offer(office, "before")])
    before = office.verifier.records.beacons()
    office.now -= 3 * 86_400_000
    assert office.verifier.housekeeping.keep() < BACK_MS / 1000
    assert office.verifier.records.beacons() == before
    with pytest.raises(RefusedError) as refused:
        office.verifier.publisher.check_clock()
    assert refused.value.reason is Reason.CLOCK
