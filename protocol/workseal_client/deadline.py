"""The network: one time limit for a whole exchange, from connecting to the end of the answer.

HTTP libraries limit each step. A peer whose answer drips keeps every step short and the exchange
endless, so here each step has at most what is left of the whole. Proxies of the environment are
not used, and nothing of an address stands in what is told of a failure.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import h11

from workseal_client.connection import Clock, Connection
from workseal_client.dialing import dial
from workseal_client.errors import UnreachableError
from workseal_client.transport import Address, Request, Response
from workseal_client.trust import Trust
from workseal_protocol.worded import Worded, worded

# Shorter than a server's own: what lay idle through a suspend is not tried again.
_IDLE_SECONDS = 4.0


class DeadlineTransport:
    """Reach the network, with `seconds` for each whole exchange; certificates are checked.

    Threads may share it: each exchange has a connection of its own.
    """

    def __init__(self, trust: Trust, *, seconds: float) -> None:
        self._trust = trust
        self._seconds = seconds
        self._lock = threading.Lock()
        self._idle: dict[Address, list[tuple[Connection, float]]] = {}

    def send(self, request: Request) -> Response:
        """Send a request and read the head of the answer; the body is read as it is asked for."""
        clock = Clock(self._seconds, request.seconds)
        connection = self._kept(request.address) or self._opened(request, clock)
        try:
            with _told_plainly():
                connection.send(request, clock)
                status, headers = connection.head(clock)
        except BaseException:
            connection.close()
            raise
        body = self._body(request.address, connection, clock)
        return Response(status, headers, body, connection.close)

    def close(self) -> None:
        """Close the connections that wait for a next request."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connection, _ in (one for kept in idle.values() for one in kept):
            connection.close()

    def _kept(self, address: Address) -> Connection | None:
        """Return a connection that can take another request; what cannot is closed."""
        while True:
            with self._lock:
                kept = self._idle.get(address)
                if not kept:
                    return None
                connection, since = kept.pop()
            if time.monotonic() - since < _IDLE_SECONDS and connection.quiet():
                return connection
            connection.close()

    def _opened(self, request: Request, clock: Clock) -> Connection:
        with _reached():
            try:
                return Connection(self._greeted(request, clock))
            except ssl.SSLCertVerificationError as refused:
                if not self._trust.widened(refused):
                    raise
            return Connection(self._greeted(request, clock))

    def _greeted(self, request: Request, clock: Clock) -> socket.socket:
        address = request.address
        limit = clock.left(request.connect_seconds)
        opened = dial(address.host, address.port, limit)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.scheme == "https":
                opened.settimeout(clock.left(request.connect_seconds))
                return self._trust.wrap(opened, address.host)
        except BaseException:
            opened.close()
            raise
        return opened

    def _body(self, address: Address, connection: Connection, clock: Clock) -> Iterator[bytes]:
        with _told_plainly():
            yield from connection.body(clock)
        if connection.ready_again():
            with self._lock:
                self._idle.setdefault(address, []).append((connection, time.monotonic()))
        else:
            connection.close()


@contextmanager
def _reached() -> Iterator[None]:
    """Say in plain words why nobody could be connected to."""
    try:
        yield
    except TimeoutError as error:
        raise _unanswered(worded("it took too long")) from error
    except ssl.SSLCertVerificationError as error:
        raise _unanswered(_unbelieved(error)) from error
    except (OSError, ValueError) as error:
        raise _unanswered(worded("it cannot be reached")) from error


def _unbelieved(refused: ssl.SSLCertVerificationError) -> Worded:
    """Say what is wrong with a certificate: each has another remedy, and somebody else's."""
    # OpenSSL's numbers (X509_V_ERR in x509_vfy.h).
    match refused.verify_code:
        case 9:
            return worded("its certificate is not valid yet, by the clock of this machine")
        case 10:
            return worded("its certificate has expired, by the clock of this machine")
        case 62 | 64:
            return worded("its certificate is for other addresses than that one")
        case _:
            return worded("its certificate is from nobody whom this machine trusts")


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say in plain words why no answer came."""
    try:
        yield
    except TimeoutError as error:
        raise _unanswered(worded("it took too long")) from error
    except (OSError, h11.ProtocolError) as error:
        raise _unanswered(worded("the connection broke off")) from error


def _unanswered(reason: Worded) -> UnreachableError:
    return UnreachableError(worded("no answer from the verifier: {reason}", reason=reason))
