"""The agent's settings: one TOML file in the agent's home folder.

Rules: an unknown key is refused with the name of the nearest place to look, because a mask rule
with a typing mistake would otherwise protect nothing. Folders are 0700 and files 0600.
"""

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from workseal_agent.errors import SettingsError
from workseal_agent.keychord import KeyChord

HOME_VARIABLE = "WORKSEAL_AGENT_HOME"
MAX_SETTINGS_BYTES = 65_536
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_BEGINNING = re.compile(r"[0-9a-f]{4,32}")
_HINT = re.compile(r"[^\s/*]+\.[^\s/*]+(/[^\s*]*)?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

ScreenKind = Literal["auto", "x11", "grim", "cast", "portal", "native", "replay"]
ActivityKind = Literal["auto", "x11", "listener", "swayidle", "mutter", "none"]

DEFAULT_TEXT = """\
# Settings of workseal-agent. Unknown keys are refused.

[verifier]
# Where signed statements are sent. Only commitments go there, never a picture.
{url}
# ca_file = "/path/to/ca.pem"    # only for a verifier with a certificate of your own

[screen]
kind = "auto"                    # or "x11", "grim", "cast", "portal", "native", "replay": `doctor`
# display = ":0"                 # default: the DISPLAY of your session
# replay = "/path/to/pngs"       # pictures shown in turn instead of a real screen

[activity]
kind = "auto"                    # or "x11", "listener", "swayidle", "mutter", "none"; never keys

[lock]
time = "pause"                   # or "count": whether time goes on while the screen is locked

[seal]
# key = "super+pause"            # seals at once, and opens again; see `workseal-agent seal`

[vault]
warn_above_gib = 20              # `status` warns when the vault is larger; nothing is destroyed

[notices]
show = true                      # notices of the desktop, for trouble and requests; few, no content

# [witness]
# listen = "127.0.0.1:8090"      # cosign the log while you record: `workseal-agent witness`

[mask]
defaults = true                  # hide password managers, and private windows whose title says so

# Only these windows in one engagement: everything else on the screen is filled.
# [[mask.only]]
# name = "editor"
# engagement = "3f2a"            # the beginning of its number; without it: in all
# application = "code"

# Windows of your own that must never be recorded. * and ? are wildcards; case does not matter.
# [[mask.rule]]
# name = "bank"
# application = "firefox"        # the window's WM_CLASS: see `xprop WM_CLASS`
# title = "*My Bank*"
"""


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
    def sent_file(self) -> Path:
        """Return the place of the list of what left this machine."""
        return self.home / "sent.sqlite"

    @property
    def maker_file(self) -> Path:
        """Return the place of what shows that this home made an unattended backup."""
        return self.home / "backup.maker"

    @property
    def left_file(self) -> Path:
        """Return the place of the note of backups that may have been left unfinished."""
        return self.home / "backup.left"

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


def home_folder(argument: Path | None, environment: Mapping[str, str]) -> Path:
    """Choose the home: the argument, WORKSEAL_AGENT_HOME, or the system's place for user data."""
    if argument is not None:
        return argument.expanduser().absolute()
    named = environment.get(HOME_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    import platformdirs  # noqa: PLC0415 - not needed when the home is named

    return platformdirs.user_data_path("workseal-agent")


def prepare_home(home: Path) -> None:
    """Make the home folder, or take one that is private already, or empty.

    Raises `SettingsError` for any other folder: its rights are not this program's to change.
    """
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(home.iterdir()) and home.stat().st_uid == os.geteuid():
            home.chmod(0o700)
    except OSError as error:
        raise SettingsError(f"the home folder cannot be used: {error.strerror}") from error
    require_private(home)


def require_private(home: Path) -> None:
    """Check that a home is its owner's alone, and change nothing; `SettingsError` if it is not."""
    try:
        found = home.stat()
    except OSError as error:
        raise SettingsError(f"the home folder cannot be used: {error.strerror}") from error
    if found.st_uid != os.geteuid():
        raise SettingsError("the home folder belongs to another user")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise SettingsError(
            f"the home folder is open to other users (mode {mode:03o}, expected 700):"
            f" `chmod 700 {home}`"
        )


def write_default_settings(home: Path, url: str | None) -> Path:
    """Write the commented default file; `SettingsError` when there is one already."""
    target = Settings(home).config_file
    line = f'url = "{_url(url)}"' if url is not None else '# url = "https://verifier.example"'
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(target, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(DEFAULT_TEXT.format(url=line))
    except FileExistsError as error:
        raise SettingsError("config.toml exists already") from error
    except OSError as error:
        raise SettingsError(f"config.toml cannot be written: {error.strerror}") from error
    return target


def load_settings(home: Path) -> Settings:
    """Read config.toml of the home; without the file every setting has its default."""
    try:
        with Settings(home).config_file.open("rb") as file:
            data = file.read(MAX_SETTINGS_BYTES + 1)
    except FileNotFoundError:
        return Settings(home)
    except OSError as error:
        raise SettingsError(f"config.toml cannot be read: {error.strerror}") from error
    if len(data) > MAX_SETTINGS_BYTES:
        raise SettingsError(f"config.toml is larger than {MAX_SETTINGS_BYTES} bytes")
    return parse_settings(home, data)


def parse_settings(home: Path, data: bytes) -> Settings:
    """Read settings from the bytes of a TOML file."""
    try:
        root = _Table(tomllib.loads(data.decode("utf-8")), "config.toml")
    except UnicodeDecodeError as error:
        raise SettingsError("config.toml is not UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError("config.toml is not TOML") from error
    settings = Settings(
        home=home,
        verifier=_verifier(root.table("verifier")),
        screen=_screen(root.table("screen")),
        activity=_activity(root.table("activity")),
        mask=_mask(root.table("mask")),
        lock=_lock(root.table("lock")),
        seal=_seal(root.table("seal")),
        vault=_vault(root.table("vault")),
        notices=_notices(root.table("notices")),
        witness=_witness(root.table("witness")),
    )
    root.close()
    return settings


class _Table:
    """Read a TOML table key by key and refuse what nobody asked for."""

    def __init__(self, values: dict[str, Any], place: str) -> None:
        self._left = dict(values)
        self._known: list[str] = []
        self._place = place

    def _take(self, key: str, form: type, what: str) -> Any:
        self._known.append(key)
        value = self._left.pop(key, None)
        if value is not None and type(value) is not form:
            raise SettingsError(f"{key} in {self._place} must be {what}")
        return value

    def text(self, key: str, *, maximum: int = 4096) -> str | None:
        value = self._take(key, str, "text")
        if value is not None and not 1 <= len(value) <= maximum:
            raise SettingsError(f"{key} in {self._place} must have 1 to {maximum} characters")
        return cast("str | None", value)

    def path(self, key: str) -> Path | None:
        value = self.text(key)
        return None if value is None else Path(value).expanduser()

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.text(key)
        if value is None:
            return choices[0]
        if value not in choices:
            raise SettingsError(f"{key} in {self._place} must be one of {', '.join(choices)}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._take(key, bool, "true or false")
        return default if value is None else bool(value)

    def number(self, key: str, *, default: int, maximum: int) -> int:
        value = self._take(key, int, "a whole number")
        if value is None:
            return default
        if not 1 <= value <= maximum:
            raise SettingsError(f"{key} in {self._place} must be 1 to {maximum}")
        return int(value)

    def table(self, key: str) -> "_Table":
        return _Table(self._take(key, dict, "a table") or {}, f"[{key}]")

    def tables(self, key: str, place: str, *, maximum: int) -> list["_Table"]:
        values = self._take(key, list, "an array of tables") or []
        if len(values) > maximum or not all(type(value) is dict for value in values):
            raise SettingsError(f"{place} must be an array of at most {maximum} tables")
        return [_Table(value, f"{place} {n}") for n, value in enumerate(values, 1)]

    def close(self) -> None:
        for key in self._left:
            name = key if len(key) <= 40 and key.isprintable() else "a key"
            known = ", ".join(self._known)
            raise SettingsError(f"{name} in {self._place} is not known; known are: {known}")


def _verifier(table: _Table) -> VerifierSettings:
    url = table.text("url", maximum=512)
    settings = VerifierSettings(None if url is None else _url(url), table.path("ca_file"))
    table.close()
    return settings


def _url(text: str) -> str:
    """Accept https anywhere, and plain http only to this machine."""
    problem = SettingsError("url in [verifier] must be https://HOST, or http:// to this machine")
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise problem from error
    if any(not "!" <= letter <= "~" or letter in '"\\' for letter in text):
        raise problem
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise problem
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise problem
    return text.rstrip("/")


def _screen(table: _Table) -> ScreenSettings:
    kind = cast("ScreenKind", table.choice("kind", get_args(ScreenKind)))
    settings = ScreenSettings(kind, table.text("display", maximum=256), table.path("replay"))
    table.close()
    if kind == "replay" and settings.replay is None:
        raise SettingsError('kind = "replay" in [screen] needs replay = "FOLDER"')
    return settings


def _activity(table: _Table) -> ActivitySettings:
    settings = ActivitySettings(cast("ActivityKind", table.choice("kind", get_args(ActivityKind))))
    table.close()
    return settings


def _lock(table: _Table) -> LockSettings:
    time = table.choice("time", ("pause", "count"))
    table.close()
    return LockSettings(counts=time == "count")


def _seal(table: _Table) -> SealSettings:
    text = table.text("key", maximum=64)
    table.close()
    if text is None:
        return SealSettings()
    try:
        return SealSettings(KeyChord.parse(text))
    except ValueError as error:
        raise SettingsError(
            'key in [seal] must be a key such as "super+pause" or "ctrl+alt+s": letters and digits'
            " need ctrl, alt or super"
        ) from error


def _notices(table: _Table) -> NoticeSettings:
    settings = NoticeSettings(table.flag("show", default=True))
    table.close()
    return settings


def _witness(table: _Table) -> WitnessSettings | None:
    listen = table.text("listen", maximum=256)
    table.close()
    if listen is None:
        return None
    host, colon, port = listen.rpartition(":")
    if not (host and colon and _PORT.fullmatch(port)) or int(port) > 65_535:
        raise SettingsError('listen in [witness] must be "ADDRESS:PORT", such as "127.0.0.1:8090"')
    return WitnessSettings(host.removeprefix("[").removesuffix("]"), int(port))


def _vault(table: _Table) -> VaultSettings:
    settings = VaultSettings(table.number("warn_above_gib", default=20, maximum=1_048_576))
    table.close()
    return settings


def _mask(table: _Table) -> MaskSettings:
    defaults = table.flag("defaults", default=True)
    rules = _rules(table, "rule")
    only = _rules(table, "only")
    table.close()
    names = [rule.name for rule in (*rules, *only)]
    if len(set(names)) != len(names):
        raise SettingsError("two rules of [mask] have the same name")
    return MaskSettings(defaults, rules, only)


def _rules(mask: _Table, key: str) -> tuple[MaskRuleSettings, ...]:
    place = f"[[mask.{key}]]"
    return tuple(_rule(one, key) for one in mask.tables(key, place, maximum=256))


def _rule(table: _Table, key: str) -> MaskRuleSettings:
    place = f"[[mask.{key}]]"
    name = table.text("name", maximum=64)
    application, title = table.text("application", maximum=256), table.text("title", maximum=256)
    # Which windows are wanted is a choice for each engagement; what is not, is one for all. An
    # address that a title shows is enough to hide a window, and not enough to show one.
    url = table.text("url", maximum=256) if key == "rule" else None
    engagement = table.text("engagement", maximum=32) if key == "only" else None
    table.close()
    if name is None:
        raise SettingsError(f"each rule in {place} needs a name")
    if application is None and title is None and url is None:
        raise SettingsError(f"each rule in {place} needs an application or a title")
    if engagement is not None and not _BEGINNING.fullmatch(engagement):
        raise SettingsError(f"engagement in {place} must be the first 4 to 32 digits of its number")
    return MaskRuleSettings(
        name, application, title, None if url is None else _hint(url), engagement
    )


def _hint(url: str) -> str:
    """Keep what a title may show of an address: host and path."""
    hint = re.sub(r"^[a-z]+://(www\.)?", "", url.strip().lower()).rstrip("/*")
    if not _HINT.fullmatch(hint):
        raise SettingsError('url in [[mask.rule]] must be an address such as "bank.example/login"')
    return hint
