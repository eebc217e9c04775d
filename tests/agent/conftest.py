"""What every test of the agent leaves tidy, and what tests of the pages share.

No ledger and no connection stays open. One passphrase with one salt is stretched once.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from support.chromed import chromed
from support.paged import PagedHome, Visitor
from support.stretched import stretch_once
from workseal_agent.connection import VerifierClient
from workseal_agent.ledger import Ledger
from workseal_agent.pages import PagesServer


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test opened, so that nothing is left to the collector."""
    stretch_once(monkeypatch)
    opened: list[Any] = []

    def remembering(real: Callable[..., None]) -> Callable[..., None]:
        def remember(one: Any, *arguments: Any, **named: Any) -> None:
            real(one, *arguments, **named)
            opened.append(one)

        return remember

    for kind in (Ledger, VerifierClient):
        monkeypatch.setattr(kind, "__init__", remembering(kind.__init__))
    yield
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def server(home: PagedHome) -> Iterator[PagesServer]:
    """Serve the pages of the module's home."""
    with home.served() as server:
        yield server


@pytest.fixture(scope="module")
def visitor(server: PagesServer) -> Iterator[Visitor]:
    """Give a browser's requests, let in."""
    visitor = Visitor(server).enter()
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with chromed() as browser:
        yield browser
