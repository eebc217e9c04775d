"""Changing the file of the settings as its owner would by hand: what stays keeps its letters.

Rules: remarks, order and spelling stay; a value that is taken away becomes a remark. What comes out
is read again, and must say what was meant and nothing else. A file that somebody changed meanwhile
is left alone.
"""

import fcntl
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from workseal_agent.config.file import DEFAULT_TEXT, MAX_SETTINGS_BYTES, read_bytes
from workseal_agent.config.parsing import parse_settings
from workseal_agent.config.settings import Settings
from workseal_agent.config.values import value_for_file, values_of
from workseal_agent.errors import SettingsError
from workseal_agent.language import phrase
from workseal_agent.writing import write_private

# The arrays of rules under [mask], and the keys of a rule in the order in which they are written.
RuleArray = Literal["rule", "only"]
RULE_KEYS = ("name", "engagement", "application", "title", "url")

Edit = Callable[[Any], None]


class SettingsChangedError(SettingsError):
    """Say that the file is not the one any more that somebody looked at."""


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """Hold the bytes of a settings' file, and what they say; made by reading alone."""

    data: bytes
    settings: Settings

    @property
    def digest(self) -> str:
        """Return what tells these bytes from any others."""
        return sha256(self.data).hexdigest()


def read_settings_file(home: Path) -> SettingsFile:
    """Read the file as it is now; one that is not there says what the first one would say."""
    data = read_bytes(home)
    if data is None:
        data = DEFAULT_TEXT.format(url='# url = "https://verifier.example"').encode()
    return SettingsFile(data, parse_settings(home, data))


def with_values(file: SettingsFile, values: Mapping[str, str]) -> SettingsFile:
    """Set values by their names (`values.NAMES`); an empty text takes one away."""
    known = values_of(file.settings)
    for name, text in values.items():
        if known[name] != text:
            file = _with_value(file, name, text)
    return file


def with_rule(
    file: SettingsFile, array: RuleArray, rule: Mapping[str, str], *, was: str | None = None
) -> SettingsFile:
    """Add a rule, or write it in the place of the one that had the name `was`."""
    wanted = {key: rule[key] for key in RULE_KEYS if rule.get(key)}
    if was is None:
        return _edited(file, lambda tree: _append(tree, array, wanted))
    place = _place(file, array, was)
    return _edited(file, lambda tree: _replace(tree["mask"][array][place], wanted))


def without_rule(file: SettingsFile, array: RuleArray, name: str) -> SettingsFile:
    """Take a rule away; remarks behind it stay."""
    place = _place(file, array, name)

    def edit(tree: Any) -> None:
        del tree["mask"][array][place]

    return _checked(file, _text_without(file.data.decode(), array, place, edit), edit)


def write_settings_file(home: Path, seen: str, after: SettingsFile) -> None:
    """Put a file in the place of the one with the digest that was seen; whole, or not at all.

    Raises `SettingsChangedError` when another one is there now. A link stays one.
    """
    with _locked(home):
        if read_settings_file(home).digest != seen:
            raise SettingsChangedError(
                "config.toml was changed meanwhile, by an editor or by another page: look again"
            )
        try:
            write_private(Settings(home).config_file.resolve(), after.data)
        except OSError as error:
            raise SettingsError(
                phrase("config.toml cannot be written: {reason}", reason=error.strerror)
            ) from error


def _place(file: SettingsFile, array: RuleArray, name: str) -> int:
    mask = file.settings.mask
    names = [one.name for one in (mask.rules if array == "rule" else mask.only)]
    if name not in names:
        raise SettingsError("config.toml has no rule of this name any more")
    return names.index(name)


def _with_value(file: SettingsFile, name: str, text: str) -> SettingsFile:
    table, _, key = name.partition(".")
    if text:
        value = value_for_file(name, text)
        return _edited(file, lambda tree: tree.setdefault(table, {}).__setitem__(key, value))

    def edit(tree: Any) -> None:
        del tree[table][key]

    return _checked(file, _text_without_value(file.data.decode(), key, edit), edit)


def _edited(file: SettingsFile, edit: Edit) -> SettingsFile:
    return _checked(file, _by_tomlkit(file.data.decode(), edit), edit)


