"""The loops of a recording process: rounds, sending, beacon values, and requests from outside.

Rules: recording never waits for the network. Whatever stops a loop for a while is kept as one
sentence, shown by `status`, and tried again.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workseal_agent.config import SettingsFile
from workseal_agent.daemon.clockcheck import ClockCheck
from workseal_agent.daemon.control import ControlError, ControlServer, told
from workseal_agent.daemon.cramped import Cramped
from workseal_agent.daemon.forgetting import Forgetting
from workseal_agent.daemon.holding import Holding
from workseal_agent.daemon.othersheld import OthersHeld
from workseal_agent.daemon.telling import Telling
from workseal_agent.language import phrase
from workseal_agent.ledger import LedgerError, short_name
from workseal_agent.logind import Logind
from workseal_agent.recorder import Recorder, RecorderState
from workseal_agent.uplink import BeaconClient, Uplink
from workseal_protocol.records import SegmentState

if TYPE_CHECKING:
    from workseal_agent.daemon.watch import Watch
    from workseal_agent.sealkey import SealKey

# After stopping, what is left is sent for this long; the rest waits for the next start.
_DRAIN_SECONDS = 8.0
_DRAIN_STEPS = 1_000
_IDLE_SECONDS = 30.0
_AGAIN_SECONDS = 0.5
_UNKNOWN = "the recording process does not know this request"

MODES = {
    "working": SegmentState.WORKING,
    "off-screen": SegmentState.OFF_SCREEN,
    "sealed": SegmentState.SEALED,
}

# Does one act of the user on the chain (withdraw, declare) with what was asked.
Act = Callable[[dict[str, Any]], dict[str, Any]]


class Correction(Protocol):
    """Say what to add to the wall clock, or raise an `AgentError` where its owner has to say."""

    def __call__(self, *, own_clock: bool = False) -> int:
        """Ask the verifier; with `own_clock` its owner said that the clock is right."""


@dataclass(frozen=True, slots=True)
class Wakers:
    """Hold the events that end a loop's wait."""

    recorder: threading.Event
    uplink: threading.Event
    stop: threading.Event

    @classmethod
    def make(cls) -> "Wakers":
        """Make them, none set."""
        return cls(threading.Event(), threading.Event(), threading.Event())


