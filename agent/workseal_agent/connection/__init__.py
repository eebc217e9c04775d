"""The way to the verifier: one HTTP client, and a record of every byte that leaves."""

from workseal_agent.connection.departures import (
    Departure,
    DepartureRecorder,
    Departures,
    DepartureSums,
)
from workseal_agent.connection.traffic import TrafficRecorder
from workseal_client import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    PAGE,
    TOTAL_SECONDS,
    BeaconChain,
    ClientError,
    DeadlineTransport,
    OperatorFacts,
    RefusedError,
    Request,
    Response,
    Transport,
    Trust,
    UnreachableError,
    VerifierClient,
    default_transport,
    require_url,
)

__all__ = [
    "MAX_BATCH",
    "MAX_BATCH_BYTES",
    "PAGE",
    "TOTAL_SECONDS",
    "BeaconChain",
    "ClientError",
    "DeadlineTransport",
    "Departure",
    "DepartureRecorder",
    "DepartureSums",
    "Departures",
    "OperatorFacts",
    "RefusedError",
    "Request",
    "Response",
    "TrafficRecorder",
    "Transport",
    "Trust",
    "UnreachableError",
    "VerifierClient",
    "default_transport",
    "require_url",
]
