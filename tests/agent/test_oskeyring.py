import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail, null
from keyring.errors import InitError, KeyringLocked, NoKeyringError

from support.keyrings import ForgetfulKeyring, MemoryKeyring, PlainKeyring
from workseal_agent.oskeyring import SERVICE, KeyringProblem, fetch, forget, keep

SECRET = bytes(range(32))


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


def test_keeps_gives_back_and_forgets(memory: MemoryKeyring) -> None:
    keep("a name", SECRET)
    assert fetch("a name") == SECRET
    assert [service for service, _ in memory.kept] == [SERVICE]
    forget("a name")
    forget("a name")
    with pytest.raises(KeyringProblem, match="does not hold"):
        fetch("a name")


@pytest.mark.parametrize("kind", [fail.Keyring, null.Keyring, PlainKeyring])
def test_refuses_a_keyring_that_protects_nothing(
    kind: Callable[[], keyring.backend.KeyringBackend],
) -> None:
    keyring.set_keyring(kind())
    for use in (lambda: keep("a name", SECRET), lambda: fetch("a name")):
        with pytest.raises(KeyringProblem, match="no keyring that protects"):
            use()
    forget("a name")


def test_what_is_not_kept_is_noticed_at_once() -> None:
    keyring.set_keyring(ForgetfulKeyring())
    with pytest.raises(KeyringProblem):
        keep("a name", SECRET)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(NoKeyringError("/home/ada"), "no keyring", id="none"),
        pytest.param(KeyringLocked("/home/ada"), "is locked, and was not", id="locked"),
        pytest.param(InitError("/home/ada"), "is locked, and was not", id="not opened"),
        pytest.param(OSError("/home/ada"), "does not answer .OSError", id="anything"),
    ],
)
def test_whatever_fails_is_one_sentence_of_ours(
    memory: MemoryKeyring, error: Exception, sentence: str
) -> None:
    memory.error = error
    for use in (lambda: keep("a name", SECRET), lambda: fetch("a name")):
        with pytest.raises(KeyringProblem, match=sentence) as caught:
            use()
        assert "ada" not in str(caught.value)
    forget("a name")


def test_what_somebody_else_wrote_is_no_secret(memory: MemoryKeyring) -> None:
    memory.kept[SERVICE, "a name"] = "not base64!"
    with pytest.raises(KeyringProblem, match="something else"):
        fetch("a name")


PROGRAM = """
from workseal_agent.oskeyring import fetch, forget, keep
keep("a name", bytes(32))
assert fetch("a name") == bytes(32)
forget("a name")
import keyring
print(keyring.get_keyring().__module__)
"""
UNLOCKED = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null && "


def on_a_bus(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "PATH": os.environ["PATH"]}
    return subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_keeps_it_in_a_real_keyring(tmp_path: Path) -> None:
    done = on_a_bus(tmp_path, f"{UNLOCKED}'{sys.executable}' -c '{PROGRAM}'")
    assert done.stdout.strip() == "keyring.backends.SecretService", done.stderr
