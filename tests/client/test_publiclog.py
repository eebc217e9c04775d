import httpx
import pytest

from support.carried import Mocked
from workseal_client import BeaconChain, PublicLog, UnreachableError
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.encoding import encode

from .conftest import World


def test_a_stranger_reads_the_log(world: World) -> None:
    with PublicLog(world.url, world.transport) as log:
        checkpoint = SignedCheckpoint.parse(log.checkpoint())
        assert checkpoint.checkpoint == world.office.checkpoint().checkpoint
        size = checkpoint.checkpoint.size
        assert log.checkpoint_at(size) == log.checkpoint()
        assert len(log.tile(f"0/000.p/{size}")) == 32 * size
        facts = log.operator()
        assert facts.key == world.office.people.operator.public_key.raw
        assert isinstance(log.beacon(facts.periods[0]), BeaconChain)


@pytest.mark.parametrize(
    "rows",
    [[[1]], [[1, b"x", 2]], [["1", b"x"]], [[99, b"x"]], 7],
    ids=["one part", "three parts", "no number", "not asked for", "no array"],
)
def test_time_stamps_of_another_form_may_be_asked_for_again(rows: object) -> None:
    answer = httpx.Response(200, content=encode(rows))  # type: ignore[arg-type]
    log = PublicLog("http://localhost", Mocked(lambda _request: answer))
    with pytest.raises(UnreachableError, match="not in the right form"):
        log.timestamps(0, 9)
    log.close()


@pytest.mark.parametrize("body", [b"", bytes(31), bytes(33)])
def test_a_beacon_value_has_32_bytes(body: bytes) -> None:
    answer = httpx.Response(200, content=body)
    log = PublicLog("http://localhost", Mocked(lambda _request: answer))
    with pytest.raises(UnreachableError, match="32 bytes"):
        log.beacon_value(10_000, 1)
    log.close()
