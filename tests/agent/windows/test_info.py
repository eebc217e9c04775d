from workseal_agent.windows import WindowInfo


def test_a_title_never_shows_in_a_log() -> None:
    assert "My Bank" not in repr(WindowInfo("My Bank", ("x",), 0, 0, 1, 1, 0))
