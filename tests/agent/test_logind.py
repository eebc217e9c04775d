import os
import select
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService, forge, private_bus
from support.wayland import WAYLAND_MARKS, wait_for
from workseal_agent import logind
from workseal_agent.bus import BusError, Connection, Owner
from workseal_agent.logind import Happening, Logind, examine, session_path

pytestmark = WAYLAND_MARKS[1]
NAME = "org.freedesktop.login1"
MANAGER = f"{NAME}.Manager"
ROOT = "/org/freedesktop/login1"
SESSION = f"{ROOT}/session/_37"
BEGINS, ENDS = True, False
CHANGED = "org.freedesktop.DBus.Properties.PropertiesChanged"


class Machine:
    """Be logind: one session, a lock, and inhibitors that a test can see released."""

    def __init__(self) -> None:
        self.locked: bool | str = False
        self.session: str | None = SESSION
        self.denies = False
        self.asked = 0
        self.inhibitors: list[int] = []

    def answer(self, message: Message) -> Answer:  # noqa: PLR0911 - one for each question
        match message.member, message.body:
            case "GetSession", ["7"] if self.session:
                return "o", [self.session]
            case "GetUser", [user] if user == os.getuid():
                return "o", [f"{ROOT}/user/_1"]
            case "Get", [_, "Display"]:
                number, path = ("7", self.session) if self.session else ("", "/")
                return "v", [Variant("(so)", [number, path])]
            case "Get", [_, "LockedHint"] if isinstance(self.locked, bool):
                self.asked += 1
                return "v", [Variant("b", self.locked)]
            case "Get", [_, "InhibitDelayMaxUSec"]:
                return "v", [Variant("t", 5_000_000)]
            case "Inhibit", ["sleep:shutdown", "Workseal", _, "delay"] if not self.denies:
                ours, theirs = os.pipe()
                self.inhibitors.append(ours)
                os.set_blocking(ours, False)
                self.given = theirs
                return "h", [0], [theirs]
        return "org.freedesktop.DBus.Error.AccessDenied"

    def held(self) -> list[bool]:
        """Say of each inhibitor that was given whether somebody still holds it."""
        if self.inhibitors:
            self._forget()
        return [not select.select([one], [], [], 0)[0] for one in self.inhibitors]

    def _forget(self) -> None:
        """Close the end that was sent, once: the library has sent a copy of it."""
        if self.given >= 0:
            os.close(self.given)
            self.given = -1


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def service(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeService]:
    monkeypatch.setattr(logind, "_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(logind, "_ABSENT_SECONDS", 0.1)
    with private_bus(tmp_path) as address, FakeService(address, NAME, machine.answer) as made:
        yield made


class Following:
    """Follow a machine, and keep what was told; what is told is held up as the test says."""

    def __init__(self, service: FakeService, session: str | None = "7") -> None:
        self.told: list[Happening] = []
        self.held_when_told: list[list[bool]] = []
        self.machine: Machine | None = None
        self.logind = Logind(service._address, session, self._tell)
        self.logind.start()
        wait_for("logind", lambda: self.logind.following)

    def _tell(self, happening: Happening) -> None:
        if self.machine is not None:
            self.held_when_told.append(self.machine.held())
        self.told.append(happening)
        if happening is Happening.ENDING and self.machine is None:
            raise RuntimeError("whoever records fails")

    def close(self) -> None:
        self.logind.stop()


def test_sleep_waits_until_the_stretch_is_stored(service: FakeService, machine: Machine) -> None:
    with closing(Following(service)) as following:
        following.machine = machine
        wait_for("an inhibitor", lambda: machine.held() == [True])
        service.emit(ROOT, f"{MANAGER}.PrepareForSleep", "b", BEGINS)
        wait_for("the release", lambda: machine.held() == [False])
        assert following.told == [Happening.ENDING]
        assert following.held_when_told == [[True]]
        service.emit(ROOT, f"{MANAGER}.PrepareForSleep", "b", ENDS)
        wait_for("the next inhibitor", lambda: machine.held() == [False, True])
    assert machine.held() == [False, False]


def test_the_machine_goes_on_although_recording_fails(
    service: FakeService, machine: Machine
) -> None:
    with closing(Following(service)) as following:
        service.emit(ROOT, f"{MANAGER}.PrepareForShutdown", "b", BEGINS)
        wait_for("the release", lambda: machine.held() == [False])
        assert following.told == [Happening.ENDING]
        assert following.logind.following


def test_a_lock_is_what_the_session_says_it_is(service: FakeService, machine: Machine) -> None:
    with closing(Following(service)) as following:
        service.emit(SESSION, f"{NAME}.Session.Lock", "")  # asked for, and never done
        wait_for("the look", lambda: machine.asked == 2)
        changed = [f"{NAME}.Session", {"LockedHint": Variant("b", value=True)}, list[str]()]
        machine.locked = True
        service.emit(f"{ROOT}/session/_38", CHANGED, "sa{sv}as", *changed)  # somebody else's
        service.emit(ROOT, f"{MANAGER}.PrepareForSleep", "b", BEGINS)
        wait_for("the sleep", lambda: Happening.ENDING in following.told)
        assert following.told == [Happening.ENDING]
        service.emit(SESSION, CHANGED, "sa{sv}as", *changed)
        wait_for("the lock", lambda: following.told[1:] == [Happening.LOCKED])
        machine.locked = False
        service.emit(SESSION, CHANGED, "sa{sv}as", *changed)
        wait_for("its end", lambda: following.told[2:] == [Happening.UNLOCKED])


def test_unlock_ends_a_lock_whatever_the_hint_says(service: FakeService, machine: Machine) -> None:
    machine.locked = True
    with closing(Following(service)) as following:
        wait_for("the lock", lambda: following.told == [Happening.LOCKED])
        service.emit(SESSION, f"{NAME}.Session.Unlock", "")
        wait_for("its end", lambda: following.told[1:] == [Happening.UNLOCKED])


def test_what_a_stranger_on_the_bus_says_is_not_heard(
    service: FakeService, machine: Machine
) -> None:
    """Any process of the machine can send a signal of any name to this connection."""
    machine.locked = True
    with closing(Following(service)) as following:
        following.machine = machine
        wait_for("the lock", lambda: following.told == [Happening.LOCKED])
        wait_for("an inhibitor", lambda: machine.held() == [True])
        changed = [NAME, ":1.1", ""]
        forge(
            service._address,
            Message.new_signal(SESSION, f"{NAME}.Session", "Unlock", "", []),
            Message.new_signal(ROOT, MANAGER, "PrepareForSleep", "b", [BEGINS]),
            Message.new_signal(ROOT, MANAGER, "PrepareForShutdown", "b", [BEGINS]),
            Message.new_signal(
                "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss", changed
            ),
        )
        # What logind says after it is heard, and nothing before that was.
        service.emit(SESSION, f"{NAME}.Session.Unlock", "")
        wait_for("the unlock", lambda: len(following.told) > 1)
        assert following.told == [Happening.LOCKED, Happening.UNLOCKED]
        assert machine.held() == [True]


def test_another_logind_is_asked_anew(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logind, "_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(logind, "_ABSENT_SECONDS", 0.1)
    machine.locked = True
    with private_bus(tmp_path) as address:
        with FakeService(address, NAME, machine.answer) as first:
            following = Following(first)
            wait_for("the lock", lambda: following.told == [Happening.LOCKED])
        with closing(following):
            wait_for("the loss", lambda: following.told[1:] == [Happening.UNLOCKED])
            assert "a locked screen is not noticed" in str(following.logind.trouble)
            with FakeService(address, NAME, machine.answer):
                wait_for("the lock again", lambda: following.told[2:] == [Happening.LOCKED])
                wait_for("the word of it", lambda: following.logind.trouble is None)


def test_a_lock_ends_when_logind_is_lost_and_is_seen_again_when_it_is_back(
    machine: Machine, service: FakeService
) -> None:
    machine.locked = True
    with closing(Following(service)) as following:
        wait_for("the lock", lambda: following.told == [Happening.LOCKED])
        machine.locked = "not a truth value"
        changed = [f"{NAME}.Session", {"LockedHint": Variant("b", value=True)}, list[str]()]
        service.emit(SESSION, CHANGED, "sa{sv}as", *changed)
        wait_for("the loss", lambda: following.told[1:] == [Happening.UNLOCKED])
        machine.locked = True
        wait_for("the lock again", lambda: following.told[2:] == [Happening.LOCKED])


@pytest.mark.parametrize("named", ["7", None])
def test_finds_the_session_by_its_number_or_by_the_user(
    service: FakeService, machine: Machine, named: str | None
) -> None:
    machine.locked = True
    with closing(Following(service, named)) as following:
        wait_for("the lock", lambda: following.told == [Happening.LOCKED])
    assert examine(service._address, named) == "tells sleep, shutdown and the lock of the screen"


def test_a_session_that_begins_later_is_found(
    service: FakeService, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.locked, machine.session = True, None
    asked = list[str | None]()

    def asks(connection: Connection, session: str | None) -> str | None:
        asked.append(session_path(connection, session))
        return asked[-1]

    monkeypatch.setattr(logind, "session_path", asks)
    with closing(Following(service, None)) as following:
        wait_for("a look without a session", lambda: None in asked)
        machine.session = SESSION
        wait_for("the lock", lambda: following.told == [Happening.LOCKED])


def test_a_logind_that_comes_between_two_questions_is_asked_for_its_session(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logind, "_ABSENT_SECONDS", 0.1)
    machine.locked = True
    with private_bus(tmp_path) as address, ExitStack() as entered:
        came = FakeService(address, NAME, machine.answer)

        def then_comes(question: Callable[..., object], *asked: object) -> object:
            try:
                return question(*asked)
            finally:
                if not came.running:
                    entered.enter_context(came)

        find = Owner.find
        monkeypatch.setattr(logind, "session_path", partial(then_comes, session_path))
        monkeypatch.setattr(Owner, "find", lambda *of: then_comes(find, *of))
        with closing(Following(came)) as following:
            wait_for("the lock", lambda: following.told == [Happening.LOCKED])


def test_without_a_session_or_a_right_to_be_waited_for_sleep_is_told_all_the_same(
    service: FakeService, machine: Machine
) -> None:
    machine.session, machine.denies = None, True
    assert "no session" in examine(service._address, None)
    with closing(Following(service, None)) as following:
        service.emit(ROOT, f"{MANAGER}.PrepareForSleep", "b", BEGINS)
        wait_for("the sleep", lambda: following.told == [Happening.ENDING])
        assert machine.inhibitors == []


def test_a_machine_without_logind_is_left_alone(tmp_path: Path) -> None:
    told: list[Happening] = []
    absent = Logind(f"unix:path={tmp_path}/none", None, told.append)
    absent.start()
    absent.stop()
    assert told == []
    assert not absent.following
    assert absent.trouble is None
    with pytest.raises(BusError):
        examine(f"unix:path={tmp_path}/none", None)
