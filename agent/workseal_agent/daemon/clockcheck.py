"""Asking the verifier for the time again, after a start at which it could not be reached.

Rule: it is asked before anything is sent. What comes back from the log is of now; a session whose
clock is an hour behind must not tell of its rounds as if they came after that.
"""

from workseal_agent.connection import RefusedError, UnreachableError, VerifierClient
from workseal_agent.recorder import Recorder, RecorderState


class ClockCheck:
    """Ask once, and put the session forward when its clock is behind."""

    def __init__(self, client: VerifierClient, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._asked = False

    def step(self) -> None:
        """Ask, unless that was done; a verifier that is not reached is asked the next time."""
        if self._asked or self._recorder.state is RecorderState.STOPPED:
            return
        try:
            now_ms = self._client.operator().time_ms
        except UnreachableError:
            return
        except RefusedError:
            self._asked = True
            return
        self._recorder.put_forward(now_ms)
        self._asked = True
