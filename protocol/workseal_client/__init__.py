"""A small client library of a verifier's HTTP interface (docs/spec/api.md).

The map: `exchange` sends one request, signed and bounded; `publiclog` asks what anybody may;
`client` what a party may; `deadline` reaches the network over a `connection`, by the authorities of
`trust`, and any other `transport` may take its place. An answer is believed in nothing but its
form: give it to `workseal_protocol`. Needs the extra `client`.
"""

from workseal_client.client import MAX_BATCH, MAX_BATCH_BYTES, PAGE, VerifierClient
from workseal_client.deadline import DeadlineTransport
from workseal_client.errors import ClientError, RefusedError, UnreachableError
from workseal_client.exchange import TOTAL_SECONDS, default_transport, require_url
from workseal_client.publiclog import BeaconChain, OperatorFacts, PublicLog
from workseal_client.transport import Request, Response, Transport
from workseal_client.trust import Trust

__all__ = [
    "MAX_BATCH",
    "MAX_BATCH_BYTES",
    "PAGE",
    "TOTAL_SECONDS",
    "BeaconChain",
    "ClientError",
    "DeadlineTransport",
    "OperatorFacts",
    "PublicLog",
    "RefusedError",
    "Request",
    "Response",
    "Transport",
    "Trust",
    "UnreachableError",
    "VerifierClient",
    "default_transport",
    "require_url",
]
