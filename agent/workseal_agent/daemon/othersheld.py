"""Saying each week which frames are still held of the engagements that are not being recorded.

Rules: whoever records one engagement looks after the others that are kept by the same verifier; it
knows already that this machine is on. Another verifier is asked by the owner's own command alone.
Frames whose days are over, or that are withdrawn, are nobody's to ask for: where there are no
others, nobody is asked for anything. Troubles of one engagement hold up no other one.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from workseal_agent.clock import Clock
from workseal_agent.daemon.control import told
from workseal_agent.daemon.holding import Holding, StoppedError, rest_until
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, SendState, short_name
from workseal_agent.possession import MissingFramesError, NotYetError
from workseal_agent.possessionweeks import said_of
from workseal_agent.retention import kept_frames

# After the recorded engagement's own, and then by the hour: a week is long.
_FIRST_SECONDS = 90.0
_LOOK_SECONDS = 3_600.0
# Of one engagement in one look: weeks that were offline are made up for by and by.
_WEEKS = 4


class Sender(Protocol):
    """What sends the statements of one engagement."""

    def drain(self, steps: int) -> bool:
        """Send what is unsent; True when nothing is left."""
        ...


# Makes what says the weeks of an engagement, and what sends them.
Parts = Callable[[Engagement], tuple[Holding, Sender]]
_SEND_STEPS = 64


def wants_proof(ledger: Ledger, engagement: Engagement, now_ms: int) -> bool:
    """Tell whether a week is to be said or sent, of frames that the terms still ask for."""
    if ledger.is_restored(engagement.id):
        return False
    said = said_of(ledger, engagement, now_ms)
    if said.due is None and said.state is not SendState.UNSENT:
        return False
    kept = kept_frames(ledger, engagement, now_ms)
    return bool(kept.early or kept.disputed)


def prove(holding: Holding, sender: Sender, rest: Callable[[], None] = lambda: None) -> int:
    """Say the weeks that are due and send them; returns how many were made.

    Raises what `say` does. What is made and could not be sent stays, and is sent the next time.
    """
    # What waits to be sent is what the statement could not speak of.
    sender.drain(_SEND_STEPS)
    made = 0
    while made < _WEEKS and holding.say(rest):
        made += 1
        if not sender.drain(_SEND_STEPS):
            break
    return made


class OthersHeld:
    """Look after the other engagements of the same verifier, in a thread of its own."""

    def __init__(self, recorded: Engagement, ledger: Ledger, clock: Clock, parts: Parts) -> None:
        self._recorded = recorded
        self._ledger = ledger
        self._clock = clock
        self._parts = parts
        self.trouble: str | None = None
        # Whether drawn frames are missing that their owner can still bring back.
        self.missing = False

    def run(self, stop: threading.Event) -> None:
        """Look again and again until `stop` is set."""
        wait = _FIRST_SECONDS
        while not stop.wait(wait):
            try:
                self.step(rest_until(stop))
            except StoppedError:
                return
            except Exception as error:  # noqa: BLE001 - it is tried again, and recording goes on
                self.trouble = phrase(
                    "the weekly proof of other engagements waits: {reason}", reason=told(error)
                )
            wait = _LOOK_SECONDS

    def step(self, rest: Callable[[], None] = lambda: None) -> None:
        """Look once at each of them; what fails is told by its engagement's name."""
        trouble, missing = None, False
        for engagement in self._ledger.engagements():
            if not self._is_ours(engagement):
                continue
            try:
                if wants_proof(self._ledger, engagement, self._clock.wall_ms()):
                    prove(*self._parts(engagement), rest)
            except StoppedError:
                raise
            except NotYetError:
                continue
            except Exception as error:  # noqa: BLE001 - the next engagement has its turn
                missing |= isinstance(error, MissingFramesError)
                name = short_name(engagement.id)
                trouble = phrase("engagement {name}: {reason}", name=name, reason=told(error))
        self.trouble, self.missing = trouble, missing

    def _is_ours(self, engagement: Engagement) -> bool:
        return engagement.id != self._recorded.id and engagement.url == self._recorded.url
