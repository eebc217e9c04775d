"""Changing the settings' file: what was meant, nothing else, and every remark of its owner."""

import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workseal_agent.config import Settings, load_settings, parse_settings, write_default_settings
from workseal_agent.config.editing import (
    SettingsChangedError,
    SettingsFile,
    read_settings_file,
    with_rule,
    with_values,
    without_rule,
    write_settings_file,
)
from workseal_agent.config.values import NAMES, values_of
from workseal_agent.errors import SettingsError

HOME = Path("/home/ada/agent")
OWN = """\
# mine
[display]   # how I read
hours = '12'  # as at home
zone    =  "Asia/Tokyo"

[mask]
# two rules
[[mask.rule]] # money
name = 'bank' # mine
application = "firefox"
title = "*My Bank*"
# the next one is for mails

[[mask.rule]]
name = "mail"
title = "*inbox*"

# when I am away
[lock]
time = "count" # or pause
[seal]
key = "super+pause"            # the big one
"""
RULES = "[[mask.rule]]\nname='a'\ntitle='b'\n[[mask.rule]]\nname='c'\ntitle='d'\n"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def file_of(text: str) -> SettingsFile:
    return SettingsFile(text.encode(), parse_settings(HOME, text.encode()))


def remarks(text: str) -> list[str]:
    return re.findall(r"# ?[a-z].*", text)


def test_a_value_is_changed_in_its_place_and_all_else_keeps_its_letters() -> None:
    after = with_values(file_of(OWN), {"display.hours": "24", "display.zone": "Asia/Tokyo"})
    assert after.data.decode() == OWN.replace("hours = '12'", 'hours = "24"')
    assert after.settings.display.hours == "24"


def test_what_is_not_changed_is_not_written() -> None:
    file = file_of(OWN)
    assert with_values(file, dict(values_of(file.settings))) == file


@pytest.mark.parametrize("text", [OWN, OWN.replace("\n", "\r\n"), "", "# nothing yet"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("display.hours", "24"), ("display.totals", "minute"), ("display.zone", "agreement"),
        ("notices.show", "false"), ("vault.warn_above_gib", "7"), ("lock.time", "pause"),
        ("seal.key", "ctrl+alt+s"), ("mask.defaults", "false"), ("screen.kind", "x11"),
        ("screen.display", ":7"), ("screen.replay", "/pictures"), ("activity.kind", "none"),
        ("witness.listen", "[::1]:8090"), ("verifier.url", "https://a.example"),
        ("verifier.ca_file", "/etc/ca.pem"),
    ],
)  # fmt: skip
def test_every_setting_can_be_changed_and_nothing_but_it(text: str, name: str, value: str) -> None:
    file = file_of(text)
    after = with_values(file, {name: value})
    assert values_of(after.settings) == {**values_of(file.settings), name: value}
    assert after.settings.mask.rules == file.settings.mask.rules
    assert remarks(after.data.decode()) == remarks(text)


def test_every_name_is_tried_above() -> None:
    marks = test_every_setting_can_be_changed_and_nothing_but_it.pytestmark  # type: ignore[attr-defined]
    assert {name for name, _ in marks[0].args[1]} == {*NAMES}


def test_a_value_that_is_taken_away_becomes_a_remark_where_it_stood() -> None:
    after = with_values(file_of(OWN), {"seal.key": ""})
    assert after.data.decode() == OWN.replace("key = ", "# key = ")
    assert after.settings.seal.key is None
    # And one that is no line of its own goes.
    dotted = with_values(file_of('seal = {key = "super+pause"}\n# end\n'), {"seal.key": ""})
    assert dotted.data.decode().endswith("# end\n")


