"""What the commands need of a home: settings, keys, ledger, engagement, the way to the verifier."""

import getpass
import os
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workseal_agent.cli.handover import PASSPHRASE_VARIABLE
from workseal_agent.cli.printing import say
from workseal_agent.cli.problem import UsageProblem
from workseal_agent.clock import SystemClock
from workseal_agent.config import Settings, home_folder
from workseal_agent.daemon import NotRunningError, ask
from workseal_agent.errors import AgentError
from workseal_agent.homeparts import client_of, files_of, ledger_file_of, settings_of
from workseal_agent.keystore import Key, Keystore, SlotKind
from workseal_agent.language import own, own_reason, phrase
from workseal_agent.ledger import Engagement, Ledger, LedgerKey, short_name
from workseal_agent.oskeyring import KeyringProblem, fetch
from workseal_agent.undumped import forbid_dumps
from workseal_protocol.keys import PublicKey, SeedSigner, Signer

if TYPE_CHECKING:
    from workseal_agent.connection import VerifierClient

_MAX_PASSPHRASE = 1024
_SEND_STEPS = 64


def read_passphrase(file: Path) -> str:
    """Return the first line of a file."""
    try:
        with file.open("rb") as opened:
            return opened.readline(_MAX_PASSPHRASE).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason: str | None = phrase("it is not UTF-8")
        if isinstance(error, OSError):
            reason = error.strerror
        raise UsageProblem(
            phrase("the passphrase file {file} cannot be read: {reason}", file=file, reason=reason)
        ) from error


