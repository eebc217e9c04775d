"""Numbers for whoever watches: what is counted, and that no label tells of a person."""

import re
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client import generate_latest

from support.office import LiveServer, Office, stranger_offer
from support.scripted import ScriptedAgent
from support.simulator import ROUND_MS
from workseal_verifier.services.health import STAMPING
from workseal_verifier.services.meters import Meters

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def read(meters: Meters) -> dict[tuple[str, str], float]:
    text = generate_latest(meters.registry).decode()
    return {(name, labels): float(value) for name, labels, value in SAMPLE.findall(text)}


@pytest.fixture
def client(office: Office) -> Iterator[httpx.Client]:
    with (
        LiveServer(office) as live,
        httpx.Client(base_url=live.url, trust_env=False, timeout=30) as made,
    ):
        yield made


def test_counts_requests_by_operation_and_status(office: Office, client: httpx.Client) -> None:
    for _ in range(2):
        client.get("/v1/log/checkpoint")
    client.head("/v1/log/checkpoint")
    client.get("/v1/statements/x")
    client.get("/nowhere/at/all")
    client.patch("/v1/log/checkpoint")
    found = read(office.verifier.meters)
    name = "workseal_requests_total"
    assert found[name, 'operation="GET /v1/log/checkpoint",status="200"'] == 3
    assert found[name, 'operation="GET /v1/statements/{name}",status="400"'] == 1
    # What is not an operation has one name, whatever was sent.
    assert found[name, 'operation="other",status="404"'] == 1
    assert found[name, 'operation="other",status="405"'] == 1


def test_tells_of_the_log_and_its_loops(office: Office) -> None:
    before = read(office.verifier.meters)
    office.post([stranger_offer(office, 1)])
    for _ in range(3):
        office.verifier.health.failed(STAMPING)
    found = read(office.verifier.meters)
    assert found["workseal_log_size", ""] == before["workseal_log_size", ""] + 1
    count = "workseal_tick_seconds_count"
    assert found[count, ""] == before[count, ""] + 1
    assert found["workseal_submissions_total", ""] >= 2
    assert found["workseal_waiting", ""] == 0
    assert found["workseal_read_only", ""] == 0
    assert found["workseal_space_left_bytes", ""] > 0
    assert found["workseal_file_bytes", 'file="database"'] > 0
    assert found["workseal_loop_age_seconds", 'loop="sequencing"'] >= 0
    assert found["workseal_loop_failing", 'loop="stamping"'] == 1


def test_no_label_tells_of_anybody(office: Office, client: httpx.Client) -> None:
    agent = ScriptedAgent(office)
    agent.open_session()
    agent.work(ROUND_MS)
    agent.send()
    name = agent.engagement.hex()
    client.get(f"/v1/engagements/{name}/statements")
    client.get(f"/v1/statements/{agent.made[0][0].digest}?x={name}")
    text = generate_latest(office.verifier.meters.registry).decode()
    for secret in (name, str(agent.made[0][0].digest), "127.0.0.1"):
        assert secret not in text
    assert not re.search(r"=\"[^\"]*[0-9a-f]{16}", text)


def test_what_cannot_be_read_hides_nothing() -> None:
    meters = Meters()

    def fail() -> float:
        raise RuntimeError("no")

    meters.gauge("bad", "Cannot be read.", fail)
    meters.gauges("many", "Cannot be read.", "one", lambda: {"x": fail()})
    meters.gauge("good", "Can be read.", lambda: 7)
    found = read(meters)
    assert found["workseal_good", ""] == 7
    assert str(found["workseal_bad", ""]) == "nan"
    assert not [key for key in found if key[0] == "workseal_many"]
