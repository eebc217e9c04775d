"""What a freelancer hands over, as items of evidence: files, and commits of a git repository.

Rules: a file is read and hashed, and its bytes go nowhere. git is asked in a way that starts no
hook, no pager and no program that the repository's settings name, and reaches no network.
"""

import hashlib
import os
import subprocess
from pathlib import Path

from workseal_agent.errors import AgentError
from workseal_protocol.digest import Digest
from workseal_protocol.records import FileDigest, GitCommit
from workseal_protocol.records.evidence import MAX_NAME

# Named at once: more are more than anybody looks through, and each is a statement.
MOST_COMMITS = 100
_GIT_SECONDS = 30.0
# A lazy clone would fetch what it lacks; nothing here waits for locks or asks for passwords.
_QUIET = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SAFE = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false", "--no-pager")


class DeliverableError(AgentError):
    """Say that a file or a commit cannot be named, and why."""


def file_item(path: Path, name: str | None = None) -> FileDigest:
    """Name a file by its digest and size; `name` replaces its own name."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise DeliverableError(
            f"{path} cannot be read: {(error.strerror or 'error').lower()}"
        ) from error
    try:
        return FileDigest(name or path.name[:MAX_NAME], Digest(digest), size)
    except ValueError as error:
        raise DeliverableError(f"{path}: {error}") from error


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
    top = Path(_git(repository, "rev-parse", "--show-toplevel").rstrip("\n"))
    most = 1 if since_ms is None else MOST_COMMITS + 1
    lines = _git(
        repository, "rev-list", "--timestamp", f"--max-count={most}",
        *(() if since_ms is None else (f"--max-age={-(-since_ms // 1000)}",)),
        "--end-of-options", f"{revision}^{{commit}}",
    ).splitlines()  # fmt: skip
    if len(lines) > MOST_COMMITS:
        raise DeliverableError(
            f"there are more than {MOST_COMMITS} commits since then: name a later time"
        )
    pairs = (line.split(" ") for line in reversed(lines))
    try:
        return tuple(
            GitCommit(name or top.name[:MAX_NAME], bytes.fromhex(commit), int(seconds) * 1000)
            for seconds, commit in pairs
        )
    except ValueError as error:
        raise DeliverableError(f"{repository}: {error}") from error


def _git(repository: Path, *words: str) -> str:
    if not repository.is_dir():
        raise DeliverableError(f"{repository} is no folder")
    try:
        done = subprocess.run(  # noqa: S603 - git, with the user's own folder and revision
            ["git", *_SAFE, "-C", str(repository), *words],  # noqa: S607 - found as the user has it
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_GIT_SECONDS,
            env={**os.environ, **_QUIET},
        )
    except FileNotFoundError as error:
        raise DeliverableError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise DeliverableError(f"git did not answer in {_GIT_SECONDS:.0f} seconds") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[0].removeprefix("fatal: ") if said else f"it ended with {done.returncode}"
        raise DeliverableError(f"git refused: {why}")
    return done.stdout.decode(errors="replace")