class Service:
    """Run one engagement's recording until it is stopped."""

    def __init__(  # noqa: PLR0913 - the loops it runs
        self,
        *,
        engagement: bytes,
        socket_file: Path,
        recorder: Recorder,
        uplink: Uplink,
        beacon: BeaconClient,
        wakers: Wakers,
        acts: dict[str, Act],
        clock_check: ClockCheck | None = None,
        cramped: Cramped | None = None,
        watch: "Watch | None" = None,
        logind: Logind | None = None,
        forgetting: Forgetting | None = None,
        holding: Holding | None = None,
        others_held: OthersHeld | None = None,
        seal_key: "SealKey | None" = None,
        telling: Telling | None = None,
        settings_file: SettingsFile | None = None,
        describe: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self._engagement = engagement
        self._recorder = recorder
        self._uplink = uplink
        self._beacon = beacon
        self._wakers = wakers
        self._acts = acts
        self._clock_check = clock_check
        self._cramped = cramped
        self._watch = watch
        self._logind = logind
        self._forgetting = forgetting
        self._holding = holding
        self._others_held = others_held
        self._seal_key = seal_key
        self._telling = telling
        self._settings_file = settings_file
        self._describe = describe
        self._trouble: str | None = None
        # Tells the clock's correction, while the first `resume` is waited for.
        self._waiting: Correction | None = None
        self._beginning = threading.Lock()
        # Whether `stop` was asked for, and its end could not be stored yet.
        self._ending = False
        # Set when recording has begun: before, the verifier is asked for nothing.
        self._begun = threading.Event()
        self._control = ControlServer(socket_file, self.handle)

    def run(self, correction_ms: int = 0) -> None:
        """Record until `stop` is asked for or `request_stop` is called."""
        self._begun.set()
        self._run(lambda: self._recorder.start(correction_ms))

    def run_paused(self, correct: Correction) -> None:
        """Sign nothing before `resume` is asked for, then record; `correct` is asked at that time.

        So nobody learns when a machine was turned on whose owner did not work.
        """
        self._waiting = correct
        self._run(lambda: None)

    def _run(self, begin: Callable[[], None]) -> None:
        beacon = threading.Thread(
            target=self._beacon.run, args=(self._wakers.stop,), name="beacon", daemon=True
        )
        uplink = threading.Thread(target=self._send, name="uplink", daemon=True)
        beacon.start()
        if self._watch is not None:
            self._watch.start()
        begin()
        if self._logind is not None:
            self._logind.start()
        if self._seal_key is not None:
            self._seal_key.start()
        self._control.start()
        uplink.start()
        looking = [
            self._begin_thread(name, run)
            for name, run in (
                ("forgetting", self._forget),
                ("holding", self._hold),
                ("others", self._hold_others),
            )
        ]
        self._tell()
        try:
            self._record()
        finally:
            self._wakers.stop.set()
            self._wakers.uplink.set()
            self._begun.set()
            self._beacon.release()
            if self._seal_key is not None:
                self._seal_key.stop()
            if self._logind is not None:
                self._logind.stop()
            for thread in looking:
                thread.join(_DRAIN_SECONDS)
            uplink.join(_DRAIN_SECONDS)
            if self._watch is not None:
                self._watch.stop()
            self._control.close()

    def request_stop(self) -> None:
        """Ask the loops to end, from any thread; a signal handler must not wait for its locks."""
        self._wakers.stop.set()
        self._wakers.recorder.set()

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what one request asks for, if it means the engagement that is recorded here."""
        self._require_meant(request)
        return {**self._done(request), "engagement": self._engagement.hex()}

    def _require_meant(self, request: dict[str, Any]) -> None:
        """Refuse what is meant for another engagement: its statement would stand in this chain."""
        match request:
            case {"engagement": str(named)}:
                if named != self._engagement.hex():
                    here = short_name(self._engagement)
                    raise ControlError(
                        phrase(
                            "engagement {here} is being recorded, and not the one that is meant:"
                            " stop it first (`workseal-agent --engagement {here} stop`)",
                            here=here,
                        )
                    )
            case {"command": "status" | "engagement"}:
                pass
            case _:
                raise ControlError("the request does not say which engagement it means")

    def _done(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"command": "engagement"}:
                # Waits for nothing: it is asked before every act, whose moment is when it comes.
                return {}
            case {"command": "status"}:
                return self.status()
            case {"command": "pause"}:
                if self._waiting is None:
                    self._recorder.pause()
            case {"command": "resume"}:
                self._resume(own_clock=request.get("own_clock") is True)
            case {"command": "mode" | "seal"}:
                self._change_mode(request)
            case {"command": "stop"}:
                with self._beginning:
                    self._end()
            case {"command": str(name)} if name in self._acts:
                return self._recorder.between(lambda: self._acts[name](request))
            case _:
                raise ControlError(_UNKNOWN)
        self._wakers.recorder.set()
        return self.status()

    def _change_mode(self, request: dict[str, Any]) -> None:
        if self._waiting is not None:
            raise ControlError("recording has not begun: `workseal-agent resume` begins it")
        match request:
            case {"command": "seal"}:
                self._recorder.toggle_sealed()
            case {"mode": str(mode), **more} if mode in MODES:
                memo = more.get("memo")
                self._recorder.set_mode(MODES[mode], memo if isinstance(memo, str) else None)
            case _:
                raise ControlError(_UNKNOWN)

    def _resume(self, *, own_clock: bool) -> None:
        with self._beginning:
            if self._waiting is None:
                self._recorder.resume()
                self._ending = False
                return
            self._recorder.start(self._waiting(own_clock=own_clock))
            self._waiting = None
            self._begun.set()

    def _end(self) -> None:
        """End the session and the process, or raise `ControlError`: then as soon as that can be."""
        try:
            self._recorder.stop()
        except LedgerError as error:
            self._ending = True
            raise ControlError(
                phrase(
                    "nothing is counted any more, and the recording ends as soon as its end can be"
                    " stored: {reason}",
                    reason=told(error),
                )
            ) from error
        self.request_stop()

    def status(self) -> dict[str, Any]:
        """Describe what goes on; holds no content."""
        troubles = (
            self._trouble,
            self._settings_file.trouble if self._settings_file is not None else None,
            self._recorder.trouble,
            self._cramped.trouble if self._cramped is not None else None,
            self._uplink.trouble,
            self._beacon.trouble,
            self._watch.trouble if self._watch is not None else None,
            self._forgetting.trouble if self._forgetting is not None else None,
            self._holding.trouble if self._holding is not None else None,
            self._others_held.trouble if self._others_held is not None else None,
            self._seal_key.trouble if self._seal_key is not None else None,
            self._logind.trouble if self._logind is not None else None,
        )
        session = self._recorder.session
        return {
            "engagement": self._engagement.hex(),
            "state": str(self._recorder.state if self._waiting is None else RecorderState.PAUSED),
            "session": session.hex() if session else None,
            "running": [[one.begin_ms, one.worked_ms] for one in self._recorder.running()],
            "troubles": [trouble for trouble in troubles if trouble],
            "withdrawing": self._forgetting is not None and self._forgetting.trouble is None,
            "halted": self._uplink.halted,
            **self._describe(),
        }

    def _forget(self) -> None:
        if self._forgetting is not None:
            self._forgetting.run(self._wakers.stop)

    def _hold(self) -> None:
        self._begun.wait()
        if self._holding is not None:
            self._holding.run(self._wakers.stop)

    def _hold_others(self) -> None:
        self._begun.wait()
        if self._others_held is not None:
            self._others_held.run(self._wakers.stop)

    def _begin_thread(self, name: str, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _tell(self) -> None:
        if self._telling is not None:
            # Not waited for at the end: it writes nothing, and a desktop may hang.
            threading.Thread(
                target=self._telling.run,
                args=(self._wakers.stop, lambda: self._trouble or self._recorder.trouble),
                name="telling",
                daemon=True,
            ).start()

    def _record(self) -> None:
        try:
            while not self._wakers.stop.is_set():
                try:
                    wait = self._look()
                    self._trouble = None
                except Exception as error:  # noqa: BLE001 - time goes on, whatever failed
                    self._trouble = told(error)
                    wait = 1.0
                self._wakers.recorder.wait(wait)
                self._wakers.recorder.clear()
        finally:
            self._stop_recorder()

    def _look(self) -> float:
        """Do what is due; returns the seconds until the next look."""
        with self._beginning:
            # Unless it was resumed meanwhile.
            if self._ending:
                self._end()
        return self._recorder.tick()

    def _stop_recorder(self) -> None:
        """End the session; what cannot be stored is tried again until there is no more time."""
        last = time.monotonic() + _DRAIN_SECONDS
        while True:
            try:
                return self._recorder.stop()
            except LedgerError:
                if time.monotonic() >= last:
                    raise
                time.sleep(_AGAIN_SECONDS)

    def _send(self) -> None:
        wakers = self._wakers
        while not wakers.stop.is_set():
            try:
                if self._cramped is not None:
                    self._cramped.step()
                if self._clock_check is not None:
                    self._clock_check.step()
                wait = self._uplink.step()
            except Exception as error:  # noqa: BLE001 - what is unsent is sent later
                self._uplink.trouble = told(error)
                wait = 5.0
            if wait is None:
                wakers.uplink.wait(_IDLE_SECONDS)
                wakers.uplink.clear()
            elif wait:
                # New statements do not shorten the wait after a failure.
                wakers.stop.wait(wait)
        try:
            self._uplink.drain(_DRAIN_STEPS)
        except Exception as error:  # noqa: BLE001 - the next start sends what is left
            self._uplink.trouble = told(error)
