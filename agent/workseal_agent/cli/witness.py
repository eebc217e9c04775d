"""`witness`: make or show the witness that runs while this agent records."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from workseal_agent.cli.app import app, home_of
from workseal_agent.cli.printing import raw, say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.config import Settings
from workseal_agent.errors import AgentError
from workseal_agent.language import phrase, phrases
from workseal_protocol.cli.text import instant
from workseal_witness.errors import WitnessError
from workseal_witness.home import Home, State, create, opened
from workseal_witness.store import Fork, SeenRow


@app.command()
def witness(
    context: typer.Context,
    *,
    name: Annotated[
        str | None,
        typer.Option(help="Make a witness of this name for ever, such as you.example/w1."),
    ] = None,
) -> None:
    """Cosign the log's checkpoints while you record, so that it cannot show two histories."""
    settings = home_of(context).settings
    place = Home(settings.witness_folder)
    try:
        if name is not None:
            create(place, name)
        elif not place.folder.exists():
            raise AgentError("there is no witness yet: `workseal-agent witness --name NAME`")
        _tell(settings, place)
    except ValueError as error:
        raise UsageProblem(phrase("the name of a witness: {error}", error=error)) from error
    except WitnessError as error:
        raise AgentError(str(error)) from error


def _tell(settings: Settings, place: Home) -> None:
    with opened(place) as state:
        with state.store.write() as reading:
            rows = {key.name: reading.seen(key.name) for key in reading.logs()}
            forks = reading.forks()
        _show(settings, place, state, rows, forks)
        # Last, so that the rest is seen too: this one cosigns no more.
        state.require_not_restored()


def _show(
    settings: Settings,
    place: Home,
    state: State,
    rows: Mapping[str, SeenRow | None],
    forks: Sequence[Fork],
) -> None:
    for key in state.keys:
        raw(key.encode())
    listen = settings.witness
    if listen is None:
        say("it does not run yet: set listen under [witness] in config.toml")
    else:
        say(
            phrase(
                "it listens on {host} port {port} while you record",
                host=listen.host,
                port=listen.port,
            )
        )
    for origin, row in rows.items():
        found = phrase("nothing cosigned yet")
        if row is not None:
            found = phrase(
                "size {size}, cosigned {at}",
                size=row.seen.size,
                at=instant(row.cosigned_at * 1000),
            )
        say(phrase("{origin}: {found}", origin=origin, found=found))
    if forks:
        say(
            phrases(
                len(forks),
                "{count} FORK kept: the log has two histories; `workseal-witness forks` with"
                " --home {folder} --out FOLDER writes it out",
                "{count} FORKS kept: the log has two histories; `workseal-witness forks` with"
                " --home {folder} --out FOLDER writes them out",
                folder=place.folder,
            )
        )
