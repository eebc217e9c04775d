"""What can be set, as values, and the places of the agent's files.

Rule: every setting has its default here, and nothing else knows it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workseal_agent.keychord import KeyChord

# Words for a zone in [display]; any other is a name of the tz database.
MACHINE_ZONE = "machine"
AGREEMENT_ZONE = "agreement"

ScreenKind = Literal["auto", "x11", "grim", "cast", "portal", "native", "replay"]
Hours = Literal["24", "12"]
Totals = Literal["second", "minute"]
ActivityKind = Literal["auto", "x11", "listener", "swayidle", "mutter", "none"]


@dataclass(frozen=True, slots=True)
class VerifierSettings:
    """Say where the verifier is."""

    url: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """Say what is recorded."""

    kind: ScreenKind = "auto"
    display: str | None = None
    replay: Path | None = None


@dataclass(frozen=True, slots=True)
class ActivitySettings:
    """Say how input is counted."""

    kind: ActivityKind = "auto"


@dataclass(frozen=True, slots=True)
class MaskRuleSettings:
    """Hold one rule of the user: at least one of application, title and url.

    `engagement` is the beginning of the number of the one for which it holds; None: for all.
    """

    name: str
    application: str | None = None
    title: str | None = None
    url: str | None = None
    engagement: str | None = None


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """Say which windows are never recorded."""

    defaults: bool = True
    rules: tuple[MaskRuleSettings, ...] = ()
    only: tuple[MaskRuleSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class LockSettings:
    """Say whether time goes on while the screen is locked; pictures never do."""

    counts: bool = False


@dataclass(frozen=True, slots=True)
class SealSettings:
    """Say which key seals and opens again; None: none does."""

    key: KeyChord | None = None


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """Say whether the desktop is asked to show notices."""

    show: bool = True


@dataclass(frozen=True, slots=True)
class DisplaySettings:
    """Say how times are written for the owner; what is signed and counted knows nothing of it."""

    hours: Hours = "24"
    totals: Totals = "second"
    zone: str = MACHINE_ZONE


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """Say where the witness listens that runs while this agent records."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """Say from which size on the vault is worth a warning."""

    warn_above_gib: int = 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Hold all settings and the places of the agent's files."""

    home: Path
    verifier: VerifierSettings = VerifierSettings()
    screen: ScreenSettings = ScreenSettings()
    activity: ActivitySettings = ActivitySettings()
    mask: MaskSettings = MaskSettings()
    lock: LockSettings = LockSettings()
    seal: SealSettings = SealSettings()
    vault: VaultSettings = VaultSettings()
    notices: NoticeSettings = NoticeSettings()
    display: DisplaySettings = DisplaySettings()
    witness: WitnessSettings | None = None

    @property
    def config_file(self) -> Path:
        """Return the place of the settings themselves."""
        return self.home / "config.toml"

    @property
    def keys_file(self) -> Path:
        """Return the place of the encrypted keys."""
        return self.home / "keys"

    @property
    def ledger_file(self) -> Path:
        """Return the place of the chain."""
        return self.home / "ledger.sqlite"

    @property
    def vault_folder(self) -> Path:
        """Return the folder of the sealed frames."""
        return self.home / "vault"

    @property
    def names_file(self) -> Path:
        """Return the place of the owner's list of names that a review marks."""
        return self.home / "names"

    @property
    def witness_folder(self) -> Path:
        """Return the home of the witness that runs while this agent records."""
        return self.home / "witness"

    @property
    def cases_folder(self) -> Path:
        """Return the folder of what must be remembered of cases."""
        return self.home / "cases"

    @property
    def sent_file(self) -> Path:
        """Return the place of the list of what left this machine."""
        return self.home / "sent.sqlite"

    @property
    def maker_file(self) -> Path:
        """Return the place of what shows that this home made an unattended backup."""
        return self.home / "backup.maker"

    @property
    def backup_lock_file(self) -> Path:
        """Return the place of what one backup at a time holds."""
        return self.home / "backup.lock"

    @property
    def backup_scratch_folder(self) -> Path:
        """Return the folder of what a backup needs while it is written."""
        return self.home / "backup.part"

    @property
    def left_file(self) -> Path:
        """Return the place of the note of backups that may have been left unfinished."""
        return self.home / "backup.left"

    @property
    def export_left_file(self) -> Path:
        """Return the place of the note of exports that may have been left unfinished."""
        return self.home / "export.left"

    @property
    def export_lock_file(self) -> Path:
        """Return the place of the lock of whoever exports everything."""
        return self.home / "export.lock"

    @property
    def cast_token_file(self) -> Path:
        """Return the place of what a desktop handed out so that it need not ask again."""
        return self.home / "screencast.token"

    @property
    def autostart_file(self) -> Path:
        """Return the place of the list of what was written for the log-in."""
        return self.home / "autostart.json"

    @property
    def socket_file(self) -> Path:
        """Return the place of the control socket."""
        return self.home / "control.sock"
