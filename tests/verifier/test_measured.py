from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import httpx
import pytest
from prometheus_client import generate_latest

from workseal_verifier.errors import ConfigError
from workseal_verifier.measured import MetricsServer, register_beside
from workseal_verifier.services.meters import Meters
from workseal_verifier.services.outside import Standing
from workseal_verifier.serving import bind

if TYPE_CHECKING:
    from workseal_verifier.services.witnessing import Witnessing
    from workseal_verifier.signaturechecks import SignatureChecks
    from workseal_verifier.store.outbox import Outbox


def test_is_answered_on_a_port_of_this_machine() -> None:
    meters = Meters()
    meters.gauge("good", "Can be read.", lambda: 7)
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        # A worker takes the next port that is free.
        server = MetricsServer(meters, port)
        assert server.port > port
    try:
        text = httpx.get(f"http://127.0.0.1:{server.port}/metrics", trust_env=False).text
    finally:
        server.close()
    assert "workseal_good 7.0" in text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{server.port}/metrics", trust_env=False)


def test_without_a_free_port_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workseal_verifier.measured._MOST_WORKERS", 1)
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"metrics_port {port} and the ports above"):
            MetricsServer(Meters(), port)


def test_a_witness_is_as_far_behind_as_the_log_has_gone_and_never_ahead() -> None:
    """Without their quorum less is published: who does not answer is behind what waits."""
    meters = Meters()
    standings = [("slow", Standing.SILENT, 5), ("quick", Standing.COSIGNS, 12)]
    register_beside(
        meters,
        committed=lambda: 11,
        witnessing=cast("Witnessing", SimpleNamespace(standings=lambda: standings)),
        outbox=cast("Outbox", SimpleNamespace(counts=lambda: SimpleNamespace(waiting=0, parked=0))),
        checks=cast("SignatureChecks", SimpleNamespace(running=0)),
    )
    text = generate_latest(meters.registry).decode()
    assert 'workseal_witness_behind{witness="slow"} 6.0' in text
    assert 'workseal_witness_behind{witness="quick"} 0.0' in text
