"""Every error of the agent that its own code raises, and what a capture can fail of.

    AgentError
    ├── UsageProblem         what a person typed cannot be meant
    ├── SettingsError        the settings file or the home folder is not usable
    ├── KeystoreError        the key file is not usable
    │   └── WrongPassphraseError
    ├── CaptureError         no picture this time; carries a `CaptureFailure`
    ├── NoScreenError        there is nothing to take pictures of
    └── VaultError           the vault does not hold what was asked for, or it is damaged
        └── VaultFullError   no room; nothing was written

Rules: a text never holds a passphrase, a key, a window title or anything read from the screen.
Other modules of the agent derive theirs from `AgentError`, so that one clause at the edge of the
program is enough.
"""

from enum import IntEnum
from typing import ClassVar


class AgentError(Exception):
    """Be the root of the agent's errors; never raised itself.

    A program that ends with one has its exit code: refused, unless its class says otherwise.
    """

    exit_code: ClassVar[int] = 1


class UsageProblem(AgentError):  # noqa: N818 - the word that people read
    """Say what is wrong with an argument."""

    exit_code = 2


class SettingsError(AgentError):
    """Say what is wrong with the settings or the home folder, and where."""

    exit_code = 2


class KeystoreError(AgentError):
    """Say that the key file cannot be read or written."""


class WrongPassphraseError(KeystoreError):
    """Say that the passphrase does not open the key, or that the key file was changed."""


class CaptureFailure(IntEnum):
    """Name why a due capture gave no picture; the value of the note CAPTURE_FAILED."""

    NO_DISPLAY = 1
    REFUSED = 2
    CHANGED = 3
    OTHER = 4
    HIDDEN = 5
    FORBIDDEN = 6


class CaptureError(AgentError):
    """Say that no picture could be taken this time."""

    def __init__(self, failure: CaptureFailure, text: str) -> None:
        super().__init__(text)
        self.failure = failure


class NoScreenError(AgentError):
    """Say in one sentence which screen was looked for."""


class VaultError(AgentError):
    """Say that a vault object is missing, damaged or not what its name says."""


class VaultFullError(VaultError):
    """Say that there is no room for an object; nothing of it was kept."""
