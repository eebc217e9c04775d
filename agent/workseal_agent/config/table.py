"""One table of a TOML file, read key by key.

Rule: a key that nobody asked for is refused with the names of those that are known, and a text
never repeats a value.
"""

from pathlib import Path
from typing import Any, cast

from workseal_agent.errors import SettingsError
from workseal_agent.language import phrase


class Table:
    """Read a TOML table key by key and refuse what nobody asked for."""

    def __init__(self, values: dict[str, Any], place: str) -> None:
        self._left = dict(values)
        self._known: list[str] = []
        self._place = place

    def _take(self, key: str, form: type, what: str) -> Any:
        self._known.append(key)
        value = self._left.pop(key, None)
        if value is not None and type(value) is not form:
            raise SettingsError(
                phrase("{key} in {place} must be {what}", key=key, place=self._place, what=what)
            )
        return value

    def text(self, key: str, *, maximum: int = 4096) -> str | None:
        """Read a text of bounded length; None without one."""
        value = self._take(key, str, "text")
        if value is not None and not 1 <= len(value) <= maximum:
            raise SettingsError(
                phrase(
                    "{key} in {place} must have 1 to {maximum} characters",
                    key=key,
                    place=self._place,
                    maximum=maximum,
                )
            )
        return cast("str | None", value)

    def path(self, key: str) -> Path | None:
        """Read a path; `~` is the owner's folder."""
        value = self.text(key)
        return None if value is None else Path(value).expanduser()

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """Read one of some words; the first without one."""
        value = self.text(key)
        if value is None:
            return choices[0]
        if value not in choices:
            raise SettingsError(
                phrase(
                    "{key} in {place} must be one of {choices}",
                    key=key,
                    place=self._place,
                    choices=", ".join(choices),
                )
            )
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._take(key, bool, "true or false")
        return default if value is None else bool(value)

    def number(self, key: str, *, default: int, maximum: int) -> int:
        """Read a whole number from 1 on."""
        value = self._take(key, int, "a whole number")
        if value is None:
            return default
        if not 1 <= value <= maximum:
            raise SettingsError(
                phrase(
                    "{key} in {place} must be 1 to {maximum}",
                    key=key,
                    place=self._place,
                    maximum=maximum,
                )
            )
        return int(value)

    def table(self, key: str) -> "Table":
        """Read a table; an empty one without it."""
        return Table(self._take(key, dict, "a table") or {}, f"[{key}]")

    def tables(self, key: str, place: str, *, maximum: int) -> list["Table"]:
        """Read an array of tables; each is named by its number."""
        values = self._take(key, list, "an array of tables") or []
        if len(values) > maximum or not all(type(value) is dict for value in values):
            raise SettingsError(
                phrase(
                    "{place} must be an array of at most {maximum} tables",
                    place=place,
                    maximum=maximum,
                )
            )
        return [Table(value, f"{place} {n}") for n, value in enumerate(values, 1)]

    def close(self) -> None:
        """Refuse the first key that was not asked for."""
        for key in self._left:
            name = key if len(key) <= 40 and key.isprintable() else "a key"
            known = ", ".join(self._known)
            raise SettingsError(
                phrase(
                    "{name} in {place} is not known; known are: {known}",
                    name=name,
                    place=self._place,
                    known=known,
                )
            )
