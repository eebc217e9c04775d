"""The outside witnesses of one home: asked at the start, for each checkpoint, and now and then.

Rule: a log without witnesses loads no client for HTTP.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workseal_protocol import merkle
from workseal_protocol.policy import TlogPolicy
from workseal_verifier.config import Settings
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.health import Health
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.outside import Outside
from workseal_verifier.services.publication import Published
from workseal_verifier.services.tree import TileTree
from workseal_verifier.services.witnessing import Witnessing, require_not_behind
from workseal_verifier.store.log import LogStore
from workseal_verifier.store.logrows import Head

if TYPE_CHECKING:
    from workseal_verifier.outward import Outward


class Witnesses:
    """Those that the settings name; `policies` tells which policies are in force."""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        log: LogStore,
        *,
        policies: Callable[[], Sequence[TlogPolicy]],
        clock: Clock,
        health: Health,
    ) -> None:
        self._log = log
        self._interval_s = settings.witness_interval_s
        self._outward = _outward(settings)
        self.witnessing = Witnessing(
            identity.log_key,
            [] if self._outward is None else _outside(settings, self._outward),
            policies=policies,
            size=lambda: self._head().size,
            clock=clock,
            health=health,
            timeout_s=settings.witness_timeout_s,
        )

    def require_not_behind(self) -> None:
        """Ask them how far they have seen this log, before anything is signed."""
        sightings = self.witnessing.sightings()
        if sightings:
            head = self._head()
            tree = TileTree(head.size, self._log.tile)
            require_not_behind(sightings, head.size, tree.root)

    def refresh(self, published: Published | None) -> float:
        """Have the newest checkpoint cosigned again; returns after how many seconds to come."""
        if published is not None:
            tree, size = published.tree, published.size
            self.witnessing.refresh(published.signed, lambda old: tree.consistency(old, size))
        return self._interval_s

    def close(self) -> None:
        """Ask nobody any more."""
        self.witnessing.close()
        if self._outward is not None:
            self._outward.close()

    def _head(self) -> Head:
        return self._log.head() or Head(0, merkle.EMPTY_ROOT)


def _outside(settings: Settings, outward: "Outward") -> list[Outside]:
    # One witness may have two keys: it is asked once.
    keys = {
        url: {one.name: one.vkey for one in settings.witness if one.url == url}
        for url in dict.fromkeys(one.url for one in settings.witness)
    }
    return [Outside(found, outward.to(url)) for url, found in keys.items()]


def _outward(settings: Settings) -> "Outward | None":
    if not settings.witness:
        return None
    from workseal_verifier.outward import Outward  # noqa: PLC0415

    return Outward(settings.witness_timeout_s)
