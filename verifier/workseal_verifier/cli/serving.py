"""The command that serves, in this process or in several."""

import dataclasses
import logging
import resource
import socket
from typing import Annotated

import typer

from workseal_verifier import logs
from workseal_verifier.authorities import configured
from workseal_verifier.cli.home import Home
from workseal_verifier.config import Settings
from workseal_verifier.errors import SettingsError
from workseal_verifier.homelock import require_free
from workseal_verifier.local_tsa import LocalTsa

_logger = logging.getLogger(__name__)


def serve(
    home: Home,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port.")] = 8080,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that serve; more than 1: PostgreSQL.")
    ] = 1,
    *,
    local_tsa: Annotated[
        bool,
        typer.Option("--local-tsa", help="Time-stamp with an authority of your own, to try out."),
    ] = False,
    stamp_interval: Annotated[
        int | None, typer.Option(min=1, help="Seconds between time-stamps.")
    ] = None,
) -> None:
    """Run the server until it is told to stop."""
    # A core file would hold what a disclosure showed.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    settings = Settings.load(home)
    # Before the framework is loaded: on a busy machine that alone takes many seconds.
    require_free(settings.lock)
    from workseal_verifier import serving  # noqa: PLC0415

    logs.configure(settings.log_format, settings.log_level)
    if stamp_interval is not None:
        settings = dataclasses.replace(settings, stamp_interval_s=stamp_interval)
    possible = serving.allow_connections(settings.max_connections)
    if possible < settings.max_connections:
        _logger.warning(
            "the system allows %s connections, not %s", possible, settings.max_connections
        )
        settings = dataclasses.replace(settings, max_connections=possible)
    if workers > 1 and not settings.database_url:
        raise SettingsError(
            "several workers need a database that they share: set database_url to PostgreSQL"
        )
    listener = serving.bind(host, port)
    tsa = LocalTsa(home / "tsa") if local_tsa else None
    line = f"serving {settings.origin} on http://{host}:{listener.getsockname()[1]}"
    try:
        local_url = "" if tsa is None else tsa.url
        if workers > 1:
            from workseal_verifier.workers import supervise  # noqa: PLC0415

            supervise(settings, listener, workers, local_url, lambda: _announce(line))
        else:
            _serve_alone(settings, listener, local_url, line)
    finally:
        if tsa is not None:
            tsa.close()


def _serve_alone(
    settings: Settings, listener: socket.socket, local_tsa_url: str, line: str
) -> None:
    from workseal_verifier import serving  # noqa: PLC0415
    from workseal_verifier.app import create_app  # noqa: PLC0415
    from workseal_verifier.running import Verifier  # noqa: PLC0415

    verifier = Verifier(settings, authorities=configured(settings, local_tsa_url))
    try:
        verifier.open()
        server = serving.make_server(
            create_app(settings, verifier), settings, lambda: _announce(line)
        )
        server.run(sockets=[listener])
    finally:
        verifier.close()


def _announce(line: str) -> None:
    typer.echo(line, color=False)
