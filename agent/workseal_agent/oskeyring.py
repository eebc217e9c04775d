"""The operating system's keyring, where a slot of the key file may keep its secret.

Rules: opt-in; the library is loaded only by a command that uses such a slot, never by the process
that records. What is kept is random and opens nothing without the key file. Whatever a keyring does
instead of answering is one sentence.
"""

import base64
import binascii
from contextlib import suppress
from typing import TYPE_CHECKING

from workseal_agent.errors import KeystoreError
from workseal_agent.language import phrase

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "workseal-agent"


class KeyringProblem(KeystoreError):  # noqa: N818 - the word that people read
    """Say why the system's keyring did not help."""


def keep(name: str, secret: bytes) -> None:
    """Keep a secret; it was read back when this returns."""
    backend = _backend()
    try:
        backend.set_password(SERVICE, name, base64.b64encode(secret).decode())
    except Exception as error:
        raise _problem(error) from error
    if fetch(name) != secret:
        raise KeyringProblem("the system's keyring does not give back what it was given")


def fetch(name: str) -> bytes:
    """Return a secret that was kept, or raise `KeyringProblem`."""
    backend = _backend()
    try:
        text = backend.get_password(SERVICE, name)
    except Exception as error:
        raise _problem(error) from error
    if text is None:
        raise KeyringProblem("the system's keyring does not hold this home's secret")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise KeyringProblem("the system's keyring holds something else under this name") from error


def forget(name: str) -> None:
    """Remove a secret, if the keyring lets it: without its slot it opens nothing."""
    with suppress(Exception):
        _backend().delete_password(SERVICE, name)


def _backend() -> "KeyringBackend":
    """Return a keyring that protects what it keeps: none that stores plain text, or nothing."""
    try:
        import keyring  # noqa: PLC0415 - no other command waits for it
    except ImportError as error:
        raise KeyringProblem(
            "the system's keyring needs the package `keyring`: pip install 'workseal[agent]'"
        ) from error
    try:
        backend = keyring.get_keyring()
        usable = backend.priority >= 1
    except Exception as error:
        raise _problem(error) from error
    if not usable:
        raise KeyringProblem("this system has no keyring that protects what it keeps")
    return backend


def _problem(error: Exception) -> KeyringProblem:
    """Tell what a keyring raised; its own text may hold names of this machine."""
    from keyring.errors import InitError, KeyringLocked, NoKeyringError  # noqa: PLC0415 - as above

    match error:
        case NoKeyringError():
            return KeyringProblem("this system has no keyring that protects what it keeps")
        case KeyringLocked() | InitError():
            return KeyringProblem("the system's keyring is locked, and was not unlocked")
        case _:
            return KeyringProblem(
                phrase("the system's keyring does not answer ({kind})", kind=type(error).__name__)
            )
