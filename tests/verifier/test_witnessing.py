from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.office import FakeClock
from support.twofaced import Leaves, TwoFacedLog
from support.witnessed import Stand, stands
from workseal_protocol.checkpoint import (
    SignedCheckpoint,
    add_cosignature,
    cosign,
    verified_cosignatures,
)
from workseal_protocol.keys import SeedSigner
from workseal_protocol.merkle import consistency_path, root_of
from workseal_protocol.note import NoteType, VerifierKey
from workseal_protocol.policy import TlogPolicy, verify_checkpoint
from workseal_protocol.witness import AddCheckpoint
from workseal_verifier.errors import Reason, RefusedError, StoreCorruptError
from workseal_verifier.services.health import WITNESSING, Health
from workseal_verifier.services.outside import Sighting, Standing
from workseal_verifier.services.witnessing import Witnessing, require_not_behind

LOG = TwoFacedLog()
CLOCK = SeedSigner(b"\x0c" * 32)
CLOCK_KEY = VerifierKey("log.example/clock", CLOCK.public_key, NoteType.COSIGNATURE)
NAMES = ["client", "freelancer", "arbitrator"]


class Scene:
    """Three witnesses, the log's own clock, and what the log does with them."""

    def __init__(self, made: list[Stand], clock: FakeClock, *lines: str, timeout_s: float) -> None:
        self.reach = 0
        self.stands = made
        self.clock = clock
        self.health = Health()
        self.policies = [self.policy(*lines)]
        self.witnessing = Witnessing(
            LOG.key,
            [stand.outside for stand in made],
            policies=lambda: self.policies,
            size=lambda: self.reach,
            clock=clock,
            health=self.health,
            timeout_s=timeout_s,
        )

    def policy(self, *lines: str) -> TlogPolicy:
        keys = {"clock": CLOCK_KEY, **{one.name: one.keys[0] for one in self.stands}}
        text = TlogPolicy((LOG.key,), keys).encode().removesuffix("quorum none\n")
        return TlogPolicy.read(text + "".join(f"{line}\n" for line in lines))

    def signed(self, leaves: Leaves) -> SignedCheckpoint:
        self.reach = max(self.reach, len(leaves))
        signed = LOG.signed(leaves)
        at = self.clock.ms // 1000
        return add_cosignature(signed, cosign(signed.checkpoint, CLOCK_KEY.name, CLOCK, at))

    def cosign(self, leaves: Leaves) -> SignedCheckpoint:
        return self.witnessing.cosign(
            self.signed(leaves), lambda old: consistency_path(leaves, old)
        )

    def refresh(self, leaves: Leaves) -> SignedCheckpoint:
        return self.witnessing.refresh(
            self.signed(leaves), lambda old: consistency_path(leaves, old)
        )

    def names(self, signed: SignedCheckpoint) -> set[str]:
        keys = {one.keys[0]: one.name for one in self.stands}
        return {keys[one.key] for one in verified_cosignatures(signed, keys)}


TWO_OF_THREE = (
    "group outside 2 client freelancer arbitrator",
    "group all 2 clock outside",
    "quorum all",
)


