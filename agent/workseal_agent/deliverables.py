"""What a freelancer hands over, as items of evidence: files, and commits of a git repository.

Rules: a file is read and hashed, and its bytes go nowhere; what is no ordinary file, or changes
while it is read, is refused, and no more is read than its size says and one byte. git is asked
about the folder that was named, whatever variables say, and about commits as they are, whatever was
put in their place. It starts no hook, no pager and no program that the repository's settings name,
and reaches no network.
"""

import hashlib
import os
import stat
import subprocess
from io import FileIO
from pathlib import Path

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_protocol.digest import Digest
from workseal_protocol.records import FileDigest, GitCommit
from workseal_protocol.records.evidence import MAX_NAME

# Named at once: more are more than anybody looks through, and each is a statement.
MOST_COMMITS = 100
_GIT_SECONDS = 30.0
# git's own variables name other folders, objects and files to write; none of them is passed on.
_OF_GIT = "GIT_"
# A lazy clone would fetch what it lacks; nothing here waits for locks or asks for passwords.
_QUIET = {
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
# The file of the commit graph repeats the times of commits, and may be anybody's.
_SAFE = (
    "--no-pager", "--no-replace-objects",
    "-c", "protocol.allow=never", "-c", "core.fsmonitor=false", "-c", "core.commitGraph=false",
    "-c", "advice.graftFileDeprecated=false",
)  # fmt: skip
_PIECE = 1 << 18
# A queue would wait for a writer for ever.
_UNWAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class DeliverableError(AgentError):
    """Say that a file or a commit cannot be named, and why."""


def file_item(path: Path, name: str | None = None) -> FileDigest:
    """Name a file by its digest and size; `name` replaces its own name."""
    digest, size = digest_of(path)
    try:
        return FileDigest(name or path.name[:MAX_NAME], digest, size)
    except ValueError as error:
        raise DeliverableError(f"{path}: {error}") from error


def digest_of(path: Path) -> tuple[Digest, int]:
    """Return the digest and the size of an ordinary file; raises `DeliverableError`."""
    try:
        # Before it is opened: to open a device or a queue may already do something.
        _require_ordinary(path.stat(), path)
        with FileIO(os.open(path, _UNWAITING)) as file:
            return _digest_of(file, path)
    except OSError as error:
        raise DeliverableError(
            phrase(
                "{path} cannot be read: {reason}",
                path=path,
                reason=(error.strerror or "error").lower(),
            )
        ) from error


def _require_ordinary(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise DeliverableError(phrase("{path} is no ordinary file", path=path))


def _digest_of(file: FileIO, path: Path) -> tuple[Digest, int]:
    """Hash an open file; refuse one that has no size of its own, or has another one afterwards."""
    before = os.fstat(file.fileno())
    _require_ordinary(before, path)
    digest, count = _hashed(file, before.st_size + 1, path)
    after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DeliverableError(phrase("{path} changed while it was read: name it again", path=path))
    if count != after.st_size:
        raise DeliverableError(
            phrase(
                "{path} is no ordinary file: it has {size} bytes, and {count} were read",
                path=path,
                size=after.st_size,
                count=count,
            )
        )
    return digest, after.st_size


def _hashed(file: FileIO, most: int, path: Path) -> tuple[Digest, int]:
    """Hash what is there, up to so many bytes; return how many there were."""
    hashed, count = hashlib.sha256(), 0
    while count < most:
        piece = file.read(min(_PIECE, most - count))
        if piece is None:
            # Such as /proc/kmsg: it calls itself a file, and would wait for what comes next.
            raise DeliverableError(
                phrase("{path} is no ordinary file: it waits for something to come", path=path)
            )
        if not piece:
            break
        hashed.update(piece)
        count += len(piece)
    return Digest(hashed.digest()), count


def commit_items(
    repository: Path,
    *,
    revision: str = "HEAD",
    since_ms: int | None = None,
    name: str | None = None,
) -> tuple[GitCommit, ...]:
    """Name a commit, or all that lead to it and are not older than `since_ms`, oldest first.

    Times are what the commits say of themselves. Raises `DeliverableError`, also where there are
    more than `MOST_COMMITS`.
    """
    called = name or _name_of(repository)
    most = 1 if since_ms is None else MOST_COMMITS + 1
    lines = _git(
        repository, "rev-list", "--timestamp", f"--max-count={most}",
        *(() if since_ms is None else (f"--max-age={-(-since_ms // 1000)}",)),
        "--end-of-options", f"{revision}^{{commit}}",
    ).splitlines()  # fmt: skip
    if len(lines) > MOST_COMMITS:
        raise DeliverableError(
            phrase(
                "there are more than {most} commits since then: name a later time",
                most=MOST_COMMITS,
            )
        )
    pairs = (line.split(" ") for line in reversed(lines))
    try:
        return tuple(
            GitCommit(called, bytes.fromhex(commit), int(seconds) * 1000)
            for seconds, commit in pairs
        )
    except ValueError as error:
        raise DeliverableError(f"{repository}: {error}") from error


def _name_of(repository: Path) -> str:
    """Return the name of the repository's folder; a bare one is often called `name.git`."""
    bare = _git(repository, "rev-parse", "--is-bare-repository").strip() == "true"
    asked = "--absolute-git-dir" if bare else "--show-toplevel"
    folder = Path(_git(repository, "rev-parse", asked).rstrip("\n")).name
    return (folder.removesuffix(".git") if bare else folder)[:MAX_NAME]


def _git(repository: Path, *words: str) -> str:
    if not repository.is_dir():
        raise DeliverableError(phrase("{repository} is no folder", repository=repository))
    try:
        done = subprocess.run(  # noqa: S603 - git, with the user's own folder and revision
            ["git", *_SAFE, "-C", str(repository), *words],  # noqa: S607 - found as the user has it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
            env={
                **{key: one for key, one in os.environ.items() if not key.startswith(_OF_GIT)},
                **_QUIET,
            },
        )
    except FileNotFoundError as error:
        raise DeliverableError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise DeliverableError(
            phrase("git did not answer in {seconds:.0f} seconds", seconds=_GIT_SECONDS)
        ) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why: str = phrase("it ended with {code}", code=done.returncode)
        if said:
            why = said[0].removeprefix("fatal: ")
        raise DeliverableError(phrase("git refused: {why}", why=why))
    return done.stdout.decode(errors="replace")
