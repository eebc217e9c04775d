"""Keyrings in memory, through the interface that real ones have."""

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Keep passwords, remember what was asked for, and fail as the test says."""

    priority: float = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []
        self.error: Exception | None = None

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        self.asked.append(username)
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class PlainKeyring(MemoryKeyring):
    """Say of itself that it protects nothing."""

    priority = 0.5


class ForgetfulKeyring(MemoryKeyring):
    """Take everything and keep nothing, as the null backend does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep nothing."""
