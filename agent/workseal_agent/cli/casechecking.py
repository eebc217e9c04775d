"""`case check`: have the operator check what an arbitrator got sealed only."""

from typing import Annotated

import typer

from workseal_agent.cli.app import home_of
from workseal_agent.cli.casework import Name, Yes, case_app, named_case, own_cases
from workseal_agent.cli.printing import confirmed, say
from workseal_agent.errors import AgentError
from workseal_agent.rechecking import checkable, have_checked, named
from workseal_agent.vault import VaultReader
from workseal_protocol.cli.acting import findings_in
from workseal_protocol.cli.text import count
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
        reader = VaultReader(home.settings.vault_folder, home.vault_key())
        before = [one for one in findings_in(live) if one.disclosure == stored.digest]
        for one in before:
            say(one.line)
        answer = cases.answer_of(stored, reader)
        shown = sum(len(one.disclosure.shown) for one in answer.opened)
        say(
            f"the verifier will see {count(shown, 'tile')} of"
            f" {count(len(answer.opened), 'frame')}, those that the arbitrator got; it keeps none,"
            " and what it finds is logged"
        )
        if not yes and not confirmed("Show them to the verifier?"):
            raise AgentError("nothing was shown to the verifier")
        answer, found = have_checked(cases, stored, reader)
        numbers = {one.disclosure.digest: one.frame.number for one in answer.opened}
        for each in found:
            word = "holds" if each.outcome is Outcome.HOLDS else "fails"
            say(f"frame {numbers[each.disclosure]}: {word}, {each.shown} of {each.tiles} tiles")
        after = cases.live(live.case.case)
        where = "in the case" if len(after.steps) > len(live.steps) else "in the log"
        say(f"the operator's finding is {where}; cite it by `case act comment` or `appeal`")
    if any(each.outcome is not Outcome.HOLDS for each in found):
        raise AgentError("the operator says as well that something does not hold")
