"""The verifier's value of each round: asked for when the round begins, verified, or left out.

Rules: a value that does not belong to the operator's commitment is never given out. The recorder
never waits for the network: it asks, and looks whether the value has come.
"""

import threading
from collections.abc import Callable

from workseal_agent.connection import BeaconChain, RefusedError, UnreachableError, VerifierClient
from workseal_agent.language import phrase, told_of
from workseal_protocol.errors import VerificationError
from workseal_protocol.lottery import ChainSide, round_start, verify_value

# How often a round's value is asked for; after that the round is drawn offline anyway.
_ATTEMPTS = 12
_BETWEEN_SECONDS = 0.1


class BeaconClient:
    """Fetch the newest round's value in a thread of its own."""

    def __init__(
        self, client: VerifierClient, period_ms: int, on_value: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client
        self._period_ms = period_ms
        self._on_value = on_value
        self._wanted = threading.Event()
        self._round: int | None = None
        self._known: tuple[int, bytes] | None = None
        self._chain: BeaconChain | None = None
        self.trouble: str | None = None

    def want(self, round_: int) -> None:
        """Ask for a round's value; an older wish is forgotten."""
        self._round = round_
        self._wanted.set()

    def value(self, round_: int) -> bytes | None:
        """Return the value of a round when it is here."""
        known = self._known
        return known[1] if known is not None and known[0] == round_ else None

    @property
    def proven_ms(self) -> int | None:
        """Return an instant that has passed, whatever this machine's clock shows.

        It is the beginning of the newest round whose value came: nobody has it earlier.
        """
        known = self._known
        return None if known is None else round_start(known[0], self._period_ms)

    def run(self, stop: threading.Event) -> None:
        """Serve wishes until `stop` is set; call `want` or `release` to wake it."""
        while not stop.is_set():
            self._wanted.wait()
            self._wanted.clear()
            for _ in range(_ATTEMPTS):
                if stop.is_set() or self._wanted.is_set() or self.fetch():
                    break
                stop.wait(_BETWEEN_SECONDS)

    def release(self) -> None:
        """Wake the thread so that it sees its stop event."""
        self._wanted.set()

    def fetch(self) -> bool:
        """Try once to get the wanted value; True when there is nothing more to try."""
        round_ = self._round
        if round_ is None or self.value(round_) is not None:
            return True
        try:
            chain = self._chain_of(round_)
            value = self._client.beacon_value(self._period_ms, round_)
            self._verify(chain, round_, value)
        except (UnreachableError, RefusedError) as error:
            self.trouble = told_of(error)
            return False
        except VerificationError as error:
            self.trouble = phrase(
                "the verifier's value of a round is refused: {error}", error=told_of(error)
            )
            self._chain = None
            return True
        except Exception as error:  # noqa: BLE001 - a thread that ends is every later round offline
            self.trouble = phrase(
                "the value of a round cannot be fetched ({name})", name=type(error).__name__
            )
            self._chain = None
            return False
        self.trouble = None
        self._known = (round_, value)
        self._on_value()
        return True

    def _chain_of(self, round_: int) -> BeaconChain:
        chain = self._chain
        if chain is None or not 0 <= round_ - chain.first_round < chain.count:
            self._chain = chain = self._client.beacon(self._period_ms)
            self._known = None
        return chain

    def _verify(self, chain: BeaconChain, round_: int, value: bytes) -> None:
        known = self._known
        verify_value(
            ChainSide.VERIFIER,
            head=chain.head,
            first_round=chain.first_round,
            count=chain.count,
            round=round_,
            value=value,
            # A value behind the known one would be proved by hashing the known one back.
            known=known if known is not None and known[0] < round_ else None,
        )
