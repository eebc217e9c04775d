"""Cosignatures of outside witnesses, collected before a checkpoint is published.

Rules: all witnesses are asked at once, each by a thread of its own, for the newest checkpoint that
waits for it: a slow one holds up nobody. A checkpoint may be published when every policy of the log
is satisfied. What a witness shows counts only as far as this log's own key has signed it.
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.note import NoteLine, VerifierKey
from workseal_protocol.policy import TlogPolicy
from workseal_verifier.errors import Reason, RefusedError, StoreCorruptError
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.health import WITNESSING, Health
from workseal_verifier.services.outside import (
    LOUD,
    Lines,
    Outside,
    Peer,
    Prove,
    Round,
    Sighting,
    Standing,
)


class Witnessing:
    """Ask the witnesses of one log."""

    def __init__(  # noqa: PLR0913 - whom it asks, by what rules, and whom it tells
        self,
        log: VerifierKey,
        outside: Sequence[Outside],
        *,
        policies: Callable[[], Sequence[TlogPolicy]],
        size: Callable[[], int],
        clock: Clock,
        health: Health,
        timeout_s: float,
    ) -> None:
        self._log = log
        self._policies = policies
        self._timeout_s = timeout_s
        self._health = health
        self._peers = [Peer(one, log, size, clock, self._report) for one in outside]

    def cosign(self, signed: SignedCheckpoint, prove: Prove) -> SignedCheckpoint:
        """Return the checkpoint with outside lines, once every policy of the log is satisfied.

        Refuses with `BUSY` when that is not reached in time: then nothing may be published.
        """
        policies = self._policies()
        round_ = self._ask_all(signed, prove, lambda lines: _satisfied(policies, signed, lines))
        if not round_.wait(self._timeout_s):
            raise RefusedError(
                Reason.BUSY,
                "too few witnesses have cosigned the log; send the same again",
                retry_after=5,
            )
        return round_.result()

    def refresh(self, signed: SignedCheckpoint, prove: Prove) -> SignedCheckpoint:
        """Ask every witness again for an unchanged log; return it with the fresh lines.

        A checkpoint that is published keeps its bytes, which anchors name: this shows who is there,
        and brings those up to date that were slow.
        """
        everybody = {key for peer in self._peers for key in peer.outside.keys.values()}
        round_ = self._ask_all(signed, prove, lambda lines: lines.keys() >= everybody)
        round_.wait(self._timeout_s)
        return round_.result()

    def largest_seen(self) -> Sighting | None:
        """Return the largest checkpoint of this log that a witness shows; None if none does."""
        return max(self.sightings(), key=lambda one: one.size, default=None)

    def sightings(self) -> list[Sighting]:
        """Ask every witness at once what it has cosigned; who does not answer is left out.

        Only what this log's own key has signed counts: no witness can stop a start by a lie.
        """
        found: list[Sighting] = []
        threads = [
            threading.Thread(target=lambda peer=peer: found.extend(peer.sighting()), daemon=True)
            for peer in self._peers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self._timeout_s + 1)
        return list(found)

    def standings(self) -> list[tuple[str, Standing, int]]:
        """List each witness, how it is with it, and up to which size it has cosigned."""
        return [(peer.outside.name, peer.standing, peer.size) for peer in self._peers]

    def close(self) -> None:
        """End the threads; one that waits for an answer ends with it."""
        for peer in self._peers:
            peer.end()

    def _report(self) -> None:
        if any(peer.standing in LOUD for peer in self._peers):
            self._health.stuck(WITNESSING)
        else:
            self._health.freed(WITNESSING)

    def _ask_all(
        self, signed: SignedCheckpoint, prove: Prove, enough: Callable[[Lines], bool]
    ) -> Round:
        line = signed.line_of(self._log)
        if line is None:
            raise ValueError("the checkpoint has no line of the log's key")
        # Our own cosigners' lines are nothing to a witness.
        bare = SignedCheckpoint(signed.checkpoint, (line,))
        round_ = Round(signed, bare, prove, enough, waiting=len(self._peers))
        for peer in self._peers:
            peer.ask(round_)
        return round_


def require_not_behind(
    sightings: Sequence[Sighting], size: int, root_of: Callable[[int], bytes]
) -> None:
    """Refuse to go on with a log that a witness has seen larger, or otherwise.

    `root_of` gives the root over the first leaves of this log, which has `size` of them.
    """
    for one in sightings:
        if one.size > size:
            raise StoreCorruptError(
                f"the witness {one.name} has cosigned size {one.size} of this log, which now ends"
                f" at {size}: a backup was restored; signing again would make a second history"
            )
        if root_of(one.size) != one.root:
            raise StoreCorruptError(
                f"the witness {one.name} has cosigned another tree of size {one.size} of this log"
            )


def _satisfied(
    policies: Sequence[TlogPolicy], signed: SignedCheckpoint, lines: Mapping[VerifierKey, NoteLine]
) -> bool:
    return all(
        policy.is_satisfied_by(
            {
                name
                for name, key in policy.witnesses.items()
                # Our own lines were made here; outside ones are in `lines` when they verified.
                if key in lines or signed.line_of(key) is not None
            }
        )
        for policy in policies
    )
