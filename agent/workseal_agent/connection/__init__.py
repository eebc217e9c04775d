"""The way to the verifier: one HTTP client, and a record of every byte that leaves."""

import workseal_agent.connection.bare  # noqa: F401 - before anything else loads httpx
from workseal_agent.connection.client import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    PAGE,
    TOTAL_SECONDS,
    BeaconChain,
    OperatorFacts,
    VerifierClient,
    default_transport,
    require_url,
)
from workseal_agent.connection.departures import (
    Departure,
    DepartureRecorder,
    Departures,
    DepartureSums,
)
from workseal_agent.connection.errors import RefusedError, UnreachableError
from workseal_agent.connection.traffic import TrafficRecorder

__all__ = [
    "MAX_BATCH",
    "MAX_BATCH_BYTES",
    "PAGE",
    "TOTAL_SECONDS",
    "BeaconChain",
    "Departure",
    "DepartureRecorder",
    "DepartureSums",
    "Departures",
    "OperatorFacts",
    "RefusedError",
    "TrafficRecorder",
    "UnreachableError",
    "VerifierClient",
    "default_transport",
    "require_url",
]
