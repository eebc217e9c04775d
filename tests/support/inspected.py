"""What anybody with the rights to look can see of a process: arguments, environment, memory."""

import re
import socket
import struct
from collections.abc import Collection
from pathlib import Path

_NEVER_READ = ("[vvar", "[vsyscall", "[vdso")


def pid_behind(path: Path) -> int:
    """Return the process that listens on a socket."""
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(str(path))
        data = one.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid: int = struct.unpack("3i", data)[0]
    return pid


def seen_of(pid: int, name: str) -> bytes:
    """Return a file of /proc; nothing when the system lets nobody read it."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except PermissionError:
        return b""


def core_limit(pid: int) -> list[bytes]:
    """Return the soft and the hard limit of a core dump."""
    found = re.search(rb"Max core file size\s+(\S+)\s+(\S+)", seen_of(pid, "limits"))
    assert found
    return list(found.groups())


def in_memory(pid: int, word: bytes) -> int | None:
    """Count a word in the memory of a process; None when the system lets nobody read it."""
    found = all_in_memory(pid, [word])
    return None if found is None else found[word]


def all_in_memory(pid: int, words: Collection[bytes]) -> dict[bytes, int] | None:
    """Count words in the memory of a process, read once; None when nobody may read it."""
    counts = dict.fromkeys(words, 0)
    try:
        with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
            for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
                begin, end = (int(part, 16) for part in line.split()[0].split("-"))
                if "r" not in line.split()[1] or line.split()[-1].startswith(_NEVER_READ):
                    continue
                memory.seek(begin)
                try:
                    data = memory.read(end - begin)
                except OSError:
                    continue
                for word in counts:
                    counts[word] += data.count(word)
    except PermissionError:
        return None
    return counts
