"""Witnesses of somebody else, run in this process or behind HTTP, and an office that has them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from workseal_protocol.note import VerifierKey
from workseal_verifier.services.outside import Outside
from workseal_witness.home import Home, create, opened, witness_of
from workseal_witness.serving import Server, bind
from workseal_witness.witness import Answer, Witness


@dataclass
class Stand:
    """A real witness that can be made to fail."""

    name: str
    home: Home
    witness: Witness
    keys: tuple[VerifierKey, ...]
    # Every request that arrived: path and body.
    asked: list[tuple[str, bytes | None]] = field(default_factory=list)
    # What answers in the witness's place.
    instead: Callable[[str, bytes | None], tuple[int, bytes]] | None = None
    # Cleared: no answer comes until it is set.
    open: threading.Event = field(default_factory=threading.Event)

    def send(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        self.asked.append((path, body))
        self.open.wait(20)
        if self.instead is not None:
            return self.instead(path, body)
        return self.really(path, body)

    def really(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        if body is None:
            found = self.witness.newest(path)
            return (404, b"") if found is None else (200, found)
        answer: Answer = self.witness.add_checkpoint(body)
        return answer.status, answer.body

    @property
    def outside(self) -> Outside:
        return Outside({self.name: self.keys[0]}, self.send)

    def down(self) -> None:
        def refuse(_path: str, _body: bytes | None) -> tuple[int, bytes]:
            raise OSError("no answer: ConnectError")

        self.instead = refuse


@contextmanager
def stands(
    folder: Path, names: list[str], log: VerifierKey, now_s: Callable[[], int]
) -> Iterator[list[Stand]]:
    """Make witnesses that trust the log."""
    with ExitStack() as closing:
        made = []
        for name in names:
            home = Home(folder / f"witness-{name}")
            create(home, f"{name}.example/w1")
            state = closing.enter_context(opened(home))
            witness = witness_of(home, state, now_s)
            witness.trust([log])
            stand = Stand(name, home, witness, state.keys)
            stand.open.set()
            made.append(stand)
        yield made


@contextmanager
def serving(witness: Witness) -> Iterator[str]:
    """Serve a witness over HTTP; give its address."""
    listener = bind("127.0.0.1", 0)
    server = Server(witness, listener)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(ready.set,))
    thread.start()
    try:
        ready.wait(10)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        thread.join()
