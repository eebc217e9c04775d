"""What the recording process loads: it is there all day."""

import subprocess
import sys

# Libraries of pictures, of terminals and of pages, and parts of the agent that read or show.
HEAVY = (
    "PIL", "cv2", "fastapi", "imagehash", "jinja2", "numpy", "pydantic", "pygments", "rich",
    "typer", "uvicorn", "workseal_agent.pages", "workseal_agent.suggestions.busy",
    "workseal_witness.home",
)  # fmt: skip
PROGRAM = """
import sys
import workseal_agent.daemon.build
import workseal_agent.screen.x11, workseal_agent.screen.grim
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""

COMMANDS = """
import sys
import workseal_agent.cli
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


def test_what_records_all_day_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *HEAVY], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_commands_load_no_arrays_before_they_look_at_pictures() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, "cv2", "numpy", "pygments"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
