import subprocess
import sys

import pytest

# Pictures are made and freed, with something small that stays behind each.
PROGRAM = """
import re
import sys
from pathlib import Path
from workseal_agent.lightheap import keep_heap_light

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

if sys.argv[1] == "light":
    assert keep_heap_light()
before = resident()
small = []
for _ in range(4):
    pictures = []
    for _ in range(3):
        pictures.append(b"x" * 6_220_800)
        small.append(b"y" * 4_000)
    pictures.clear()
print(resident() - before)
"""


def grown_kib(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is a word of glibc")
def test_what_a_picture_took_goes_back_to_the_system() -> None:
    assert grown_kib("light") < 2_000
    # Without it some of that stays: what is tested here is there to be seen.
    assert grown_kib("as it is") > 4_000
