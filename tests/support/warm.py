"""The project's programs, each begun by a fork of a process that has loaded it already.

Loading a program takes a second or two of a processor, and the journeys run hundreds of them. What
begins here is a process of its own all the same: the installed command, with its own number,
variables, folder, files and signals, and the interpreter's own end.

Not for what is about the start itself: what a program loads, the memory it takes, what it says of a
missing extra. `WORKSEAL_COLD=1` begins every program anew.
"""

import atexit
import gc
import json
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

COMMANDS = Path(sys.executable).parent
# What most subcommands load, and what to call there. No program is loaded into another's process.
LOADED = {
    "workseal": ("workseal_protocol.cli.program",),
    "workseal-agent": ("workseal_agent.cli", "workseal_agent.cli.commands:load_all"),
    "workseal-verifier": ("workseal_verifier.cli", "workseal_verifier.app"),
}
# The interpreter reads these when it starts: who is loaded under others is another process.
_AT_START = ("PYTHON", "LANG", "LC_", "LD_")
_COLD = bool(os.environ.get("WORKSEAL_COLD"))


def run(
    words: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path | None = None,
    stdin: str = "",
    limits: Mapping[int, tuple[int, int]] = MappingProxyType({}),
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its first word names it."""
    command, *rest = map(str, words)
    at_start = tuple(sorted(one for one in environment.items() if one[0].startswith(_AT_START)))
    if _COLD or command not in LOADED or "PYTHONPATH" in environment:
        return subprocess.run(
            [COMMANDS / command, *rest],
            cwd=folder, env=environment, input=stdin, capture_output=True, text=True,
            errors="replace", timeout=timeout, check=False,
            preexec_fn=partial(_limit, limits.items()) if limits else None,
        )  # fmt: skip
    request = {
        "words": rest,
        "environment": dict(environment),
        "folder": str(folder or Path.cwd()),
        "limits": list(limits.items()),
    }
    return _loaded(command, at_start).run(request, stdin, timeout)


@cache
def _loaded(command: str, at_start: tuple[tuple[str, str], ...]) -> "_Loaded":
    return _Loaded(command, dict(at_start))


class _Loaded:
    """The process that has loaded a program, from here; it ends with this one."""

    def __init__(self, command: str, environment: dict[str, str]) -> None:
        self._command = command
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL, env=environment, pass_fds=[theirs.fileno()],
            )  # fmt: skip
        atexit.register(self._end)

    def _end(self) -> None:
        self._control.close()
        self._process.wait()

    def run(
        self, request: dict[str, Any], stdin: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        ours, theirs = socket.socketpair()
        pipes = [os.pipe() for _ in range(3)]
        given = [pipes[0][0], pipes[1][1], pipes[2][1]]
        try:
            socket.send_fds(self._control, [b"run"], [theirs.fileno(), *given])
        finally:
            theirs.close()
            for one in given:
                os.close(one)
        with (
            ours,
            ours.makefile("rw") as talk,
            os.fdopen(pipes[0][1], "w") as feed,
            os.fdopen(pipes[1][0], errors="replace") as out,
            os.fdopen(pipes[2][0], errors="replace") as err,
            ThreadPoolExecutor(3) as threads,
        ):
            talk.write(json.dumps(request) + "\n")
            talk.flush()
            number = int(talk.readline())
            printed = [threads.submit(one.read) for one in (out, err)]
            threads.submit(_feed, feed, stdin)
            ours.settimeout(timeout)
            try:
                ended = talk.readline()
            except TimeoutError:
                os.kill(number, signal.SIGKILL)
                ours.settimeout(None)
                ours.recv(16)  # until it has ended
                raise subprocess.TimeoutExpired(self._command, timeout) from None
            words = [self._command, *request["words"]]
            return subprocess.CompletedProcess(
                words, int(ended), printed[0].result(), printed[1].result()
            )


def _feed(pipe: IO[str], text: str) -> None:
    """Say it, as far as anybody listens."""
    try:
        with pipe:
            pipe.write(text)
    except BrokenPipeError:
        pass


def _limit(limits: Iterable[tuple[int, tuple[int, int]]]) -> None:
    for what, (soft, hard) in limits:
        resource.setrlimit(what, (soft, hard))


# From here on in the process that has loaded a program.


def _serve(command: str, control: socket.socket) -> None:
    """Load the program; return in each process that is to become it."""
    for place in LOADED[command]:
        module, _, function = place.partition(":")
        loaded = import_module(module)
        if function:
            getattr(loaded, function)()
    gc.collect()
    gc.freeze()
    # Who watches a program is not waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        word, files, _, _ = socket.recv_fds(control, 16, 4)
        if not word:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            _watch(command, *files)
            return
        for one in files:
            os.close(one)


def _watch(command: str, talking: int, *files: int) -> None:
    """Fork once more: return in the program, and tell how it ended in the other."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=talking) as talk, talk.makefile("rw") as lines:
        request = json.loads(lines.readline())
        number = os.fork()
        if number:
            for one in files:
                os.close(one)
            lines.write(f"{number}\n")
            lines.flush()
            _, status = os.waitpid(number, 0)
            lines.write(f"{os.waitstatus_to_exitcode(status)}\n")
            lines.flush()
            os._exit(0)
    for place, one in enumerate(files):
        os.dup2(one, place)
        os.close(one)
    # Whether a file has places to seek is found out once, when it is opened.
    for place, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _opened(place, "w" if place else "r", getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    _limit(request["limits"])
    sys.argv = [str(COMMANDS / command), *request["words"]]


def _opened(place: int, mode: str, like: Any) -> Any:
    """Open a standard stream as the interpreter does when it starts."""
    buffering = 1 if like.line_buffering else -1
    stream = open(place, mode, buffering, like.encoding, like.errors, closefd=False)  # noqa: SIM115 - a number, for as long as the program
    stream.reconfigure(write_through=like.write_through)  # type: ignore[attr-defined]
    return stream


if __name__ == "__main__":
    name, number = sys.argv[1:]
    # Where the installed command finds its own folder, this file has found its own.
    sys.path[0] = str(COMMANDS)
    _serve(name, socket.socket(fileno=int(number)))
    runpy.run_path(sys.argv[0], run_name="__main__")
