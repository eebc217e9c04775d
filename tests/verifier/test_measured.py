import httpx
import pytest

from workseal_verifier.errors import ConfigError
from workseal_verifier.measured import MetricsServer
from workseal_verifier.services.meters import Meters
from workseal_verifier.serving import bind


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
