"""Which checkpoints this log has signed, as anchors name them; they never change, so cached."""

from collections import OrderedDict

from workseal_protocol.records import Anchor
from workseal_verifier.errors import Reason, RefusedError
from workseal_verifier.store.log import LogStore

_CACHED = 4_096


class AnchorBook:
    """Look up anchors."""

    def __init__(self, log: LogStore) -> None:
        self._log = log
        self._known: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    def signed_at_ms(self, anchor: Anchor) -> int:
        """Return when the anchored checkpoint was cosigned; refuse one that is not this log's."""
        found = self._find(anchor.size)
        if found is None or found[0] != anchor.digest.raw:
            raise RefusedError(Reason.REFUSED, "the anchor is no checkpoint of this log")
        return found[1] * 1000

    def _find(self, size: int) -> tuple[bytes, int] | None:
        found = self._known.get(size)
        if found is None:
            found = self._log.anchor(size)
            if found is not None:
                self._known[size] = found
                if len(self._known) > _CACHED:
                    self._known.popitem(last=False)
        return found
