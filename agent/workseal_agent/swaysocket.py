"""Questions to Sway over its own socket: what is on the screen, and where.

Rules: an answer is bounded in size and time, all of it and not each piece. Whoever listens may be
no Sway, or one that is ending: there is one list of what can go wrong, also while an answer is
read. No text of an error here holds anything of an answer.
"""

import json
import socket
import struct
from dataclasses import dataclass
from time import monotonic
from typing import Any

_MAGIC = b"i3-ipc"
_HEAD = struct.Struct("=II")  # length and kind, in the order of this machine's bytes
_OUTPUTS = 3
_TREE = 4
# A tree of some thousand windows; an answer beyond that is none.
_MAX_BYTES = 16 << 20
_PIECE = 1 << 16
_SECONDS = 3.0

SWAY_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Output:
    """Hold one display that is switched on; its place in the coordinates of windows."""

    name: str
    left: int
    top: int
    width: int
    height: int


def outputs(path: str) -> tuple[Output, ...]:
    """List the displays that are switched on, from left to right; raises one of `SWAY_ERRORS`."""
    found = [_output(one) for one in _ask(path, _OUTPUTS) if one["active"] and _lit(one)]
    return tuple(sorted(found, key=lambda one: (one.left, one.top, one.name)))


def tree(path: str) -> Any:
    """Return the tree of all containers (sway-ipc(7)); raises one of `SWAY_ERRORS`."""
    return _ask(path, _TREE)


def _lit(told: Any) -> bool:
    """Say whether a display has power; the word for it changed with Sway 1.8."""
    return bool(told.get("power", told.get("dpms", True)))


def _output(told: Any) -> Output:
    name, rect = told["name"], told["rect"]
    if not isinstance(name, str) or not name:
        raise ValueError("a display of Sway has no name")
    return Output(name, int(rect["x"]), int(rect["y"]), int(rect["width"]), int(rect["height"]))


def _ask(path: str, kind: int) -> Any:
    ends = monotonic() + _SECONDS
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(path)
        connection.sendall(_MAGIC + _HEAD.pack(0, kind))
        return _answer(connection, kind, ends)


def _answer(connection: socket.socket, kind: int, ends: float) -> Any:
    head = _read(connection, len(_MAGIC) + _HEAD.size, ends)
    if len(head) != len(_MAGIC) + _HEAD.size or not head.startswith(_MAGIC):
        raise ValueError("whoever listens is no Sway")
    length, answered = _HEAD.unpack(head[len(_MAGIC) :])
    if answered != kind or length > _MAX_BYTES:
        raise ValueError("Sway's answer is not understood")
    body = _read(connection, length, ends)
    if len(body) != length:
        raise ValueError("Sway's answer ends early")
    return json.loads(body)


def _read(connection: socket.socket, count: int, ends: float) -> bytes:
    """Read so many bytes, fewer where the answer ends; `TimeoutError` when it is too late."""
    data = bytearray()
    while len(data) < count:
        left = ends - monotonic()
        if left <= 0:
            raise TimeoutError("Sway answers too slowly")
        connection.settimeout(left)
        piece = connection.recv(min(_PIECE, count - len(data)))
        if not piece:
            break
        data += piece
    return bytes(data)
