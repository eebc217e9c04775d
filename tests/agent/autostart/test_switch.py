from pathlib import Path

import pytest

from workseal_agent.autostart.entries import Entry, Form
from workseal_agent.autostart.places import Places
from workseal_agent.autostart.switch import Autostart, State
from workseal_agent.errors import AgentError


@pytest.fixture
def entries(tmp_path: Path) -> tuple[Entry, ...]:
    unit = tmp_path / "units" / "a.service"
    return (
        Entry(Form.FILE, str(unit), "[Unit]\n"),
        Entry(Form.LINK, str(tmp_path / "wants" / "a.service"), str(unit)),
    )


@pytest.fixture
def switch(tmp_path: Path) -> Autostart:
    return Autostart(tmp_path / "autostart.json", Places())


def there(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir()}


def test_what_was_written_is_removed_and_nothing_else(
    tmp_path: Path, switch: Autostart, entries: tuple[Entry, ...]
) -> None:
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / "other.service").write_text("somebody's")
    before = there(tmp_path)
    switch.turn_on(entries)
    assert [one.state for one in switch.found()] == [State.THERE] * 2
    assert there(tmp_path) - before == {"autostart.json", "units/a.service", "wants/a.service"}
    assert (tmp_path / "autostart.json").stat().st_mode & 0o777 == 0o600
    assert switch.turn_off() == entries
    assert there(tmp_path) == before
    assert switch.found() == ()
    assert switch.turn_off() == ()


def test_on_again_writes_anew(
    tmp_path: Path, switch: Autostart, entries: tuple[Entry, ...]
) -> None:
    switch.turn_on(entries)
    # A new Python, or another way to begin.
    other = (Entry(Form.FILE, entries[0].place, "[Unit]\n# new\n"),)
    switch.turn_on(other)
    assert [one.entry for one in switch.found()] == list(other)
    assert there(tmp_path) == {"autostart.json", "units/a.service"}


def test_what_somebody_else_wrote_is_left_alone(
    tmp_path: Path, switch: Autostart, entries: tuple[Entry, ...]
) -> None:
    """Another home's, for example: one person's desktop begins one of them."""
    Path(entries[1].place).parent.mkdir()
    Path(entries[1].place).write_text("theirs")
    with pytest.raises(AgentError, match="is there already"):
        switch.turn_on(entries)
    assert there(tmp_path) == {"wants/a.service"}


def test_what_was_changed_since_stays_and_is_named(
    switch: Autostart, entries: tuple[Entry, ...]
) -> None:
    switch.turn_on(entries)
    Path(entries[0].place).write_text("[Unit]\n# mine\n")
    with pytest.raises(AgentError, match="changed since it was written"):
        switch.turn_off()
    assert Path(entries[0].place).read_text() == "[Unit]\n# mine\n"
    assert not Path(entries[1].place).is_symlink()
    (left,) = switch.found()
    assert (left.entry, left.state) == (entries[0], State.CHANGED)
    with pytest.raises(AgentError, match="is there already"):
        switch.turn_on(entries)


def test_what_was_removed_by_hand_is_gone_and_no_trouble(
    switch: Autostart, entries: tuple[Entry, ...]
) -> None:
    switch.turn_on(entries)
    Path(entries[0].place).unlink()
    assert [one.state for one in switch.found()] == [State.GONE, State.THERE]
    assert switch.turn_off() == entries[1:]


def test_a_crash_between_leaves_nothing_that_is_not_in_the_list(
    tmp_path: Path, switch: Autostart, entries: tuple[Entry, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Places.write

    def killed(places: Places, entry: Entry) -> None:
        if entry.form is Form.LINK:
            raise KeyboardInterrupt
        real(places, entry)

    monkeypatch.setattr(Places, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        switch.turn_on(entries)
    assert switch.turn_off() == entries[:1]
    assert there(tmp_path) == set()


@pytest.mark.parametrize("text", ["{", "[1]", '[{"form": "x"}]', '{"a": 1}'])
def test_a_damaged_list_is_told(tmp_path: Path, switch: Autostart, text: str) -> None:
    (tmp_path / "autostart.json").write_text(text)
    with pytest.raises(AgentError, match="damaged"):
        switch.found()


def test_the_system_is_told_after_each_change(tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    told: list[set[str]] = []
    switch = Autostart(tmp_path / "list", Places(lambda: told.append(there(tmp_path))))
    switch.turn_on(entries)
    switch.turn_off()
    assert told == [{"list", "units/a.service", "wants/a.service"}, set()]
