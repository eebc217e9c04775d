"""`case openings`: write what a granted request of level 1 opens, to be handed over beside."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.caseopenings import count_segments, granted_openings, openings_of
from workseal_agent.cli.app import home_of
from workseal_agent.cli.casework import Name, case_app, named_case, own_cases
from workseal_agent.cli.printing import say
from workseal_agent.errors import AgentError
from workseal_agent.language import phrases
from workseal_protocol.cli.files import write_new_secret
from workseal_protocol.commitment import ValueKind


class Opened(StrEnum):
    """Name what level 1 may open."""

    ACTIVITY = "activity"
    NOTES = "notes"
    ENVIRONMENT = "environment"


@case_app.command("openings")
def write_openings(
    context: typer.Context,
    case: Name,
    *,
    out: Annotated[Path, typer.Option(help="The new file, for `case act show --file`.")],
    opened: Annotated[
        list[Opened] | None,
        typer.Option("--open", help="What to open; activity alone without. May be repeated."),
    ] = None,
) -> None:
    """Write the values that a granted request asks for, of its hours alone; nothing is sent."""
    home = home_of(context)
    with own_cases(home) as cases:
        ask = granted_openings(cases.live(named_case(cases, case)).case)
        kinds = {ValueKind[one.name] for one in opened or [Opened.ACTIVITY]}
        found = openings_of(home.open_ledger, cases.engagement.id, ask, kinds)
        there = count_segments(home.open_ledger, cases.engagement.id, ask)
        if not found:
            raise AgentError("nothing of these hours can be opened")
        write_new_secret(out, b"".join(one.encode() for one in found))
    say(
        phrases(
            len(found),
            "{out}: {count} value opened, of {segments}; no pixel is in it",
            "{out}: {count} values opened, of {segments}; no pixel is in it",
            out=out,
            segments=_segments(
                len({one.statement for one in found if one.kind is not ValueKind.ENVIRONMENT}),
                there,
            ),
        )
    )


def _segments(opened: int, there: int) -> str:
    return phrases(
        there,
        "{opened} of the {count} segment of these hours",
        "{opened} of the {count} segments of these hours",
        opened=opened,
    )
