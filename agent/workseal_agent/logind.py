"""What systemd's logind tells of the machine and the session: sleep, shutdown, locking.

Rules: before the machine sleeps or ends, logind waits for whoever asked it to; so the stretch that
runs is durable first. Nothing depends on it: sleep is seen by the clocks whatever D-Bus tells, and
a machine without logind loses nothing. Locked is what the session's `LockedHint` says, and not that
somebody asked for a lock: nobody would tell when that one ends. When logind is lost while the
screen is locked, it counts as unlocked, so that no work goes unseen.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial
from typing import Any

from workseal_agent import bus
from workseal_agent.language import Phrase, phrase

_NAME = "org.freedesktop.login1"
_PATH = "/org/freedesktop/login1"
_MANAGER = f"{_NAME}.Manager"
_SESSION = f"{_NAME}.Session"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_SLEEP_RULES = tuple(
    f"type='signal',sender='{_NAME}',interface='{_MANAGER}',member='{member}'"
    for member in ("PrepareForSleep", "PrepareForShutdown")
)
_AGAIN_SECONDS = 5.0
_ABSENT_SECONDS = 60.0
_STOP_SECONDS = 10.0


class Happening(Enum):
    """Name what is told to whoever records."""

    ENDING = "the machine is about to sleep or to be turned off"
    LOCKED = "the screen is locked"
    UNLOCKED = "the screen is not locked any more"


class Logind:
    """Follow logind in a thread of its own, as often as it comes back.

    `tell` is called in that thread, and returns when what it was told of may go on. `session` is
    the number of the session (XDG_SESSION_ID), None to find the user's own.
    """

    def __init__(
        self, address: str, session: str | None, tell: Callable[[Happening], None]
    ) -> None:
        self._address = address
        self._session = session
        self._tell = tell
        self._locked = False
        self._inhibitor: Any = None
        self._following = False
        self._lost = False
        self._wake: Callable[[], object] = lambda: None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logind", daemon=True)

    @property
    def following(self) -> bool:
        """Say whether logind is being listened to now."""
        return self._following

    @property
    def trouble(self) -> Phrase | None:
        """Say that what was listened to is there no more; who never had it misses nothing."""
        if not self._lost:
            return None
        return phrase("logind went away: until it is back, a locked screen is not noticed")

    def start(self) -> None:
        """Begin to listen; a machine without logind is tried again now and then."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and hold up sleep no longer."""
        self._stopped.set()
        self._wake()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.is_set():
            # Whatever logind or the bus tells, time is recorded: it is tried again.
            with suppress(Exception):
                self._follow()
            again = _AGAIN_SECONDS if self._following else _ABSENT_SECONDS
            self._lost = self._lost or self._following
            self._following = False
            self._release()
            self._lock(locked=False)
            self._stopped.wait(again)

    def _follow(self) -> None:
        with bus.connected(self._address, descriptors=True) as connection:
            self._wake = connection.wake
            heard: deque[bus.Message] = deque()
            owner = bus.Owner(_NAME)
            # Before the session is asked for: of one that comes between there would be no session.
            owner.find(connection)
            connection.hear(partial(_keep, heard, owner))
            for rule in _SLEEP_RULES:
                connection.listen(rule)
            self._inhibit(connection)
            session = self._find(connection)
            self._following, self._lost = True, False
            while not (self._stopped.is_set() or owner.lost):
                # Who records since before the user logged in has no session yet.
                patience = _ABSENT_SECONDS if session is None else None
                connection.wait(lambda: heard or owner.lost or self._stopped.is_set(), patience)
                while heard:
                    self._hear(connection, session, heard.popleft())
                if session is None:
                    session = self._find(connection)

    def _find(self, connection: bus.Connection) -> str | None:
        """Listen to the session if there is one, and see whether it is locked."""
        session = session_path(connection, self._session)
        if session is not None:
            connection.listen(f"type='signal',sender='{_NAME}',path='{session}'")
            self._lock(locked=_locked_hint(connection, session))
        return session

    def _hear(self, connection: bus.Connection, session: str | None, message: bus.Message) -> None:
        match message.interface, message.member, message.body:
            case interface, "PrepareForSleep" | "PrepareForShutdown", [bool(begins)] if (
                interface == _MANAGER
            ):
                if begins:
                    self._tell_safely(Happening.ENDING)
                    self._release()
                else:
                    self._inhibit(connection)
            case interface, "Lock" | "Unlock" | "PropertiesChanged", _ if (
                interface in {_SESSION, _PROPERTIES} and session is not None
            ):
                if message.path == session:
                    locked = _locked_hint(connection, session)
                    self._lock(locked=locked and message.member != "Unlock")

    def _inhibit(self, connection: bus.Connection) -> None:
        """Ask to be waited for; who may not is told of nothing and loses nothing."""
        self._release()
        with suppress(bus.BusError):
            answer = connection.call(
                _NAME, _PATH, f"{_MANAGER}.Inhibit",
                "sleep:shutdown", "Workseal", "The running stretch of work is stored", "delay",
                signature="ssss",
            )  # fmt: skip
            match answer.signature, answer.body:
                case "h", [held]:
                    self._inhibitor = held

    def _release(self) -> None:
        inhibitor, self._inhibitor = self._inhibitor, None
        if inhibitor is not None:
            inhibitor.close()

    def _lock(self, *, locked: bool) -> None:
        if locked != self._locked:
            self._locked = locked
            self._tell_safely(Happening.LOCKED if locked else Happening.UNLOCKED)

    def _tell_safely(self, happening: Happening) -> None:
        # Whoever records keeps its own troubles; the machine must not wait for them.
        with suppress(Exception):
            self._tell(happening)


def _keep(heard: deque[bus.Message], owner: bus.Owner, message: bus.Message) -> None:
    if owner.sent(message):
        heard.append(message)


def examine(address: str, session: str | None) -> str:
    """Say in one sentence what logind tells here, or raise `BusError`."""
    with bus.connected(address) as connection:
        connection.get_property(_NAME, _PATH, f"{_MANAGER}.InhibitDelayMaxUSec")
        path = session_path(connection, session)
        if path is None:
            return "tells sleep and shutdown; this user has no session whose lock it could tell"
        _locked_hint(connection, path)
        return "tells sleep, shutdown and the lock of the screen"


def session_path(connection: bus.Connection, session: str | None) -> str | None:
    """Return the path of a session: the one named, else the one that the user sees."""
    with suppress(bus.BusError):
        if session is not None:
            found = connection.call(_NAME, _PATH, f"{_MANAGER}.GetSession", session, signature="s")
            return str(found.body[0])
        user = connection.call(_NAME, _PATH, f"{_MANAGER}.GetUser", os.getuid(), signature="u")
        number, path = connection.get_property(_NAME, str(user.body[0]), f"{_NAME}.User.Display")
        return str(path) if number else None
    return None


def _locked_hint(connection: bus.Connection, session: str) -> bool:
    return bool(connection.get_property(_NAME, session, f"{_SESSION}.LockedHint"))
