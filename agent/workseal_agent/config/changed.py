"""Whether the settings were changed since a recording read them.

Rule: what is in force is what was read. A mask rule that somebody adds meanwhile protects nothing,
and whoever adds one in a hurry must be told.
"""

from pathlib import Path

from workseal_agent.language import Phrase, phrase


class SettingsFile:
    """Remember how the file was before it was read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = self._look()

    @property
    def trouble(self) -> Phrase | None:
        """Say that the file is another one by now; None while it is the one that was read."""
        if self._look() == self._read:
            return None
        return phrase(
            "config.toml was changed since this recording began: what was changed, mask rules too,"
            " is in force after `stop` and `start`"
        )

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
