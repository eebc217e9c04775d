"""A drand network of one, with a real key, and relays of it over HTTP, good and bad."""

import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from workseal_verifier.drand import checker
from workseal_verifier.services.relaying import Network

GENESIS_S = 1_700_000_000
PERIOD_S = 3
_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

Reply = Callable[[str], tuple[int, bytes]]


class OneMan:
    """Sign any round, also one that has not begun."""

    def __init__(self, seed: bytes = b"drand") -> None:
        self._secret = Scalar.from_be_bytes_mod_order(hashlib.sha256(seed).digest())
        self.chain = hashlib.sha256(b"chain" + seed).digest()
        self.key = bytes((G2Point() * self._secret).to_compressed_bytes())

    @property
    def network(self) -> Network:
        return Network(self.chain, GENESIS_S, PERIOD_S, checker(self.key))

    def sign(self, number: int) -> bytes:
        message = hashlib.sha256(number.to_bytes(8, "big")).digest()
        return bytes((G1Point.hash_to_curve(message, _DOMAIN) * self._secret).to_compressed_bytes())

    def answer(self, number: int) -> bytes:
        """Write what a relay answers for a round."""
        signature = self.sign(number)
        randomness = hashlib.sha256(signature).hexdigest()
        value = {"round": number, "randomness": randomness, "signature": signature.hex()}
        return json.dumps(value).encode()


class ServedDrand:
    """Answer GET requests on a free loopback port with what `reply` makes of the path."""

    def __init__(self, reply: Reply) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body = reply(self.path)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
