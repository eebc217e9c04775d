import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.paged import PASSPHRASE, PagedHome
from workseal_agent.cli.home import Home

PROGRAM = "from workseal_agent import main; raise SystemExit(main())"
ADDRESS = re.compile(r"(http://127\.0\.0\.1:([0-9]+))/#([A-Za-z0-9_-]{43})")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    paged = PagedHome(tmp_path)
    paged.rig.ledger.close()
    return paged.home


# Python raises nothing out of a finalizer: an exception that a handler throws there is dropped.
INTERRUPTED_TIDYING = """
import signal
from workseal_agent.pages.server import PagesServer
class Tidied:
    def __del__(self):
        signal.raise_signal(signal.{name})
serve = PagesServer.run
def run(self):
    Tidied()
    serve(self)
PagesServer.run = run
"""


@contextmanager
def opened(
    home: Path, *options: str, program: str = PROGRAM, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--home", str(home), "open", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **variables},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Read the address that the command prints: origin and token."""
    assert process.stdout is not None
    for line in process.stdout:
        found = ADDRESS.search(line)
        if found:
            return found[1], found[3]
    raise AssertionError("no address was printed")


def test_it_serves_until_it_is_ended_and_leaves_nothing(home: Path) -> None:
    with opened(home, "--no-browser") as process:
        origin, token = address_of(process)
        file = home / "open.html"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f"{origin}/#{token}" in file.read_text()
        headers = {
            "origin": origin, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors",
        }  # fmt: skip
        enter = f"{origin}/enter"
        answer = httpx.post(enter, json={"token": token}, headers=headers, trust_env=False)
        assert answer.status_code == 204
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert (out.splitlines()[-1], err) == ("the pages are closed", "")
        assert not file.exists()


def test_the_token_is_no_other_users_to_read(home: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$@" > {seen}.part; mv {seen}.part {seen}\n')
    browser.chmod(0o755)
    with opened(home, BROWSER=str(browser)) as process:
        _, token = address_of(process)
        deadline = time.monotonic() + 20
        while not seen.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # What every user of the machine can list: what programs were started with.
        assert seen.read_text() == (home / "open.html").as_uri() + "\n"
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert token.encode() not in command
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_before_it_serves_is_not_lost(home: Path, name: str) -> None:
    program = INTERRUPTED_TIDYING.format(name=name) + PROGRAM
    with opened(home, "--no-browser", program=program) as process:
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0
        assert (out.splitlines()[-1], err) == ("the pages are closed", "")
        assert not (home / "open.html").exists()


def test_a_browser_that_returns_when_it_is_closed_is_served(home: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexec sleep 30 > /dev/null 2>&1\n")
    browser.chmod(0o755)
    with opened(home, BROWSER=str(browser)) as process:
        origin, _ = address_of(process)
        # Answered is enough: who asks is no browser.
        assert httpx.get(origin, trust_env=False, timeout=10).status_code == 403
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        assert (process.returncode, out.splitlines()[-1]) == (0, "the pages are closed")


def test_a_wrong_passphrase_ends_it_before_anything_is_served(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "wrong"
    file.write_text("not the passphrase\n")
    for text, code in (("not the passphrase", 1), (PASSPHRASE, None)):
        file.write_text(text + "\n")
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", PROGRAM, "--home", str(home)),
                *("--passphrase-file", str(file), "open", "--no-browser", "--unlock"),
            ],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if code is None:
            address_of(process)
            process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == (code or 0)
        assert not code or err == (
            "workseal-agent: the passphrase does not open the key, or the key file was changed\n"
        )


def test_other_commands_load_nothing_of_the_pages() -> None:
    program = (
        "import sys, workseal_agent.daemon.build;"
        "from workseal_agent.cli.commands import load_all; load_all();"
        "print([m for m in ('jinja2', 'starlette', 'uvicorn', 'workseal_agent.pages')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_what_was_typed_is_forgotten_when_asked(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "typed"
    file.write_text(PASSPHRASE + "\n")
    typed = Home(home, file, None, None)
    assert typed.passphrase() == PASSPHRASE
    file.write_text("another\n")
    assert typed.passphrase() == PASSPHRASE
    typed.forget_passphrase()
    typed.forget_passphrase()
    assert typed.passphrase() == "another"
