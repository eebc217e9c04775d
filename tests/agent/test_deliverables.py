import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workseal_agent import deliverables
from workseal_agent.deliverables import DeliverableError, commit_items, file_item

AT = 1_772_442_000  # seconds


def git(folder: Path, *words: str, at: int = AT) -> str:
    environment = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "F"), ("EMAIL", "f@example.org"), ("DATE", f"{at} +0100"))
        },
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, env=environment
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "api server"
    folder.mkdir()
    git(folder, "init", "-q")
    for number in range(3):
        git(folder, "commit", "-q", "--allow-empty", "-m", f"{number}", at=AT + 60 * number)
    return folder


def test_a_file_is_named_by_its_digest_and_size(tmp_path: Path) -> None:
    path = tmp_path / "draft.pdf"
    path.write_bytes(b"draft" * 100_000)
    item = file_item(path)
    assert (item.name, item.size) == ("draft.pdf", 500_000)
    assert item.digest.raw == hashlib.sha256(b"draft" * 100_000).digest()
    assert file_item(path, "the draft").name == "the draft"


@pytest.mark.parametrize("name", ["", "none", "a\x1bb"])
def test_what_is_no_file_or_has_no_name_is_one_sentence(tmp_path: Path, name: str) -> None:
    if "\x1b" in name:
        (tmp_path / name).touch()
    with pytest.raises(DeliverableError, match=r"cannot be read|no ordinary|control"):
        file_item(tmp_path / name)


def test_the_newest_commit_is_named_with_its_time(repository: Path) -> None:
    (item,) = commit_items(repository)
    assert item.commit.hex() == git(repository, "rev-parse", "HEAD")
    assert (item.name, item.committed_ms) == ("api server", (AT + 120) * 1000)
    below = repository / "src"
    below.mkdir()
    assert commit_items(below) == (item,)
    (older,) = commit_items(repository, revision="HEAD~2", name="secret name")
    assert (older.name, older.committed_ms) == ("secret name", AT * 1000)


def test_all_commits_since_a_time_come_oldest_first(repository: Path) -> None:
    items = commit_items(repository, since_ms=(AT + 60) * 1000)
    assert [one.committed_ms for one in items] == [(AT + 60) * 1000, (AT + 120) * 1000]
    assert commit_items(repository, since_ms=(AT + 121) * 1000) == ()
    assert len(commit_items(repository, since_ms=(AT + 60) * 1000 + 1)) == 1


def test_too_many_commits_are_not_named_in_part(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverables, "MOST_COMMITS", 2)
    with pytest.raises(DeliverableError, match="more than 2 commits"):
        commit_items(repository, since_ms=0)
    assert len(commit_items(repository, since_ms=(AT + 60) * 1000)) == 2


def test_what_is_no_repository_or_no_commit_is_one_sentence(
    repository: Path, tmp_path: Path
) -> None:
    for folder, revision, said in (
        (tmp_path, "HEAD", "not a git repository"),
        (tmp_path / "none", "HEAD", "is no folder"),
        (repository, "none", "none"),
        (repository, "--all", "--all"),
        (repository, "HEAD^{tree}", "commit"),
    ):
        with pytest.raises(DeliverableError, match=said):
            commit_items(folder, revision=revision)


def test_nothing_that_the_repository_names_is_run(repository: Path, tmp_path: Path) -> None:
    """Its settings come from wherever it was cloned from."""
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    trap.chmod(0o755)
    for setting in ("core.fsmonitor", "core.pager", "gpg.program", "diff.external"):
        git(repository, "config", setting, str(trap))
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "alias.rev-list", f"!{trap}")
    assert len(commit_items(repository, since_ms=0)) == 3
    assert not sprung.exists()


def test_no_git_is_one_sentence(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(DeliverableError, match="git is not installed"):
        commit_items(repository)


def test_a_queue_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "queue")
    with pytest.raises(DeliverableError, match="no ordinary file"):
        file_item(tmp_path / "queue")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeliverableError, match=r"no ordinary file|cannot be read"):
        file_item(tmp_path)


@pytest.mark.parametrize("path", ["/proc/version", "/dev/null"])
def test_a_file_that_the_system_makes_up_is_refused(path: str) -> None:
    with pytest.raises(DeliverableError, match="no ordinary file"):
        file_item(Path(path))


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"one")
    sha256 = hashlib.sha256

    def slow() -> object:
        path.write_bytes(b"and more")
        return sha256()

    monkeypatch.setattr(hashlib, "sha256", slow)
    with pytest.raises(DeliverableError, match="changed while it was read"):
        file_item(path)


@pytest.fixture
def pretending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, int, int]]:
    """Give a queue that says it is a file of three bytes, as /proc/kmsg says that it is one."""
    path = tmp_path / "log"
    path.write_bytes(b"one")
    told = path.stat()
    reading, writing = os.pipe2(os.O_NONBLOCK)
    monkeypatch.setattr(os, "open", lambda *_: os.dup(reading))
    monkeypatch.setattr(os, "fstat", lambda _: told)
    yield path, reading, writing
    os.close(reading)
    os.close(writing)


def test_what_waits_for_more_is_no_file(pretending: tuple[Path, int, int]) -> None:
    path, _, _ = pretending
    with pytest.raises(DeliverableError, match="no ordinary file: it waits"):
        file_item(path)


def test_no_more_is_read_than_the_size_says_and_one_byte(
    pretending: tuple[Path, int, int],
) -> None:
    path, reading, writing = pretending
    os.write(writing, b"x" * 1_000)
    with pytest.raises(DeliverableError, match="it has 3 bytes, and 4 were read"):
        file_item(path)
    assert len(os.read(reading, 2_000)) == 996


def test_what_is_no_ordinary_file_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(os, "open", lambda path, *_: opened.append(path))
    os.mkfifo(tmp_path / "queue")
    for path in (tmp_path / "queue", tmp_path, Path("/dev/null")):
        with pytest.raises(DeliverableError, match="no ordinary file"):
            file_item(path)
    assert opened == []


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert file_item(tmp_path / "empty").size == 0


def test_the_folder_that_was_named_is_asked_whatever_variables_say(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "another")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    (item,) = commit_items(repository)
    assert (item.name, item.commit.hex()) == ("api server", git(repository, "rev-parse", "HEAD"))
    assert not (tmp_path / "trace").exists()


def test_a_commit_is_taken_as_it_is_and_not_what_was_put_in_its_place(repository: Path) -> None:
    newest = git(repository, "rev-parse", "HEAD")
    older = git(repository, "commit-tree", "HEAD^{tree}", "-m", "older", at=AT - 9_000)
    git(repository, "replace", newest, older)
    (item,) = commit_items(repository)
    assert (item.commit.hex(), item.committed_ms) == (newest, (AT + 120) * 1000)


def test_a_bare_repository_is_one(repository: Path, tmp_path: Path) -> None:
    bare = tmp_path / "api.git"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    (item,) = commit_items(bare)
    assert (item.name, item.commit.hex()) == ("api", git(repository, "rev-parse", "HEAD"))


def test_no_program_of_the_repository_runs(repository: Path, tmp_path: Path) -> None:
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "gpg.program"):
        git(repository, "config", key, f"touch '{tmp_path / 'ran'}'")
    git(repository, "config", "log.showSignature", "true")
    assert commit_items(repository)
    assert not (tmp_path / "ran").exists()