class Home:
    """Open the parts of a home when they are first asked for."""

    def __init__(
        self,
        folder: Path | None,
        passphrase_file: Path | None,
        traffic: Path | None,
        engagement: str | None,
    ) -> None:
        self.folder = home_folder(folder, os.environ)
        self.traffic = traffic
        self._passphrase_file = passphrase_file
        self._wanted = engagement

    @property
    def named(self) -> str | None:
        """Return the engagement that was named on the command line, None when none was."""
        return self._wanted

    @cached_property
    def files(self) -> Settings:
        """Return where everything lies in such a home, whatever is written in its settings.

        Who stops a recording, or withdraws a frame, has no use for more: a mistake in the settings
        must not keep anybody from it.
        """
        return files_of(self.folder)

    @cached_property
    def settings(self) -> Settings:
        """Return the settings of a home that `init` made and that is its owner's alone."""
        return settings_of(self.folder)

    @cached_property
    def keystore(self) -> Keystore:
        """Return the key file, closed."""
        return Keystore.load(self.files.keys_file)

    @property
    def public_key(self) -> PublicKey:
        """Return this freelancer's public key."""
        return PublicKey.of_raw(self.keystore.signing_public)

    @cached_property
    def signer(self) -> SeedSigner:
        """Return the signing key, after asking for the passphrase."""
        return SeedSigner(self.seed)

    @cached_property
    def seed(self) -> bytes:
        """Return the seed of the signing key, after asking for the passphrase."""
        return self._unlocked(Key.SIGNING)

    def vault_key(self) -> bytes:
        """Return the vault's private key, after asking for the passphrase."""
        return self._unlocked(Key.VAULT)

    def _unlocked(self, key: Key) -> bytes:
        """Return a key: by what was given or typed before, else by the keyring, else by asking."""
        slot = self.keystore.slot(SlotKind.KEYRING)
        given = "_typed" in self.__dict__ or self._given_passphrase() is not None
        if slot is None or key not in slot.boxes or given:
            return self.keystore.unlock(key, self.passphrase())
        forbid_dumps()
        try:
            secret = fetch(slot.boxes[key].salt.hex())
        except KeyringProblem as problem:
            if not sys.stdin.isatty():
                raise AgentError(
                    phrase(
                        "{problem}; the passphrase opens it too: --passphrase-file, or {variable}",
                        problem=own_reason(problem),
                        variable=PASSPHRASE_VARIABLE,
                    )
                ) from problem
            say(phrase("{problem}; the passphrase opens it too", problem=own_reason(problem)))
            return self.keystore.unlock(key, self.passphrase())
        return self.keystore.unlock_by_secret(key, slot, secret)

    def passphrase(self, *, new: bool = False) -> str:
        """Return the passphrase: from file, environment or terminal; a new one is typed twice.

        Recovery words may stand in its place.
        """
        if "_typed" in self.__dict__:
            return str(self.__dict__["_typed"])
        forbid_dumps()
        given = self._given_passphrase()
        if given is None:
            if not sys.stdin.isatty():
                raise UsageProblem(
                    phrase(
                        "no passphrase: --passphrase-file, {variable}, or a terminal",
                        variable=PASSPHRASE_VARIABLE,
                    )
                )
            given = getpass.getpass(own(phrase("Passphrase: ")))
            if new and getpass.getpass(own(phrase("The same again: "))) != given:
                raise UsageProblem("the two passphrases differ")
        self.__dict__["_typed"] = given
        return given

    def forget_passphrase(self) -> None:
        """Forget what was typed: for a command that goes on for hours after its one use."""
        self.__dict__.pop("_typed", None)

    def _given_passphrase(self) -> str | None:
        if self._passphrase_file is None:
            return os.environ.get(PASSPHRASE_VARIABLE) or None
        return read_passphrase(self._passphrase_file)

    @cached_property
    def ledger(self) -> Ledger:
        """Return the ledger without its key: enough for everything that is not private."""
        return Ledger(ledger_file_of(self.files))

    @cached_property
    def open_ledger(self) -> Ledger:
        """Return the ledger with its key, after asking for the passphrase."""
        return Ledger(ledger_file_of(self.files), LedgerKey(self.signer))

    def find_engagement(self) -> Engagement | None:
        """Return the engagement asked for, else the recorded one, else the one joined last.

        The same one during the whole command, also when a recording ends meanwhile; None before
        the first.
        """
        return self._engagement

    @property
    def program(self) -> str:
        """Write how this program was called, to be typed again for the same engagement."""
        if self._wanted is None:
            return "workseal-agent"
        return f"workseal-agent --engagement {short_name(self.engagement().id)}"

    @cached_property
    def _engagement(self) -> Engagement | None:
        known = self.ledger.engagements()
        wanted = self._wanted.lower() if self._wanted is not None else self.recorded()
        if wanted is None:
            return known[-1] if known else None
        found = [one for one in known if one.id.hex().startswith(wanted)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(one.id.hex() if found else short_name(one.id) for one in found or known)
        if found:
            raise UsageProblem(phrase("several engagements begin like that: {names}", names=names))
        raise UsageProblem(
            phrase(
                "there is no such engagement in this home: it has {names}",
                names=names or phrase("none"),
            )
        )

    def recorded(self) -> str | None:
        """Return the number of the engagement that is being recorded, None when none is."""
        with suppress(NotRunningError):
            told = ask(self.files.socket_file, {"command": "engagement"})
            return str(told["engagement"])
        return None

    def engagement(self) -> Engagement:
        """Return the engagement, or raise `AgentError` before the first one."""
        engagement = self.find_engagement()
        if engagement is None:
            raise AgentError("no engagement yet: `workseal-agent join LINK`")
        return engagement

    def client(
        self, url: str, *, seconds: float | None = None, signer: Signer | None = None
    ) -> "VerifierClient":
        """Return a client for a verifier, as `client_of` makes it."""
        return client_of(self.settings, url, traffic=self.traffic, seconds=seconds, signer=signer)

    def ask(self, command: str, **more: Any) -> dict[str, Any]:
        """Ask the recording process for something that concerns this command's engagement.

        Raises `NotRunningError` when there is none, `ControlError` when it records another one.
        """
        request = {"command": command, "engagement": self.engagement().id.hex(), **more}
        return ask(self.files.socket_file, request)

    def running(self) -> dict[str, Any] | None:
        """Return the recording process's status, whichever engagement; None without one."""
        with suppress(NotRunningError):
            return ask(self.files.socket_file, {"command": "status"})
        return None

    def records(self, engagement: Engagement) -> dict[str, Any] | None:
        """Return the recording process's status if it records this engagement."""
        running = self.running()
        return running if running and running["engagement"] == engagement.id.hex() else None

    def send_now(self) -> bool:
        """Send what is unsent, once; True when nothing is left. Failures wait for the next time."""
        # Most commands send nothing.
        from workseal_agent.submission import Log  # noqa: PLC0415
        from workseal_agent.uplink import Uplink  # noqa: PLC0415

        engagement = self.engagement()
        client = self.client(engagement.url)
        try:
            wall_ms = SystemClock().wall_ms
            uplink = Uplink(self.ledger, client, Log.of(engagement), wall_ms=wall_ms)
            return uplink.drain(_SEND_STEPS)
        finally:
            client.close()
