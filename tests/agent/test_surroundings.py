from workseal_agent.surroundings import Surroundings


def test_reads_what_an_environment_tells_and_nothing_empty() -> None:
    told = Surroundings.of(
        {"DISPLAY": ":5", "WAYLAND_DISPLAY": "wayland-1", "SWAYSOCK": "/run/s", "HOME": "/root"}
    )
    assert (told.display, told.wayland, told.sway, told.named) == (
        ":5",
        "wayland-1",
        "/run/s",
        False,
    )
    empty = Surroundings.of({"DISPLAY": "", "WAYLAND_DISPLAY": "", "SWAYSOCK": ""})
    assert (empty.display, empty.wayland, empty.sway) == (None, None, None)


def test_a_display_of_the_settings_comes_before_that_of_the_environment() -> None:
    told = Surroundings.of({"DISPLAY": ":5"}, display=":7")
    assert told.display == ":7"
    assert told.named


def test_the_session_bus_is_the_one_named_else_the_one_in_the_runtime_folder() -> None:
    assert Surroundings.of({}).session_bus is None
    there = {"XDG_RUNTIME_DIR": "/run/user/7"}
    assert Surroundings.of(there).session_bus == "unix:path=/run/user/7/bus"
    named = there | {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}
    assert Surroundings.of(named).session_bus == "unix:path=/x"


def test_the_system_bus_has_a_place_of_its_own() -> None:
    assert Surroundings.of({}).system_bus == "unix:path=/run/dbus/system_bus_socket"
    assert Surroundings.of({"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/y"}).system_bus == "unix:path=/y"
