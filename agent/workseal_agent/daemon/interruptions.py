"""What a recording process does when the machine is about to sleep or end, or its screen is locked.

Rule: nothing here stops time for good. A sleep that was announced is left out by the clocks, as any
other; a lock pauses, if the settings say so, and ends with the lock.
"""

from collections.abc import Callable
from contextlib import suppress

from workseal_agent.daemon.eyes import Eyes
from workseal_agent.errors import AgentError
from workseal_agent.logind import Happening
from workseal_agent.recorder import Recorder


class Interruptions:
    """Meet each happening; `wake` ends the wait of the recorder's loop."""

    def __init__(
        self, recorder: Recorder, eyes: Eyes | None, wake: Callable[[], None], *, counts: bool
    ) -> None:
        self._recorder = recorder
        self._eyes = eyes
        self._wake = wake
        self._counts = counts

    def meet(self, happening: Happening) -> None:
        """Do what the happening asks for; while nothing is recorded, that is nothing."""
        if self._eyes is not None and happening is not Happening.ENDING:
            # Before the recorder is asked: it may be about to take a picture.
            self._eyes.hidden = happening is Happening.LOCKED
        with suppress(AgentError):
            if happening is Happening.ENDING:
                self._recorder.settle()
            elif happening is Happening.LOCKED:
                self._recorder.lock(counts=self._counts)
            else:
                self._recorder.unlock()
        self._wake()
