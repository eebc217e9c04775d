"""The `workseal-verifier` command, run as the operator types it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import warm

COMMAND = Path(sys.executable).with_name("workseal-verifier")


def run(
    *words: object, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return warm.run(
        [COMMAND.name, *map(str, words)], environment={**os.environ, **(environment or {})}
    )


@contextmanager
def serving(home: Path, *words: str) -> Iterator[str]:
    process = subprocess.Popen(
        [COMMAND, "serve", "--home", home, "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    try:
        assert found is not None, process.communicate()
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    assert "Traceback" not in complaints
