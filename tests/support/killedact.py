"""`workseal`, killed by SIGKILL just before or just after one of its points: a program of its own.

A point is where something becomes durable, or goes to the verifier or comes from it. Called as
`killedact.py TOLD NOW_MS KILL_AT before|after WORDS…`: the names of the points passed are
in the file TOLD; at 0 it dies nowhere. The clock stands at NOW_MS.
"""

import http.client
import os
import signal
import sys
import time
from functools import wraps
from typing import Any


class Points:
    """Count the points, and die at one of them."""

    def __init__(self, told: str, kill_at: int, *, before: bool) -> None:
        self._told, self._kill_at, self._before = told, kill_at, before
        self._passed = 0

    def around(self, place: Any, name: str) -> None:
        """Make a function a point."""
        true: Any = getattr(place, name)

        @wraps(true)
        def point(*words: Any, **more: Any) -> Any:
            self._passed += 1
            with open(self._told, "a") as told:  # noqa: PTH123 - a name, before anything else
                # A request by its method.
                told.write(f"{words[1] if name == 'request' else name}\n")
            dies = self._passed == self._kill_at
            if dies and self._before:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return true(*words, **more)
            finally:
                # Also where it fails: what was to be removed may not be there.
                if dies:
                    os.kill(os.getpid(), signal.SIGKILL)

        setattr(place, name, point)


def main() -> int:
    told, now_ms, kill_at, when, *words = sys.argv[1:]
    time.time_ns = lambda: int(now_ms) * 1_000_000
    from workseal_protocol.cli.program import main as run  # noqa: PLC0415 - what it counts is ours

    points = Points(told, int(kill_at), before=when == "before")
    for place, names in (
        (os, ("fsync", "link", "rename", "replace", "unlink")),
        (http.client.HTTPConnection, ("request", "getresponse")),
    ):
        for name in names:
            points.around(place, name)
    return run(words)


if __name__ == "__main__":
    sys.exit(main())
