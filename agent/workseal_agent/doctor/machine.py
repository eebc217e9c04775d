"""The rest of the machine: clocks, the folder of the vault, free space, keyring, verifier.

Rule: nothing is written to find out. What is learnt of a folder comes from its mount, and what is
learnt of the verifier from one question that any agent asks at its start.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from workseal_agent.clock import Clock, SystemClock
from workseal_agent.connection import ClientError
from workseal_agent.daemon.patience import Patience
from workseal_agent.doctor.report import Check
from workseal_agent.errors import AgentError
from workseal_agent.fitness import Fitness
from workseal_agent.language import phrase, told_of

# Room for some days of frames; with less than the second figure not even the chain can grow.
ENOUGH_BYTES = 1 << 30
LEAST_BYTES = 64 << 20
_MIB = 1 << 20
_KEYRING_SECONDS = 10.0
_CLOCK_OFF_MS = 2_000
_MOUNTS = Path("/proc/self/mountinfo")
# Locks and memory maps, on which SQLite relies, are not to be trusted across a network.
_NETWORK = (
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.sshfs",
    "glusterfs",
    "lustre",
    "nfs",
    "smb",
    "vboxsf",
)
_MEMORY = frozenset({"ramfs", "tmpfs"})


def check_clocks(clock: Callable[[], Clock] = SystemClock) -> Check:
    """Say whether worked time can be told from time asleep."""
    try:
        made = clock()
    except AgentError as error:
        return Check(Fitness("clocks", fit=False, reason=told_of(error)), needed=True)
    hours = (made.boottime_ns() - made.monotonic_ns()) / 3.6e12
    reason = phrase(
        "worked time excludes sleep ({hours:.1f} hours asleep since the last boot)",
        hours=max(0.0, hours),
    )
    return Check(Fitness("clocks", fit=True, reason=reason), needed=True)


def check_folder(folder: Path, mounts: Path = _MOUNTS) -> Check:
    """Say whether frames and ledger are safe on the file system of a folder."""
    place = _nearest(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        reason = phrase("nothing can be written there by this user")
        return Check(Fitness("folder", fit=False, reason=reason), needed=True)
    kind = _file_system(place, mounts)
    if kind is None:
        return Check(Fitness("folder", fit=True, reason=phrase("its file system is not told")))
    if kind in _MEMORY:
        reason = phrase(
            "{kind}: what is recorded is gone when the machine is turned off", kind=kind
        )
        return Check(Fitness("folder", fit=False, reason=reason))
    if kind.startswith(_NETWORK):
        reason = phrase(
            "{kind}: a file system on a network can lose or mix what is written", kind=kind
        )
        return Check(Fitness("folder", fit=False, reason=reason))
    return Check(Fitness("folder", fit=True, reason=phrase("{kind}, on this machine", kind=kind)))


def check_space(folder: Path) -> Check:
    """Say how much room is left for frames."""
    free = shutil.disk_usage(_nearest(folder)).free
    enough = free >= ENOUGH_BYTES
    room = {"free": free // _MIB, "expected": ENOUGH_BYTES // _MIB}
    reason = phrase("{free:,} MiB free", free=room["free"])
    if not enough:
        reason = phrase("{free:,} MiB free, {expected:,} MiB expected", **room)
    return Check(Fitness("space", fit=enough, reason=reason), needed=free < LEAST_BYTES)


def check_keyring(find: Callable[[], tuple[str, float]] | None = None) -> Check:
    """Say whether the system offers a place for keys; nothing is read from it."""
    try:
        name, priority = Patience(_KEYRING_SECONDS).wait_for(find or _keyring)
    except Exception as error:  # noqa: BLE001 - a backend may raise whatever it likes
        reason = phrase("the keyring cannot be asked ({kind})", kind=type(error).__name__)
        return Check(Fitness("keyring", fit=False, reason=reason))
    if priority <= 0:
        return Check(
            Fitness("keyring", fit=False, reason=phrase("none: the passphrase is asked for"))
        )
    return Check(Fitness("keyring", fit=True, reason=name))


def check_verifier(ask: Callable[[], int], clock: Clock) -> Check:
    """Say whether the verifier answers, and how far the clocks differ.

    `ask` returns its time in Unix milliseconds, or raises `ClientError`. Recording does not wait
    for it: what is recorded meanwhile is sent later.
    """
    before = clock.wall_ms()
    try:
        told = ask()
    except ClientError as error:
        reason = phrase(
            "{error}; what is recorded meanwhile is graded offline and sent later", error=error
        )
        return Check(Fitness("verifier", fit=False, reason=reason))
    off = told - (before + clock.wall_ms()) // 2
    if abs(off) > _CLOCK_OFF_MS:
        reason = phrase(
            "it answers; this machine's clock differs from its by {seconds:+.0f} s",
            seconds=off / 1000,
        )
        return Check(Fitness("verifier", fit=False, reason=reason))
    return Check(Fitness("verifier", fit=True, reason=phrase("it answers, and the clocks agree")))


def _keyring() -> tuple[str, float]:
    import keyring  # noqa: PLC0415 - looks for every backend while it is imported

    found = keyring.get_keyring()
    name = type(found).__module__.rpartition(".")[2]
    return phrase("{name} answers", name=name), float(found.priority)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(one for one in (folder, *folder.absolute().parents) if one.is_dir())


def _file_system(folder: Path, mounts: Path) -> str | None:
    """Return the kind of the mount that a folder lies on; None where no list of mounts is."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    kinds: dict[Path, str] = {}
    for line in lines:
        words, _, rest = line.partition(" - ")
        # Spaces in a path are written as \040; later mounts lie over earlier ones.
        kinds[Path(words.split(" ")[4].replace("\\040", " "))] = rest.split(" ")[0]
    real = folder.resolve()
    return next((kinds[one] for one in (real, *real.parents) if one in kinds), None)
