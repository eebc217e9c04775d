from pathlib import Path

import httpx
import pytest
from opentelemetry import _logs, metrics, trace

from support.office import LiveServer, Office, new_home


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_serves_no_page_of_the_framework(office: Office, path: str) -> None:
    """They load scripts from elsewhere."""
    with LiveServer(office) as live:
        assert httpx.get(f"{live.url}{path}", trust_env=False).status_code == 404


def test_the_framework_tells_nobody_what_is_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its telemetry would name every address, whoever in the process has set up where it goes."""

    def told(*_: object, **__: object) -> None:
        raise AssertionError("the framework asked where to send what it saw")

    class Everything:
        """Stands for a provider that somebody configured: it records whatever it is given."""

        get_tracer = get_meter = get_logger = told

    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(trace, "get_tracer_provider", Everything)
    monkeypatch.setattr(metrics, "get_meter_provider", Everything)
    monkeypatch.setattr(_logs, "get_logger_provider", Everything)
    with LiveServer(office) as live:
        path = f"/v1/engagements/{bytes(16).hex()}/statements"
        assert httpx.get(f"{live.url}{path}", trust_env=False).status_code == 401


def test_opens_the_log_when_it_starts_and_lets_it_go_when_it_ends(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path))
    assert office.verifier.publisher.current is None
    with LiveServer(office) as live:
        answer = httpx.get(f"{live.url}/v1/log/checkpoint", trust_env=False)
        assert answer.status_code == 200
    # Its lock is free: somebody else may serve the home.
    Office(office.verifier.settings, clock=office.clock).open().close()
