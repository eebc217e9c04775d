"""One told engagement, its files in a folder, and a way to run commands in it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.scripted import Story, tell_story
from workseal_protocol.cli import main


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what a command did."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def story() -> Story:
    return tell_story()


@pytest.fixture(scope="session")
def bundle_bytes(story: Story) -> bytes:
    return story.bundle().encode()


@pytest.fixture
def folder(tmp_path: Path, story: Story, bundle_bytes: bytes) -> Path:
    """Give a folder with a bundle and the policy under which it holds."""
    (tmp_path / "bundle").write_bytes(bundle_bytes)
    (tmp_path / "policy").write_text(story.policy.encode())
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `workseal` in this process; a usage error is an exit code as well."""

    def call(*words: object) -> Outcome:
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