def test_a_rule_comes_behind_the_others_as_a_table_of_its_own(tmp_path: Path) -> None:
    write_default_settings(tmp_path, "https://verifier.example")
    file = read_settings_file(tmp_path)
    after = with_rule(file, "rule", {"name": "bank", "title": "*Bank*", "url": ""})
    assert after.data.decode() == (
        file.data.decode() + '\n[[mask.rule]]\nname = "bank"\ntitle = "*Bank*"\n\n'
    )
    more = with_rule(after, "rule", {"name": "mail", "url": "mail.example"})
    assert [one.name for one in more.settings.mask.rules] == ["bank", "mail"]
    only = with_rule(more, "only", {"name": "editor", "application": "code", "engagement": "3f2a"})
    assert only.settings.mask.rules == more.settings.mask.rules
    assert only.settings.mask.only[0].engagement == "3f2a"


def test_a_rule_is_rewritten_in_its_place() -> None:
    after = with_rule(file_of(OWN), "rule", {"name": "bank", "title": "*Bank*"}, was="bank")
    assert after.data.decode() == OWN.replace('application = "firefox"\n', "").replace(
        '"*My Bank*"', '"*Bank*"'
    )


def test_a_rule_that_goes_leaves_the_remarks_around_it() -> None:
    text = without_rule(file_of(OWN), "rule", "bank").data.decode()
    begin, end = OWN.index("[[mask.rule]] # money"), OWN.index("# the next one")
    assert text == OWN[:begin] + OWN[end:]
    text = without_rule(file_of(text), "rule", "mail").data.decode()
    assert "# when I am away\n[lock]" in text
    assert load_text(text).mask.rules == ()


def load_text(text: str) -> Settings:
    return parse_settings(HOME, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "[mask]\nrule = [{name='a', title='b'}, # one\n {name='c', title='d'}]\n",
        f"[mask]\ndefaults=true\n[display]\nhours='12'\n{RULES}",
        f"[[mask.only]]\nname='o'\ntitle='''\n[[mask.rule]]\nname='a'\n'''\n{RULES}",
        "mask.defaults = true\nmask.rule = [{name='a', title='b'}, {name='c', title='d'}]\n",
        "mask = {rule = [{name='a', title='b'}, {name='c', title='d'}]}\n",
    ],
)
@pytest.mark.parametrize(
    "edit",
    [
        lambda file: with_rule(file, "rule", {"name": "x", "application": "y"}),
        lambda file: with_rule(file, "only", {"name": "x", "application": "y"}),
        lambda file: with_rule(file, "rule", {"name": "x", "application": "y"}, was="c"),
        lambda file: without_rule(file, "rule", "a"),
        lambda file: without_rule(without_rule(file, "rule", "a"), "rule", "c"),
        lambda file: with_values(file, {"mask.defaults": "false", "display.totals": "minute"}),
    ],
    ids=["add", "only", "change", "remove", "remove all", "value"],
)
def test_odd_ways_to_write_are_changed_right_or_refused(
    text: str, edit: Callable[[SettingsFile], SettingsFile]
) -> None:
    file = file_of(text)
    try:
        after = edit(file)
    except SettingsError as error:
        assert "change it by hand" in str(error)  # noqa: PT017 - refusing is right as well
        return
    assert after.settings != file.settings


