"""A pytest plugin: the world of `support.world`, told once for all modules that ask for it.

Rule: no copy of its freelancer records. The verifier would list what the copy recorded, and other
homes of that freelancer lack the checkpoints that it is anchored to: a minute later they export
nothing that holds. A module that records hires somebody, or tells a world of its own.
"""

from collections.abc import Iterator

import pytest

from support.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Tell the story; the server's log must hold no traceback at the end."""
    with World.told(tmp_path_factory.mktemp("bad-input")) as world:
        yield world
