import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, resource
from workseal_agent.undumped import forbid_dumps
before = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
forbid_dumps()
print(before, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="dumpable is a word of Linux")
def test_neither_dumps_nor_tracing_are_left_to_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1 0 (0, 0)\n"
