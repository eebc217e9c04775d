"""`doctor`: what on this machine can be used for recording, what cannot, and why."""

import json
import os
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.home import Home
from workseal_agent.cli.printing import columns, raw, say
from workseal_agent.clock import SystemClock
from workseal_agent.config import Settings, load_settings
from workseal_agent.errors import AgentError
from workseal_agent.fitness import Fitness
from workseal_agent.language import Phrase, own, phrase, told_of
from workseal_agent.ledger import Engagement
from workseal_agent.submission import newest_checkpoint
from workseal_agent.surroundings import Surroundings
from workseal_protocol.terms import Level

if TYPE_CHECKING:
    from workseal_agent.doctor import Check, Report

_VERIFIER_SECONDS = 5.0


@app.command()
def doctor(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Examine what recording needs; nothing is recorded, kept or changed."""
    report = _examined(home_of(context))
    if as_json:
        raw(json.dumps(report.facts()))
    else:
        _tell(report)
    if report.problems:
        raise typer.Exit(1)


def _examined(home: Home) -> "Report":
    # Every source is loaded for it: no other command waits for them.
    from workseal_agent.doctor import Report, examine_sources  # noqa: PLC0415
    from workseal_agent.doctor.machine import (  # noqa: PLC0415
        check_clocks,
        check_folder,
        check_keyring,
        check_space,
    )
    from workseal_agent.doctor.sources import Wanted  # noqa: PLC0415
    from workseal_agent.mask import load_only, load_rules  # noqa: PLC0415

    settings, engagement, of_home = _home(home)
    level = Level.FRAMES if engagement is None else engagement.terms.level
    only = load_only(settings, None if engagement is None else engagement.id)
    wanted = Wanted(
        settings.screen.kind,
        settings.activity.kind,
        settings.screen.replay,
        masking=bool(load_rules(settings) or only),
        pictures=level >= Level.FRAMES,
        counts=level >= Level.ACTIVITY,
    )
    around = Surroundings.of(os.environ, display=settings.screen.display)
    return Report(
        examine_sources(around, wanted),
        (
            *of_home,
            check_clocks(),
            check_folder(settings.vault_folder),
            check_space(settings.vault_folder),
            check_keyring(),
            *([] if engagement is None else [_verifier(home, engagement)]),
        ),
    )


def _home(home: Home) -> tuple[Settings, Engagement | None, list["Check"]]:
    """Read what there is of a home; what is missing becomes a check that fails."""
    from workseal_agent.doctor import Check  # noqa: PLC0415
    from workseal_agent.mask import require_known  # noqa: PLC0415

    try:
        settings = home.settings
    except AgentError as error:
        settings = load_settings(home.folder)
        return (
            settings,
            None,
            [Check(Fitness("home", fit=False, reason=told_of(error)), needed=True)],
        )
    made = Check(
        Fitness("home", fit=True, reason=phrase("keys and settings are there")), needed=True
    )
    try:
        engagement = home.engagement()
        if newest_checkpoint(home.ledger, engagement.id) is None:
            raise AgentError(  # noqa: TRY301 - one answer for all
                "the acceptance is not logged yet: run `workseal-agent join` again"
            )
        require_known(settings, [one.id for one in home.ledger.engagements()])
    except AgentError as error:
        joined = Fitness("engagement", fit=False, reason=told_of(error))
        return settings, None, [made, Check(joined, needed=True)]
    running = home.recorded() == engagement.id.hex()
    state = phrase("its terms are accepted and logged")
    if running:
        state = phrase("it is being recorded now")
    joined = Fitness("engagement", fit=True, reason=state)
    return settings, engagement, [made, Check(joined, needed=True)]


def _verifier(home: Home, engagement: Engagement) -> "Check":
    from workseal_agent.doctor.machine import check_verifier  # noqa: PLC0415

    with closing(home.client(engagement.url, seconds=_VERIFIER_SECONDS)) as client:
        return check_verifier(lambda: client.operator().time_ms, SystemClock())


def _tell(report: "Report") -> None:
    from workseal_agent.doctor import title_of  # noqa: PLC0415

    rows: list[tuple[str, ...]] = []
    for one in report.sources:
        for each in one.candidates:
            judged = _judged(each, picked=one.picked)
            rows.append((title_of(one.kind), each.name, judged, own(each.reason)))
    rows += [
        (title_of(check.found.name), "", _judged(check.found), own(check.found.reason))
        for check in report.checks
    ]
    columns(rows)
    say()
    if not report.problems:
        say("recording can begin")
    for problem in report.problems:
        say(phrase("recording cannot begin: {problem}", problem=problem))


def _judged(found: Fitness, *, picked: str | None = None) -> Phrase:
    if found.name == picked:
        return phrase("picked")
    return phrase("fit") if found.fit else phrase("not fit")
