"""The list of commands, as a day meets them: what begins, what runs, what is shown to others.

Rule: a command that stands in no group is listed last, so that none is ever missing.
"""

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup

from workseal_agent.language import own, phrase

_GROUPS = (
    (phrase("To begin"), ("init", "join", "doctor", "open", "autostart", "tray")),
    (phrase("While you work"), ("start", "status", "pause", "resume", "mode", "seal", "stop")),
    (
        phrase("What you did"),
        ("label", "prove", "declare", "evidence", "timesheet", "timesheets"),
    ),
    (phrase("Your pictures"), ("frames", "withdraw", "forget", "vault", "tags")),
    (phrase("For others to see"), ("export", "attest", "keys", "send", "copy", "witness")),
    (phrase("In a dispute"), ("case", "contact", "sign-in", "disclose", "disclosures", "trace")),
    (
        phrase("Keys and copies"),
        ("slots", "recovery-key", "revoke-key", "backup", "restore", "catch-up", "export-all"),
    ),
)
_REST = phrase("Commands")


class DayOverview(TyperGroup):
    """Show the commands in groups, each with the whole of its sentence."""

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write the groups of the help."""
        shown = {
            name: command.help or ""
            for name, command in self.commands.items()
            if not command.hidden
        }
        # All in one column, whatever group they are in.
        widest = max(map(len, shown))
        for heading, names in self._groups(list(shown)):
            with formatter.section(own(heading)):
                formatter.write_dl([(name.ljust(widest), shown[name]) for name in names])

    @staticmethod
    def _groups(names: list[str]) -> Iterator[tuple[str, list[str]]]:
        for heading, wanted in _GROUPS:
            yield heading, [name for name in wanted if name in names]
            names = [name for name in names if name not in wanted]
        if names:
            yield _REST, names