@settings(max_examples=20)
@given(name=TEXTS, title=TEXTS, application=TEXTS)
def test_any_letters_of_a_rule_come_back(name: str, title: str, application: str) -> None:
    rule = {"name": name, "title": title, "application": application}
    after = with_rule(without_rule(file_of(OWN), "rule", "bank"), "rule", rule, was="mail")
    (one,) = after.settings.mask.rules
    assert (one.name, one.title, one.application) == (name, title, application)
    kept = [one for one in remarks(OWN) if one not in {"# money", "# mine"}]
    assert [one for one in after.data.decode().splitlines() if one in kept] == [
        one for one in OWN.splitlines() if one in kept
    ]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda file: with_values(file, {"lock.time": "stop"}), "one of pause, count"),
        (lambda file: with_values(file, {"notices.show": "yes"}), "true or false"),
        (lambda file: with_values(file, {"vault.warn_above_gib": "x"}), "a whole number"),
        (lambda file: with_values(file, {"vault.warn_above_gib": "0"}), "must be 1 to"),
        (lambda file: with_values(file, {"screen.kind": "replay"}), "needs replay"),
        (lambda file: with_values(file, {"verifier.url": "http://a.example"}), "must be https"),
        (lambda file: with_rule(file, "rule", {"name": "mail", "title": "x"}), "the same name"),
        (lambda file: with_rule(file, "rule", {"name": "x"}), "an application or a title"),
        (lambda file: with_rule(file, "rule", {"name": "x" * 65, "title": "y"}), "1 to 64"),
        (lambda file: with_rule(file, "rule", {"name": "x", "title": "y"}, was="z"), "no rule"),
        (lambda file: without_rule(file, "only", "bank"), "no rule"),
    ],
)
def test_what_reading_would_refuse_is_refused_in_its_words(
    edit: Callable[[SettingsFile], SettingsFile], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        edit(file_of(OWN))


def test_a_file_grows_to_its_limit_and_no_further() -> None:
    text = OWN + "#" * (65_536 - len(OWN) - 30)
    with pytest.raises(SettingsError, match="larger than"):
        with_rule(file_of(text), "rule", {"name": "x", "title": "y" * 99})


def test_writing_puts_the_whole_file_there_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "dotfiles.toml"
    place.write_text(OWN)
    place.chmod(0o644)
    Settings(tmp_path).config_file.symlink_to(place)
    file = read_settings_file(tmp_path)
    after = with_values(file, {"display.hours": "24"})
    write_settings_file(tmp_path, file.digest, after)
    assert place.read_bytes() == after.data
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert Settings(tmp_path).config_file.is_symlink()
    assert load_settings(tmp_path).display.hours == "24"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml", "dotfiles.toml"]


@pytest.mark.parametrize("meanwhile", ["", "# another\n", None])
def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path, meanwhile: str | None) -> None:
    place = Settings(tmp_path).config_file
    place.write_text(OWN)
    file = read_settings_file(tmp_path)
    after = with_values(file, {"display.hours": "24"})
    if meanwhile is None:
        place.unlink()
    else:
        place.write_text(OWN + meanwhile if meanwhile else "")
    with pytest.raises(SettingsChangedError, match="changed meanwhile"):
        write_settings_file(tmp_path, file.digest, after)
    assert place.exists() == (meanwhile is not None)
    assert "24" not in (place.read_text() if place.exists() else "")


def test_of_two_pages_one_writes(tmp_path: Path) -> None:
    write_default_settings(tmp_path, None)
    file = read_settings_file(tmp_path)
    told: list[str] = []

    def write(hours: str, zone: str) -> None:
        after = with_values(file, {"display.hours": hours, "display.zone": zone})
        try:
            write_settings_file(tmp_path, file.digest, after)
            told.append(zone)
        except SettingsChangedError:
            pass

    zones = ["agreement", "Asia/Tokyo", "Europe/Berlin", "UTC"]
    threads = [threading.Thread(target=write, args=("12", zone)) for zone in zones]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert told == [load_settings(tmp_path).display.zone]


def test_a_folder_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    Settings(home).config_file.symlink_to(tmp_path / "gone" / "config.toml")
    file = read_settings_file(home)
    with pytest.raises(SettingsError, match="cannot be written"):
        write_settings_file(home, file.digest, with_values(file, {"display.hours": "12"}))


def test_a_first_file_is_written_with_its_remarks(tmp_path: Path) -> None:
    file = read_settings_file(tmp_path)
    write_settings_file(tmp_path, file.digest, with_values(file, {"display.hours": "12"}))
    assert load_settings(tmp_path) == file.settings.__class__(
        tmp_path, display=load_settings(tmp_path).display
    )
    assert "# Windows of your own" in Settings(tmp_path).config_file.read_text()


def test_what_comes_out_otherwise_than_meant_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that were lost on the way would hide nothing any more."""
    lost = OWN.replace('[[mask.rule]]\nname = "mail"\ntitle = "*inbox*"\n', "")
    monkeypatch.setattr("tomlkit.dumps", lambda _: lost.replace("'12'", "'24'"))
    with pytest.raises(SettingsError, match="change it by hand"):
        with_values(file_of(OWN), {"display.hours": "24"})
