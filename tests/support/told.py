"""A pytest plugin: the world of `support.world`, told once for all modules that ask for it."""

from collections.abc import Iterator

import pytest

from support.world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Tell the story; the server's log must hold no traceback at the end."""
    world = World(tmp_path_factory.mktemp("bad-input"))
    try:
        world.tell()
        yield world
    finally:
        world.server.kill()
    assert "Traceback" not in world.server.log()
