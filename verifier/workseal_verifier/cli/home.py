"""What the commands need of a home: where it is, and its database."""

from pathlib import Path
from typing import Annotated

import typer

from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError
from workseal_verifier.store.engine import Database

Home = Annotated[
    Path, typer.Option("--home", help="The verifier's folder.", envvar="WORKSEAL_VERIFIER_HOME")
]


def opened(settings: Settings) -> Database:
    """Open the database of a home that has served; refuse one of another version."""
    if not settings.database_url and not settings.database.exists():
        raise ConfigError(f"{settings.home} has no log yet: run 'workseal-verifier serve' first")
    database = Database(settings.store)
    database.check_version()
    return database
