"""Time-stamping authorities over HTTP: good ones, and one that misbehaves in each way."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

Reply = Callable[[bytes], bytes]
# A TimeStampResp whose status is 2, rejection.
REJECTION = bytes.fromhex("30053003020102")


class ServedTsa:
    """Answer time-stamp queries on a free loopback port with what `reply` makes of them."""

    def __init__(
        self, reply: Reply, *, status: int = 200, location: str = "", encoding: str = ""
    ) -> None:
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked += 1
                query = self.rfile.read(int(self.headers["content-length"]))
                body = reply(query)
                self.send_response(status)
                for name, value in {"location": location, "content-encoding": encoding}.items():
                    if value:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Dripping:
    """Begin an answer with `begun`, then send `drop` now and then, for ever."""

    def __init__(self, begun: bytes, drop: bytes = b"a") -> None:
        self._begun = begun
        self._drop = drop
        self._end = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        # Wakes the one that accepts.
        with suppress(OSError), socket.create_connection(self._server.getsockname(), timeout=5):
            pass
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        while not self._end.is_set():
            connection, _ = self._server.accept()
            with connection, suppress(OSError):
                connection.sendall(self._begun)
                while not self._end.is_set():
                    connection.sendall(self._drop)
                    time.sleep(0.02)
