"""What a recording process sees and keeps, watched so that `status` can tell when it fails.

Rules: only sentences of this program's own errors are kept, never anything of a picture. A screen
that does not answer costs captures, and holds up nothing else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from workseal_agent.daemon.control import told
from workseal_agent.daemon.patience import Patience
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.mask import Masked, Rule, capture_masked, never_matched
from workseal_agent.recorder import Vault
from workseal_agent.screen import ScreenSource
from workseal_protocol.digest import Digest
from workseal_protocol.frame import FrameHeader

# Longer than a picture of many displays takes on a busy machine; pause and stop wait as long.
_PICTURE_SECONDS = 5.0


class Eyes:
    """Take masked pictures; remember which mask rules ever matched, and why captures fail.

    While `hidden`, the screen is locked and no picture is taken.
    """

    def __init__(
        self,
        source: ScreenSource,
        rules: Sequence[Rule],
        only: Sequence[Rule] = (),
        *,
        seconds: float = _PICTURE_SECONDS,
    ) -> None:
        self.source = source
        self._rules = rules
        self._only = only
        self._patience = Patience(seconds)
        self._matched: frozenset[str] = frozenset()
        self._failing: str | None = None
        self.hidden = False

    def take(self) -> Masked:
        """Take one masked picture of all displays."""
        with self._watched():
            if self.hidden:
                raise CaptureError(CaptureFailure.HIDDEN, "the screen is locked")
            masked = self._in_time()
        self._matched |= masked.rules_matched
        return masked

    def _in_time(self) -> Masked:
        try:
            return self._patience.wait_for(
                lambda: capture_masked(self.source, self.source.windows, self._rules, self._only)
            )
        except TimeoutError as error:
            raise CaptureError(CaptureFailure.NO_DISPLAY, "the screen does not answer") from error

    def keeping(self, vault: Vault) -> Vault:
        """Return a vault that tells here whether a frame could be kept."""
        return _Watched(self, vault)

    def keep(
        self, vault: Vault, header: FrameHeader, commitment: Digest, pixels: bytes, seed: bytes
    ) -> None:
        """Put a frame into the vault; this is what ends a failure."""
        with self._watched():
            vault.put_frame(header, commitment, pixels, seed)
        self._failing = None

    def describe(self) -> dict[str, Any]:
        """Name the screen, the user's own rules that never matched, and why captures fail."""
        return {
            "screen": self.source.name,
            "rules_never_matched": list(never_matched((*self._rules, *self._only), self._matched)),
            "only_windows": [rule.name for rule in self._only],
            "captures_failing": self._failing,
        }

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._failing = told(error)
            raise


class _Watched:
    """Be a vault whose failures are seen."""

    def __init__(self, eyes: Eyes, vault: Vault) -> None:
        self._eyes = eyes
        self._vault = vault

    def put_frame(
        self, header: FrameHeader, commitment: Digest, pixels: bytes, seed: bytes
    ) -> None:
        self._eyes.keep(self._vault, header, commitment, pixels, seed)

    def destroy(self, commitment: Digest) -> bool:
        return self._vault.destroy(commitment)
