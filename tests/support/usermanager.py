"""systemd's manager of a person's services, as a log-in begins it, in a room of its own.

It is the real one: it has namespaces for what is mounted and for processes, with an empty /run, so
that nothing of this machine is touched and nothing outlives it. It needs root, as tests in a
container have it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_PROGRAM = Path("/lib/systemd/systemd")
_GROUPS = Path("/sys/fs/cgroup")
# For processes that were killed, on a busy machine.
_SECONDS = 120.0
# What a desktop has as a unit of its own: a session that is of systemd binds the common target.
SESSION = "desktop-session.target"
_SESSION_UNIT = "[Unit]\nBindsTo=graphical-session.target\nBefore=graphical-session.target\n"
# It begins the manager, and then does with `systemctl` what each line of its input says.
_ROOM = """
mount -t tmpfs none /run || exit 1
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR" && chmod 700 "$XDG_RUNTIME_DIR" || exit 1
/lib/systemd/systemd --user --log-target=console >"$HOME/manager.log" 2>&1 </dev/null &
until systemctl --user show --property=Version >/dev/null 2>&1; do
    kill -0 $! 2>/dev/null || exit 1
    sleep 0.1
done
echo ready
while read -r words; do
    systemctl --user $words >"$HOME/answer" 2>&1 </dev/null && echo done || echo failed
done
systemctl --user exit >/dev/null 2>&1
wait
"""
_ENTER = 'echo $$ >"$GROUP/cgroup.procs"; exec unshare --mount --pid --fork --mount-proc sh -c "$0"'


def can_begin() -> bool:
    """Say whether this machine lets somebody make such a room."""
    if os.geteuid() != 0 or not _PROGRAM.exists():
        return False
    tried = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "true"]
    try:
        group = _group()
        group.mkdir()
        group.rmdir()
        return subprocess.run(tried, check=False, capture_output=True, timeout=60).returncode == 0
    except (AssertionError, OSError, subprocess.TimeoutExpired):
        return False


class UserManager:
    """One person's manager; `home` is where the units are looked for, below .config."""

    def __init__(self, home: Path, process: "subprocess.Popen[str]") -> None:
        self._home = home
        self._process = process

    def tell(self, *words: str) -> str:
        """Have `systemctl --user` do something; returns what it said."""
        told = self._asked(" ".join(words))
        answer = (self._home / "answer").read_text()
        assert told == "done", (words, answer, self.log())
        return answer

    def holds(self, unit: str) -> str:
        """Return the state of a unit: active, inactive, failed."""
        self._asked(f"is-active {unit}")
        return (self._home / "answer").read_text().strip()

    def log_in(self) -> None:
        """Begin the session of a desktop, and wait for all that begins with it."""
        self.tell("start", SESSION)

    def log_out(self) -> None:
        """End it, and wait for all that ends with it."""
        self.tell("stop", SESSION, "graphical-session.target")

    def log(self) -> str:
        """Return what the manager wrote."""
        return (self._home / "manager.log").read_text(errors="replace")

    def _asked(self, line: str) -> str:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("the room has no door")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def user_manager(home: Path, environment: Mapping[str, str]) -> Iterator[UserManager]:
    """Run one for a person with this home, whose services have this environment."""
    units = home / ".config/systemd/user"
    units.mkdir(parents=True, exist_ok=True)
    (units / SESSION).write_text(_SESSION_UNIT)
    group = _group()
    group.mkdir()
    own = {"HOME": str(home), "XDG_RUNTIME_DIR": "/run/user/0", "GROUP": str(group)}
    process = subprocess.Popen(
        ["sh", "-c", _ENTER, _ROOM],
        env={**environment, **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        manager = UserManager(home, process)
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise AssertionError("systemd did not begin: " + manager.log())
        yield manager
    finally:
        # Whoever is left in the room ends with its first process.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        _removed(group)


def _group() -> Path:
    """Return a control group of its own, below this process's, that is not there yet."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, place = line.split(":", 2)
        folder = {"name=systemd": _GROUPS / "systemd", "": _GROUPS}.get(names)
        if folder is not None and (folder / "cgroup.procs").exists():
            return folder / place.lstrip("/") / f"workseal-{os.getpid()}"
    raise AssertionError("this machine has no control groups that systemd could use")


def _removed(group: Path) -> None:
    """Remove the group as soon as the last process in it is gone."""
    deadline = time.monotonic() + _SECONDS
    while group.exists():
        for folder, _, _ in sorted(os.walk(group), reverse=True):
            with suppress(OSError):
                Path(folder).rmdir()
        assert time.monotonic() < deadline, f"a process stays in {group}"
        time.sleep(0.02)
