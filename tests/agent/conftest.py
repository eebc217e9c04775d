"""What every test of the agent leaves tidy: no ledger and no connection stays open."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workseal_agent.connection import VerifierClient
from workseal_agent.ledger import Ledger


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test opened, so that nothing is left to the collector."""
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
