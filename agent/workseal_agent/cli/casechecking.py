"""`case check`: have the operator check what an arbitrator got sealed only."""

from typing import Annotated

import typer

from workseal_agent.cli.app import home_of
from workseal_agent.cli.casework import Name, Yes, case_app, named_case, own_cases
from workseal_agent.cli.counted import frames_text
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase, phrases
from workseal_agent.rechecking import checkable, have_checked, named
from workseal_agent.vault import VaultReader
from workseal_protocol.cli.acting import findings_in
from workseal_protocol.records import Outcome


@case_app.command("check")
def check_case(
    context: typer.Context,
    case: Name,
    *,
    disclosure: Annotated[
        str | None, typer.Option(help="First digits of your answer; the newest without.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Have the operator check what you showed sealed only: the verifier gets those tiles."""
    home = home_of(context)
    with own_cases(home) as cases:
        live = cases.live(named_case(cases, case))
        stored = named(checkable(cases, live.case), disclosure)
        reader = VaultReader(home.files.vault_folder, home.vault_key())
        before = [one for one in findings_in(live) if one.disclosure == stored.digest]
        for one in before:
            say(one.line)
        answer = cases.answer_of(stored, reader)
        shown = sum(len(one.disclosure.shown) for one in answer.opened)
        say(
            phrases(
                shown,
                "the verifier will see {count} tile of {frames}, which the arbitrator got; it"
                " keeps none, and what it finds is logged",
                "the verifier will see {count} tiles of {frames}, which the arbitrator got; it"
                " keeps none, and what it finds is logged",
                frames=frames_text(len(answer.opened)),
            )
        )
        if not yes and not confirmed("Show them to the verifier?"):
            raise AgentError("nothing was shown to the verifier")
        answer, found = have_checked(cases, stored, reader)
        numbers = {one.disclosure.digest: one.frame.number for one in answer.opened}
        for each in found:
            values = {
                "number": numbers[each.disclosure],
                "shown": each.shown,
                "tiles": each.tiles,
            }
            if each.outcome is Outcome.HOLDS:
                say(phrase("frame {number}: holds, {shown} of {tiles} tiles", **values))
            else:
                say(phrase("frame {number}: fails, {shown} of {tiles} tiles", **values))
        if len(cases.live(live.case.case).steps) > len(live.steps):
            say("the operator's finding is in the case; cite it by `case act comment` or `appeal`")
        else:
            say("the operator's finding is in the log; cite it by `case act comment` or `appeal`")
    if any(each.outcome is not Outcome.HOLDS for each in found):
        raise AgentError("the operator says as well that something does not hold")
