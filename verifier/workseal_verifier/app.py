"""The HTTP application of one home."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI

from workseal_protocol.sealing import MAX_PACKAGE_BYTES, MAX_SEALED_BYTES
from workseal_verifier.api import (
    cases,
    disputes,
    drand,
    engagements,
    invitations,
    keys,
    log,
    notices,
    openapi,
    operator,
    scrapi,
    signin,
    statements,
    stopping,
)
from workseal_verifier.api.access import HERE
from workseal_verifier.api.answers import Answers
from workseal_verifier.api.arrivals import Arrivals
from workseal_verifier.api.direct import Direct, Endpoint
from workseal_verifier.api.doors import MOST_WHOLE, Doors
from workseal_verifier.api.edge import Edge
from workseal_verifier.api.guard import READ, SUBMISSION, Budget, Gate, Guard
from workseal_verifier.api.lanes import Lanes
from workseal_verifier.api.newest import Newest
from workseal_verifier.api.problems import install
from workseal_verifier.api.routing import operations, require_rows
from workseal_verifier.api.strict import require_known_query
from workseal_verifier.api.together import Together
from workseal_verifier.config import Settings
from workseal_verifier.measured import MetricsServer
from workseal_verifier.running import MIB, Verifier
from workseal_verifier.services.access import TABLE
from workseal_verifier.services.limits import Limiter
from workseal_verifier.web import agreements, days, door, weeks
from workseal_verifier.web import cases as casepages
from workseal_verifier.web import notices as noticepages

# Bodies that arrive at once, of at most 1 MiB each or not yet looked at, and all their bytes.
_ARRIVING: Final = 256
_ARRIVING_BYTES: Final = 32 * MIB

# Newer releases of the framework tell every address that is asked for, engagements among them, to
# whoever else in the process or its environment has set that up; earlier ones ignore this.
_NO_TELEMETRY: Final[Mapping[str, Any]] = {
    "telemetry": dict.fromkeys(
        ("tracing", "metrics", "logs", "operation_spans", "auto_configure"), False
    )
}
# The operations that nearly every request asks for, by the names of their routes.
_DIRECTLY: Final[Mapping[str, Endpoint]] = {
    "POST /v1/statements": statements.post_directly,
    "GET /v1/statements/{name}": statements.get_proof_directly,
    "GET /v1/log/checkpoint": log.get_checkpoint_directly,
    "GET /v1/log/tile/{path:path}": log.get_tile_directly,
}


def create_app(settings: Settings, verifier: Verifier | None = None) -> FastAPI:
    """Make the HTTP application of one home; it opens the log when it starts."""
    running = verifier or Verifier(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running.open()
        metrics = None
        if settings.metrics_port:
            metrics = MetricsServer(running.meters, settings.metrics_port)
        try:
            yield
        finally:
            together.close()
            if metrics is not None:
                metrics.close()
            running.close()

    app = FastAPI(
        title="Workseal verifier",
        lifespan=lifespan,
        # The framework's pages load scripts from elsewhere; docs/spec describes the interface.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        **_NO_TELEMETRY,
        # What is asked for must be in its form; then the door decides, for every route.
        dependencies=[Depends(require_known_query), HERE],
    )
    app.state.services = running.services
    app.state.body_timeout_s = settings.body_timeout_s
    app.state.lanes = Lanes()
    app.state.answers = answers = Answers()
    services = running.services
    app.state.newest = Newest(lambda: services.sequencer.current, alone=services.reader.is_alone)
    app.state.gate = gate = Gate(_budget(settings), running.meters.answered)
    app.state.together = together = Together(running.services, gate, answers, running.checks)
    app.state.arrivals = Arrivals(most=_ARRIVING, most_bytes=_ARRIVING_BYTES)
    app.state.disclosing = Doors(most_bytes=MOST_WHOLE * MAX_PACKAGE_BYTES)
    app.state.sealing = Doors(most_bytes=MOST_WHOLE * MAX_SEALED_BYTES)
    # The first that fits answers: drand before the beacon's periods.
    for part in (
        statements,
        scrapi,
        log,
        engagements,
        keys,
        cases,
        notices,
        disputes,
        drand,
        operator,
        invitations,
        signin,
        stopping,
        openapi,
        door,
        agreements,
        weeks,
        days,
        casepages,
        noticepages,
    ):
        app.include_router(part.router)
    # The framework asks the door before its own routes alone: another kind would stand open.
    require_rows(app.routes, TABLE)
    install(app)
    app.state.description = description = openapi.Description(app.routes)
    # Assigned, as the framework's documentation has it: its own description knows no CBOR.
    app.openapi = description.document  # type: ignore[method-assign]
    routes = dict(operations(app.routes))
    app.add_middleware(
        Direct, ways=[(routes[name], endpoint) for name, endpoint in _DIRECTLY.items()]
    )
    app.add_middleware(Edge)
    app.add_middleware(Guard, gate=gate)
    return app


def _budget(settings: Settings) -> Budget:
    return Budget(
        {READ: settings.max_reads, SUBMISSION: settings.max_submissions},
        Limiter(
            rate=settings.sender_rate,
            burst=settings.sender_burst,
            what="requests from one sender",
        ),
        settings.sender_header,
    )
