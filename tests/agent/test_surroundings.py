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
