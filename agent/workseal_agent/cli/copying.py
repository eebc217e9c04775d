"""`copy`: write what this agent sent and was shown, for an operator who lost a part of the log."""

from pathlib import Path
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.counted import checkpoints_text, statements_text
from workseal_agent.cli.printing import say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.export import copy_of_log
from workseal_agent.language import phrase
from workseal_agent.writing import write_private


@app.command()
def copy(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The new file to write, like mine.logcopy.")],
) -> None:
    """Copy what the log had of you before, so that its operator can rebuild what was lost."""
    home = home_of(context)
    engagement = home.engagement()
    if out.exists() or not out.absolute().parent.is_dir():
        raise UsageProblem(
            phrase("{out} cannot be written: it exists, or its folder is missing", out=out)
        )
    made = copy_of_log(home.ledger, engagement)
    write_private(out, made.data)
    say(
        phrase(
            "{out}: {statements} and {checkpoints} of {origin}",
            out=out,
            statements=statements_text(made.statements),
            checkpoints=checkpoints_text(made.checkpoints),
            origin=made.origin,
        )
    )
    say("all of it was in the log before: no picture, no memo, nothing that was not sent")