@contextmanager
def scene(
    folder: Path, *lines: str, timeout_s: float = 20, clock: FakeClock | None = None
) -> Iterator[Scene]:
    clock = clock or FakeClock(1_795_000_000_000)
    with stands(folder, NAMES, LOG.key, lambda: clock.ms // 1000) as made:
        one = Scene(made, clock, *(lines or TWO_OF_THREE), timeout_s=timeout_s)
        try:
            yield one
        finally:
            for stand in made:
                stand.open.set()
            one.witnessing.close()


def test_what_is_returned_satisfies_the_policy(tmp_path: Path) -> None:
    with scene(tmp_path) as it:
        for size in (1, 2, 7, 7, 300):
            signed = it.cosign(LOG.history(size))
            verified = verify_checkpoint(signed, it.policies[0])
            assert verified.checkpoint.size == size
            assert len(it.names(signed)) >= 2


def test_a_witness_is_shown_the_log_s_line_alone(tmp_path: Path) -> None:
    with scene(tmp_path) as it:
        it.cosign(LOG.history(3))
        bodies = [body for stand in it.stands for _, body in stand.asked if body is not None]
        assert bodies
        for body in bodies:
            assert [line.name for line in AddCheckpoint.parse(body).signed.lines] == [LOG.key.name]


def test_a_slow_witness_holds_up_nobody(tmp_path: Path) -> None:
    with scene(tmp_path) as it:
        it.stands[0].open.clear()
        for size in (3, 5, 9):
            assert it.names(it.cosign(LOG.history(size))) == {"freelancer", "arbitrator"}
        # It was asked once, and is still expected to answer that.
        assert len(it.stands[0].asked) == 1
        it.stands[0].open.set()
        assert it.names(it.refresh(LOG.history(9))) == set(NAMES)


def test_without_the_quorum_nothing_is_returned_and_it_is_known_at_once(tmp_path: Path) -> None:
    with scene(tmp_path, timeout_s=3600) as it:
        it.stands[0].down()
        it.stands[1].down()
        with pytest.raises(RefusedError) as refused:
            it.cosign(LOG.history(3))
        assert (refused.value.reason, refused.value.retry_after) == (Reason.BUSY, 5)
        it.stands[0].instead = None
        assert it.names(it.cosign(LOG.history(3))) == {"client", "arbitrator"}


def test_it_is_not_waited_for_longer_than_the_settings_say(tmp_path: Path) -> None:
    with scene(tmp_path, timeout_s=0.2) as it:
        for stand in it.stands[:2]:
            stand.open.clear()
        with pytest.raises(RefusedError):
            it.cosign(LOG.history(3))


def test_an_earlier_policy_must_be_satisfied_too(tmp_path: Path) -> None:
    """Engagements under it get their receipts as long as they live."""
    with scene(tmp_path, "group outside 1 freelancer arbitrator", "quorum outside") as it:
        it.policies.append(it.policy("quorum client"))
        assert "client" in it.names(it.cosign(LOG.history(3)))
        it.stands[0].down()
        with pytest.raises(RefusedError):
            it.cosign(LOG.history(4))


def test_a_quorum_of_the_log_s_own_clock_waits_for_nobody(tmp_path: Path) -> None:
    with scene(tmp_path, "quorum clock", timeout_s=3600) as it:
        for stand in it.stands:
            stand.open.clear()
        assert it.names(it.cosign(LOG.history(3))) == set()


def test_an_unchanged_log_gets_fresh_times(tmp_path: Path) -> None:
    with scene(tmp_path) as it:
        leaves = LOG.history(5)
        it.cosign(leaves)
        it.clock.ms += 3_600_000
        again = it.refresh(leaves)
        keys = [stand.keys[0] for stand in it.stands]
        times = {one.timestamp for one in verified_cosignatures(again, keys)}
        assert times == {it.clock.ms // 1000}


def test_a_stopped_witness_is_told_at_once(tmp_path: Path) -> None:
    with scene(tmp_path) as it:
        it.refresh(LOG.history(5))
        assert it.health.failing() == ()
        it.stands[0].really("", LOG.request(5, (*LOG.history(5), *LOG.history(9, 5)[5:])))
        signed = it.refresh(LOG.history(12))
        assert it.names(signed) == {"freelancer", "arbitrator"}
        assert it.health.failing() == (WITNESSING,)
        standings = {name: (standing, size) for name, standing, size in it.witnessing.standings()}
        assert standings["client"] == (Standing.STOPPED, 9)
        assert standings["freelancer"] == (Standing.COSIGNS, 12)
        # The others go on, and it stays told.
        it.cosign(LOG.history(13))
        assert it.health.failing() == (WITNESSING,)


def test_tells_the_largest_tree_that_a_witness_has_seen(tmp_path: Path) -> None:
    with scene(tmp_path) as it:
        assert it.witnessing.largest_seen() is None
        for stand, size in zip(it.stands, (3, 7, 5), strict=True):
            stand.really("", LOG.request(0, LOG.history(size)))
        it.stands[2].down()
        largest = it.witnessing.largest_seen()
        assert largest == Sighting("freelancer", 7, root_of(LOG.history(7)))
        assert len(it.witnessing.sightings()) == 2


def test_refuses_a_log_behind_its_witnesses_or_beside_them() -> None:
    leaves = LOG.history(9)
    seen = [Sighting("client", 5, root_of(leaves[:5])), Sighting("f", 9, root_of(leaves))]
    require_not_behind(seen, 9, lambda size: root_of(leaves[:size]))
    require_not_behind([], 0, lambda size: root_of(leaves[:size]))
    with pytest.raises(StoreCorruptError, match=r"f has cosigned size 9 .* ends at 8"):
        require_not_behind(seen, 8, lambda size: root_of(leaves[:size]))
    other = LOG.history(12, 4)
    with pytest.raises(StoreCorruptError, match="client has cosigned another tree of size 5"):
        require_not_behind(seen, 12, lambda size: root_of(other[:size]))
