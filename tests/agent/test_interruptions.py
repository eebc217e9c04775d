import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from dbus_fast import Message, Variant

from support.buses import Answer, FakeService, private_bus
from support.rig import Rig
from support.wayland import WAYLAND_MARKS, wait_for
from workseal_agent import logind
from workseal_agent.config import Settings
from workseal_agent.daemon.build import Options, build_service
from workseal_agent.daemon.eyes import Eyes
from workseal_agent.daemon.interruptions import Interruptions
from workseal_agent.daemon.service import Service
from workseal_agent.doctor.sources import _interruptions
from workseal_agent.errors import CaptureError, CaptureFailure
from workseal_agent.logind import Happening
from workseal_agent.recorder import RecorderState
from workseal_agent.surroundings import Surroundings
from workseal_agent.vaultkey import generate_private, public_of
from workseal_protocol.cli.png import encode_png

LOGIND = "org.freedesktop.login1"
CHANGED = "org.freedesktop.DBus.Properties.PropertiesChanged"


class Looked:
    """Be a screen that counts how often it is looked at."""

    name = "test"

    def __init__(self) -> None:
        self.looks = 0

    def grab(self) -> tuple[Any, ...]:
        self.looks += 1
        return ()

    def windows(self) -> tuple[Any, ...]:
        return ()


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = Rig(tmp_path)
    made.recorder.start()
    made.work(3)
    return made


def state(rig: Rig) -> RecorderState:
    return rig.recorder.state


def met(rig: Rig, screen: Looked, *, counts: bool = False) -> tuple[Interruptions, Eyes, list[int]]:
    eyes, woken = Eyes(cast("Any", screen), ()), list[int]()
    meets = Interruptions(rig.recorder, eyes, lambda: woken.append(1), counts=counts)
    return meets, eyes, woken


def test_while_locked_no_picture_is_taken_and_nothing_is_counted(rig: Rig) -> None:
    screen = Looked()
    meets, eyes, woken = met(rig, screen)
    meets.meet(Happening.LOCKED)
    assert state(rig) is RecorderState.LOCKED
    with pytest.raises(CaptureError) as caught:
        eyes.take()
    assert caught.value.failure is CaptureFailure.HIDDEN
    assert screen.looks == 0
    meets.meet(Happening.UNLOCKED)
    assert state(rig) is RecorderState.WORKING
    eyes.take()
    assert screen.looks == 1
    assert woken == [1, 1]


def test_time_goes_on_while_locked_where_the_settings_say_so(rig: Rig) -> None:
    meets, eyes, _ = met(rig, Looked(), counts=True)
    meets.meet(Happening.LOCKED)
    assert state(rig) is RecorderState.WORKING
    assert eyes.hidden


def test_before_the_machine_ends_everything_is_stored(rig: Rig) -> None:
    meets, eyes, _ = met(rig, Looked())
    before = rig.ledger.counts(rig.engagement.id).statements
    meets.meet(Happening.ENDING)
    assert rig.ledger.counts(rig.engagement.id).statements == before + 1
    assert state(rig) is RecorderState.WORKING
    assert not eyes.hidden


def shows(service: Service, state: str) -> bool:
    return bool(service.status()["state"] == state)


@contextmanager
def recording(folder: Path) -> Iterator[tuple[Service, Rig]]:
    """Run the loops of a recording process in a thread, in the surroundings of the environment."""
    fresh = Rig(folder)
    (folder / "1.png").write_bytes(encode_png(2, 2, bytes(12)))
    service = build_service(
        Settings(folder), fresh.engagement, fresh.ledger, fresh.signer,
        public_of(generate_private()),
        client=fresh.client, beacon_client=fresh.client, running=frozenset,
        options=Options("replay", folder),
    )  # fmt: skip
    running = threading.Thread(target=service.run)
    running.start()
    try:
        wait_for("recording", partial(shows, service, "working"))
        yield service, fresh
    finally:
        service.request_stop()
        running.join(30)


class Session:
    """Be logind, with one session and its lock."""

    path = "/org/freedesktop/login1/session/_37"

    def __init__(self) -> None:
        self.locked = False

    def answer(self, message: Message) -> Answer:
        if message.member == "GetSession":
            return "o", [self.path]
        if message.member == "Get":
            return "v", [Variant("b", self.locked)]
        return "org.freedesktop.DBus.Error.AccessDenied"

    def turn(self, service: FakeService, *, locked: bool) -> None:
        """Lock or unlock, and say so."""
        self.locked = locked
        changed = [f"{LOGIND}.Session", {"LockedHint": Variant("b", locked)}, list[str]()]
        service.emit(self.path, CHANGED, "sa{sv}as", *changed)


def lost(service: Service) -> bool:
    return any("logind went away" in str(one) for one in service.status()["troubles"])


@WAYLAND_MARKS[1]
def test_a_recording_process_follows_logind_and_goes_on_while_the_bus_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logind, "_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(logind, "_ABSENT_SECONDS", 0.1)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    monkeypatch.setenv("XDG_SESSION_ID", "7")
    session = Session()

    def followed(service: Service) -> None:
        with private_bus(tmp_path) as address, FakeService(address, LOGIND, session.answer) as told:
            wait_for("the question", lambda: len(told.calls) > 1)
            wait_for("its word", lambda: not lost(service))
            for locked, shown in ((True, "locked"), (False, "working")):
                session.turn(told, locked=locked)
                wait_for(shown, partial(shows, service, shown))
        wait_for("the loss", lambda: lost(service))

    with recording(tmp_path) as (service, rig):
        followed(service)
        before = rig.ledger.counts(rig.engagement.id).statements
        service.handle({"command": "pause", "engagement": rig.engagement.id.hex()})
        assert rig.ledger.counts(rig.engagement.id).statements == before + 1
        service.handle({"command": "resume", "engagement": rig.engagement.id.hex()})
        followed(service)


def test_without_a_bus_or_a_place_to_write_for_the_session_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where nobody can make a file, root included.
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/proc/none")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    with recording(tmp_path) as (service, rig):
        before = rig.ledger.counts(rig.engagement.id).statements
        service.handle({"command": "pause", "engagement": rig.engagement.id.hex()})
        assert rig.ledger.counts(rig.engagement.id).statements == before + 1
        assert not lost(service)
    around = Surroundings.of(os.environ)
    sleep = _interruptions(around)
    assert sleep.picked == "clocks"
    assert [str(one.reason) for one in sleep.candidates if not one.fit] == ["D-Bus does not answer"]


def test_while_nothing_is_recorded_nothing_happens(rig: Rig) -> None:
    meets, _, _ = met(rig, Looked())
    rig.recorder.stop()
    for happening in Happening:
        meets.meet(happening)
    assert state(rig) is RecorderState.STOPPED
