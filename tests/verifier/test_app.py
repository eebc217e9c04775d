from pathlib import Path

import httpx
import pytest

from support.office import LiveServer, Office, new_home


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_serves_no_page_of_the_framework(office: Office, path: str) -> None:
    """They load scripts from elsewhere."""
    with LiveServer(office) as live:
        assert httpx.get(f"{live.url}{path}", trust_env=False).status_code == 404


def test_opens_the_log_when_it_starts_and_lets_it_go_when_it_ends(tmp_path: Path) -> None:
    office = Office(new_home(tmp_path))
    assert office.verifier.publisher.current is None
    with LiveServer(office) as live:
        answer = httpx.get(f"{live.url}/v1/log/checkpoint", trust_env=False)
        assert answer.status_code == 200
    # Its lock is free: somebody else may serve the home.
    Office(office.verifier.settings, clock=office.clock).open().close()
