"""The command as the operator types it."""

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from support.command import run, serving
from support.office import ORIGIN
from workseal_protocol.keys import Role, SeedSigner
from workseal_protocol.policy import TrustPolicy
from workseal_verifier.api.access import read_token
from workseal_verifier.config import Settings
from workseal_verifier.errors import RefusedError
from workseal_verifier.homelock import HomeLock
from workseal_verifier.keyfiles import create_secret, read_secret
from workseal_verifier.services.clock import SystemClock
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.signin import Root, SignIn
from workseal_verifier.serving import bind
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.invitations import InvitationStore


@pytest.fixture
def home(tmp_path: Path) -> Path:
    done = run("init", "--home", tmp_path / "v", "--origin", ORIGIN, "--period-ms", "1000")
    assert done.returncode == 0, done.stderr
    return tmp_path / "v"


def test_a_new_home_is_its_owners_alone(home: Path) -> None:
    with serving(home):
        pass
    modes = {
        path.relative_to(home).as_posix(): path.stat().st_mode & 0o077
        for path in (home, *home.rglob("*"))
    }
    assert set(modes.values()) == {0}, modes
    assert {path.name for path in (home / "keys").glob("*.seed")} == {
        "log.seed",
        "operator.seed",
        "clock.seed",
        "access.seed",
    }


def test_never_makes_a_home_twice(home: Path) -> None:
    seeds = {path: path.read_bytes() for path in (home / "keys").iterdir()}
    done = run("init", "--home", home, "--origin", "another")
    assert (done.returncode, done.stdout) == (1, "")
    assert "already a verifier home" in done.stderr
    assert seeds == {path: path.read_bytes() for path in (home / "keys").iterdir()}


def test_a_home_that_is_half_made_is_finished(tmp_path: Path) -> None:
    """Whatever a crash left, the keys are kept and the settings come last."""
    home = tmp_path / "v"
    keys = home / "keys"
    keys.mkdir(parents=True)
    create_secret(keys / "log.seed", bytes(32))
    assert run("init", "--home", home, "--origin", ORIGIN).returncode == 0
    assert read_secret(keys / "log.seed") == bytes(32)
    assert Settings.load(home).origin == ORIGIN


ODD = [
    "a b",
    "/",
    "/a",
    "https://log.example/1",
    "log.example/1/",
    "a//b",
    'a<b>"@c',
    "a:99999/x?y",
]


@pytest.mark.parametrize(
    "words", [*(["--origin", one] for one in ODD), ["--origin", "a", "--period-ms", "7"]]
)
def test_a_bad_setting_makes_nothing(tmp_path: Path, words: list[str]) -> None:
    done = run("init", "--home", tmp_path / "v", *words)
    assert done.returncode == 2
    assert not (tmp_path / "v").exists()


def test_serves_stamps_and_prints_a_policy_that_parses(home: Path) -> None:
    with serving(home, "--local-tsa", "--stamp-interval", "1") as url:
        assert httpx.get(f"{url}/healthz", trust_env=False).text == "ok"
        done = run("policy", "--home", home)
        policy = TrustPolicy.parse(f"workseal-policy v1\n{done.stdout}")
        facts = httpx.get(f"{url}/v1/operator", trust_env=False).content
        assert policy.parties[Role.OPERATOR][0].raw in facts
        assert policy.tsa[0] in facts
        assert policy.tlog.encode().encode() in facts
        # A second server on the same home, and another home on the same port.
        again = run("serve", "--home", home, "--port", "0")
        assert again.returncode == 1
        assert again.stderr.count("\n") == 1
        assert "another process holds this home" in again.stderr
        done = run("check-log", "--home", home)
        assert done.returncode == 0, done.stdout
        assert done.stdout.startswith("the log holds: 3 statements")


def test_a_home_that_is_held_is_told_before_the_framework_is_loaded(home: Path) -> None:
    lock = HomeLock(Settings.load(home).lock)
    # The framework is the slow part of a start: here it would be a mistake to have it.
    words = ["serve", "--home", str(home), "--port", "0"]
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.modules['uvicorn'] = None\n"
        "from workseal_verifier.cli import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    lock.close()
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "another process holds this home" in done.stderr


def test_a_port_in_use_is_one_sentence(home: Path) -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        done = run("serve", "--home", home, "--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"workseal-verifier: cannot listen on 127.0.0.1 port {port}: address already in use\n"
    )


def test_check_log_names_a_difference_and_fails(home: Path) -> None:
    with serving(home):
        pass
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(home / "verifier.db") as connection:
        connection.execute("UPDATE tiles SET hashes = zeroblob(96)")
    connection.close()
    done = run("check-log", "--home", home)
    assert done.returncode == 1
    assert "tile 0/0: the statements have other hashes" in done.stdout
    # And the server does not sign over it.
    done = run("serve", "--home", home, "--port", "0")
    assert done.returncode == 1
    assert "the tiles do not lead to the root" in done.stderr


def test_a_home_with_the_post_quantum_cosigner_says_so(tmp_path: Path) -> None:
    home = tmp_path / "v"
    assert run("init", "--home", home, "--origin", ORIGIN, "--pq").returncode == 0
    with serving(home) as url:
        lines = httpx.get(f"{url}/v1/log/checkpoint", trust_env=False).text.split("\n")
    assert [line.split(" ")[1] for line in lines if line.startswith("—")] == [
        ORIGIN,
        f"{ORIGIN}/clock",
        f"{ORIGIN}/pq",
    ]
    assert run("check-log", "--home", home).returncode == 0