def _checked(file: SettingsFile, text: str, edit: Edit) -> SettingsFile:
    """Read what came out: it says what the same edit makes of the values, or is refused."""
    data = text.encode()
    if len(data) > MAX_SETTINGS_BYTES:
        raise SettingsError(
            phrase("config.toml would be larger than {most} bytes", most=MAX_SETTINGS_BYTES)
        )
    meant = tomllib.loads(file.data.decode())
    edit(meant)
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _by_hand() from error
    if _filled(said) != _filled(meant):
        raise _by_hand()
    return SettingsFile(data, parse_settings(file.settings.home, data))


def _filled(tree: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing: a list of rules with none in it, and a table with nothing."""
    mask = {key: value for key, value in tree.get("mask", {}).items() if value != []}
    return {key: value for key, value in {**tree, "mask": mask}.items() if value != {}}


def _by_tomlkit(text: str, edit: Edit) -> str:
    import tomlkit  # noqa: PLC0415 - only who changes settings loads it

    try:
        document = tomlkit.parse(text)
        edit(document)
        return tomlkit.dumps(document)
    except SettingsError:
        raise
    except Exception as error:
        # It has ways to fail at files that are written unusually; none of them is a reason to stop.
        raise _by_hand() from error


def _by_hand() -> SettingsError:
    return SettingsError(
        "config.toml is written in a way that these pages cannot change: change it by hand"
    )


def _append(tree: Any, array: RuleArray, rule: Mapping[str, str]) -> None:
    """Add a rule behind the others, as a table of its own where that can be."""
    if type(tree) is dict:
        tree.setdefault("mask", {}).setdefault(array, []).append(dict(rule))
        return
    import tomlkit  # noqa: PLC0415 - as above

    table = tomlkit.table()
    for key, value in rule.items():
        table.add(key, value)
    table.add(tomlkit.nl())
    if "mask" not in tree:
        tree.append("mask", tomlkit.table(is_super_table=True))
    mask = tree["mask"]
    if mask.get(array):
        rules = mask[array]
        rules.append(table if isinstance(rules, tomlkit.items.AoT) else dict(rule))
        return
    if array in mask:
        del mask[array]
    rules = tomlkit.aot()
    rules.append(table)
    mask.append(array, rules)


def _replace(table: Any, rule: Mapping[str, str]) -> None:
    for key in RULE_KEYS:
        if key in rule and table.get(key) != rule[key]:
            table[key] = rule[key]
        elif key not in rule and key in table:
            del table[key]


def _text_without(text: str, array: RuleArray, place: int, edit: Edit) -> str:
    """Cut a rule out of the text, and leave the remarks that stand behind its last value."""
    import tomlkit  # noqa: PLC0415 - as above

    rules = tomlkit.parse(text)["mask"][array]
    if not isinstance(rules, tomlkit.items.AoT):
        return _by_tomlkit(text, edit)
    items = rules[place].value.body
    last = max((at for at, (key, _) in enumerate(items) if key is not None), default=-1)
    behind = "".join(item.as_string() for _, item in items[last + 1 :])
    block = rules[place].as_string()
    found = re.findall(rf"^[ \t]*\[\[[^\n]*\n{re.escape(block)}", text, re.MULTILINE)
    if len(found) != 1:
        raise _by_hand()
    return text.replace(found[0], behind.lstrip("\r\n") if behind.strip() else "")


def _text_without_value(text: str, key: str, edit: Edit) -> str:
    """Make a remark of the line of a value; where it is not one line of its own, take it out."""
    line = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*=[^\n]*", re.MULTILINE)
    for found in line.finditer(text):
        remarked = f"{text[: found.start()]}# {found[0].lstrip()}{text[found.end() :]}"
        meant = tomllib.loads(text)
        edit(meant)
        try:
            if _filled(tomllib.loads(remarked)) == _filled(meant):
                return remarked
        except tomllib.TOMLDecodeError:
            continue
    return _by_tomlkit(text, edit)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Let one page at a time look and write; an editor asks for no lock."""
    try:
        handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SettingsError(
            phrase("the home folder cannot be used: {reason}", reason=error.strerror)
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