@pytest.mark.parametrize("words", [["serve"], ["check-log"], ["policy"]])
def test_without_a_home_it_says_what_to_do(tmp_path: Path, words: list[str]) -> None:
    done = run(*words, "--home", tmp_path)
    assert done.returncode == 1
    assert "workseal-verifier init" in done.stderr
    assert done.stderr.count("\n") == 1


def test_wrong_usage_is_exit_2() -> None:
    assert run("serve").returncode == 2
    assert run("nonsense").returncode == 2


def test_without_the_extra_it_is_one_kind_sentence(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ModuleNotFoundError('gone', name='typer')\n")
    done = run("serve", environment={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "workseal-verifier needs the verifier extra: pip install 'workseal[verifier]'\n"
    )


def test_stops_when_it_is_told(home: Path) -> None:
    with serving(home) as url:
        assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    time.sleep(0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", trust_env=False)


# --- letting people in ---


def test_an_invitation_is_printed_once_and_listed_with_who_accepted_it(home: Path) -> None:
    with serving(home):
        made = run("invite", "--home", home, "--role", "freelancer", "--uses", "3")
        assert made.returncode == 0, made.stderr
        (link,) = made.stdout.splitlines()
        host = ORIGIN.partition("/")[0]
        assert re.fullmatch(rf"https://{re.escape(host)}/#invitation=[\w-]{{43}}", link)
        listed = run("invitations", "--home", home)
        assert re.fullmatch(r"open [0-9a-f]{16}: 3 of role freelancer, until \S+\n", listed.stdout)
        assert link.rpartition("=")[2] not in listed.stdout
        store = InvitationStore(Database(home / "verifier.db"))
        token = read_token(link.rpartition("=")[2])
        assert token is not None
        guest = SeedSigner(bytes(32)).public_key
        Invitations(store, SystemClock()).accept(token, guest)
        store.database.close()
        listed = run("invitations", "--home", home)
        assert re.match(r"open [0-9a-f]{16}: 2 of", listed.stdout)
        assert listed.stdout.splitlines()[1].endswith(f": freelancer {guest.text()}")


def test_an_invitation_that_leaked_is_withdrawn_and_so_is_a_key_that_came_by_it(
    home: Path,
) -> None:
    guest, late = (SeedSigner(bytes([n]) * 32).public_key for n in (1, 2))
    with serving(home):
        link = run("invite", "--home", home, "--uses", "3").stdout.strip()
        token = read_token(link.rpartition("=")[2])
        assert token is not None
        store = InvitationStore(Database(home / "verifier.db"))
        book = Invitations(store, SystemClock())
        book.accept(token, guest)
        listed = run("invitations", "--home", home).stdout
        name = re.findall("^open ([0-9a-f]{16}):", listed)[0]
        for what in (name, guest.text()):
            done = run("invitations", "--home", home, "--withdraw", what)
            assert (done.returncode, done.stdout[:11]) == (0, "withdrawn: "), done.stderr
            again = run("invitations", "--home", home, "--withdraw", what)
            assert (again.returncode, again.stdout) == (1, "")
        assert run("invitations", "--home", home).stdout == ""
        for key in (guest, late):
            with pytest.raises(RefusedError):
                book.accept(token, key)
        assert not book.may_offer(guest)
        store.database.close()
        wrong = run("invitations", "--home", home, "--withdraw", "x")
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert "an ID or a key" in wrong.stderr


def test_the_operator_signs_in_only_who_is_known(home: Path) -> None:
    with serving(home):
        guest = SeedSigner(bytes(32)).public_key
        unknown = run("invite", "--home", home, "--sign-in", guest.text())
        assert (unknown.returncode, unknown.stdout) == (1, "")
        assert "nobody here has this key" in unknown.stderr
        malformed = run("invite", "--home", home, "--sign-in", "ed25519:x")
        assert (malformed.returncode, malformed.stdout) == (2, "")
        store = InvitationStore(Database(home / "verifier.db"))
        invitations = Invitations(store, SystemClock())
        invitations.accept(invitations.make(Role.CLIENT, uses=1, days=1), guest)
        words = ("--sign-in", guest.text(), "--url", "http://localhost:1")
        known = run("invite", "--home", home, *words)
        assert re.fullmatch(r"http://localhost:1/#signin=[\w-]{43}\n", known.stdout)
        token = read_token(known.stdout.splitlines()[0].rpartition("=")[2])
        assert token is not None
        begun = SignIn(AccessStore(store.database), SystemClock()).begin(token)
        assert begun.session.root == Root.OPERATOR
        store.database.close()


def test_an_invitation_needs_a_log_and_an_address(tmp_path: Path) -> None:
    home = tmp_path / "nameless"
    run("init", "--home", home, "--origin", "log-2026")
    without = run("invite", "--home", home)
    assert (without.returncode, without.stdout) == (2, "")
    assert "--url" in without.stderr
    early = run("invite", "--home", home, "--url", "http://localhost:1")
    assert (early.returncode, early.stdout) == (1, "")
    assert "serve" in early.stderr
