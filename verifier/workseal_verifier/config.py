"""Settings of one verifier home, frozen, read once from `verifier.toml`.

Layout of a home (directories 0700, files 0600):

    verifier.toml      these settings
    keys/              one seed file per key, and the beacon's secrets
    lock/              the lock file; give it a volume that is never restored from a backup
    continued.checkpoint   of the log that this one continues, if it does
    verifier.db        everything else (SQLite, with -wal and -shm beside it)
    tsa/               only with the local TSA: its certificates and key
"""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import PublicKey
from workseal_protocol.note import NoteType, VerifierKey
from workseal_verifier.errors import ConfigError, SettingsError
from workseal_verifier.logs import FORMATS, LEVELS
from workseal_verifier.outsiders import (
    DrandSettings,
    SmtpSettings,
    TsaSettings,
    read_authorities,
    read_drand,
    read_smtp,
)

SETTINGS_FILE = "verifier.toml"

# A C2SP origin and key name: no spaces, no plus sign; the suffixes "/clock" and "/pq" still fit.
_ORIGIN = re.compile(r"[!-*,-~]{1,240}")
URL_BEGIN = "postgresql+psycopg://"
_URL = re.compile(r"https?://[!-~]{1,500}")
_LISTS = ("periods_ms", "clients", "witness", "quorum")
_TEXTS = ("database_url", "sender_header", "log_format", "log_level", "url", "webhooks_roots")
# Passkeys work on https, and on http for a machine's own name.
_OWN_URL = re.compile(
    r"https://[a-z0-9.-]{1,253}(?::[1-9][0-9]{0,4})?|http://localhost:[1-9][0-9]{0,4}"
)
_PERIOD_MS = range(1_000, 600_001)
_FROM_0 = (
    "tick_ms",
    "min_free_mib",
    "mailbox_count",
    "mailbox_mib",
    "sender_rate",
    "signer_rate",
    "metrics_port",
    "check_processes",
)
_FROM_1 = (
    "stamp_interval_s",
    "witness_interval_s",
    "outbox_interval_s",
    "cases_interval_s",
    "lapse_grace_s",
    "max_connections",
    "max_reads",
    "max_submissions",
    "max_pending",
    "chain_memory_mib",
    "sender_burst",
    "signer_burst",
    "mailbox_ttl_s",
)
_LONGEST_BEAT_S = 240
_HEADER = re.compile(r"[a-z0-9-]{0,64}")


@dataclass(frozen=True, slots=True)
class WitnessSettings:
    """A witness that somebody else runs: its name in the policy, its key, where it is asked."""

    name: str
    vkey: VerifierKey
    url: str

    @classmethod
    def of(cls, table: object) -> Self:
        """Read one `[[witness]]` table, or raise `SettingsError`."""
        match table:
            case {"name": str(name), "vkey": str(vkey), "url": str(url), **more} if not more:
                pass
            case _:
                raise SettingsError("each [[witness]] must set name, vkey and url, as text")
        try:
            key = VerifierKey.parse(vkey)
        except MalformedError as error:
            raise SettingsError(f"vkey of a [[witness]]: {error}") from error
        if key.type is NoteType.LOG_ED25519:
            raise SettingsError("vkey of a [[witness]]: expected a key of type 04 or 06, found 01")
        if _URL.fullmatch(url) is None:
            raise SettingsError("url of a [[witness]] must be http:// or https:// and a host")
        return cls(name, key, url.rstrip("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided; every value has a safe default except the home and the origin."""

    home: Path
    origin: str
    # Round lengths for which a beacon is committed and released.
    periods_ms: tuple[int, ...] = (30_000,)
    # Sequencing tick: how long a submission waits for others before one commit covers them all.
    tick_ms: int = 20
    # Time-stamps: the newest checkpoint at most this often, and only if the log grew.
    stamp_interval_s: int = 600
    # Asked in this order.
    tsa: tuple[TsaSettings, ...] = ()
    # A public beacon whose values are relayed.
    drand: DrandSettings | None = None
    # By which mails to parties go out; None: none do.
    smtp: SmtpSettings | None = None
    # Whether parties may name webhooks; whether ones in this server's own networks; certificates
    # to trust instead of the system's.
    webhooks: bool = False
    webhooks_private: bool = False
    webhooks_roots: str = ""
    # How often each worker looks for notices that are due.
    outbox_interval_s: int = 5
    # How often running cases are looked after; the operator's key notes by itself what has passed,
    # a deadline after it and this log's being up for so long.
    cases_interval_s: int = 60
    acts_by_itself: bool = True
    lapse_grace_s: int = 3_600
    # Where the log is kept: a PostgreSQL URL, for several workers or hosts; empty: SQLite.
    database_url: str = ""
    # Outside witnesses, and the lines of the log's policy that say how many must cosign.
    witness: tuple[WitnessSettings, ...] = ()
    quorum: tuple[str, ...] = ()
    # How long a checkpoint waits for its quorum, and each witness's answer.
    witness_timeout_s: float = 5.0
    # An unchanged log is cosigned again this often.
    witness_interval_s: int = 3_600
    # Client keys (text form) that may open an engagement; empty: any client may.
    clients: tuple[str, ...] = ()
    # Also the clients that accepted an invitation, and nobody else.
    invited_only: bool = False
    # Where people and programs reach this server, such as https://log.example.com.
    url: str = ""
    # Below this much free disk the log takes no new statements.
    min_free_mib: int = 64
    max_connections: int = 2_048
    # Worked on at once: reads, and submissions, with those that wait for a tick.
    max_reads: int = 512
    max_submissions: int = 1_024
    max_pending: int = 2_048
    # What may be held of the chains at work, some 90 bytes for each of their statements.
    chain_memory_mib: int = 512
    # Processes beside each worker that check signatures while there is much to check; 0: none.
    check_processes: int = 1
    # Requests a second of one sender, and how many at once; 0: any number.
    sender_rate: int = 100
    sender_burst: int = 1_000
    # The header in which a proxy of yours tells whose request it passes on, such as x-real-ip.
    sender_header: str = ""
    # Statements a second by one key, and how many at once (a week offline comes at once); 0: any.
    signer_rate: int = 50
    signer_burst: int = 20_000
    # Answered at /metrics of this machine alone; 0: nowhere. Workers take the ports above it.
    metrics_port: int = 0
    log_format: str = "text"
    log_level: str = "warning"
    # Told to stop: so long connections are still accepted, told to go, and answered.
    drain_s: float = 2.0
    header_timeout_s: float = 10.0
    body_timeout_s: float = 12.0
    mailbox_count: int = 256
    mailbox_mib: int = 128
    mailbox_ttl_s: int = 3_600

    def __post_init__(self) -> None:
        if _ORIGIN.fullmatch(self.origin) is None:
            raise SettingsError("origin must be 1 to 240 visible ASCII characters without '+'")
        if not self.periods_ms or len(set(self.periods_ms)) != len(self.periods_ms):
            raise SettingsError("periods_ms must list at least one round length, each once")
        if any(type(period) is not int or period not in _PERIOD_MS for period in self.periods_ms):
            raise SettingsError("periods_ms must be whole milliseconds from 1000 to 600000")
        for name in _FROM_0:
            self._whole(name, minimum=0)
        for name in _FROM_1:
            self._whole(name, minimum=1)
        for name in ("header_timeout_s", "body_timeout_s", "witness_timeout_s", "drain_s"):
            self._seconds(name)
        if _HEADER.fullmatch(self.sender_header) is None:
            raise SettingsError("sender_header must be the name of a header, in lower case")
        self._check_places()
        self._check_doors()
        self._check_telling()

    def _check_telling(self) -> None:
        if not self.metrics_port < 65_536:
            raise SettingsError("metrics_port must be below 65536")
        if self.log_format not in FORMATS:
            raise SettingsError("log_format must be text or json")
        if self.log_level not in LEVELS:
            raise SettingsError("log_level must be debug, info, warning or error")

    def _check_places(self) -> None:
        if self.database_url and not self.database_url.startswith(URL_BEGIN):
            raise SettingsError(f"database_url must begin with {URL_BEGIN}")
        if bool(self.witness) != bool(self.quorum):
            raise SettingsError(
                "[[witness]] tables and quorum, the policy lines that say how many of them must"
                " cosign, belong together"
            )

    def _check_doors(self) -> None:
        for name in ("invited_only", "acts_by_itself", "webhooks", "webhooks_private"):
            if type(getattr(self, name)) is not bool:
                raise SettingsError(f"{name} must be true or false")
        if self.cases_interval_s > _LONGEST_BEAT_S:
            # More would be taken for an outage.
            raise SettingsError(f"cases_interval_s must be at most {_LONGEST_BEAT_S}")
        if self.url and _OWN_URL.fullmatch(self.url) is None:
            raise SettingsError("url must be https:// and a host in lower case, without a path")

    def _seconds(self, name: str) -> None:
        value = getattr(self, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 < value <= 86_400:
            raise SettingsError(f"{name} must be more than 0 and at most 86400 seconds")

    def _whole(self, name: str, *, minimum: int) -> None:
        value = getattr(self, name)
        if type(value) is not int or not minimum <= value <= 10**9:
            raise SettingsError(f"{name} must be a whole number from {minimum}")

    @classmethod
    def load(cls, home: Path) -> Self:
        """Read the settings of a home, or raise `ConfigError`: `SettingsError` for their form."""
        path = home / SETTINGS_FILE
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(
                f"{home} is not a verifier home: run 'workseal-verifier init' first"
            ) from None
        except NotADirectoryError:
            raise ConfigError(f"{home} is not a verifier home: it is a file") from None
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise ConfigError(f"{path} cannot be read: {reason}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from error
        return cls._of(home, table)

    @classmethod
    def _of(cls, home: Path, table: dict[str, Any]) -> Self:
        table = {
            **table,
            "tsa": read_authorities(table),
            "drand": read_drand(table),
            "smtp": read_smtp(table),
        }
        known = {field.name for field in fields(cls)} - {"home"}
        unknown = sorted(set(table) - known)
        if unknown:
            raise SettingsError(f"unknown setting {unknown[0][:40]!r} in {SETTINGS_FILE}")
        if not isinstance(table.get("origin"), str):
            raise SettingsError(f"{SETTINGS_FILE} must set origin")
        for name in (
            "database_url",
            "sender_header",
            "log_format",
            "log_level",
            "url",
            "webhooks_roots",
        ):
            if not isinstance(table.get(name, ""), str):
                raise SettingsError(f"{name} must be text")
        for name in _LISTS:
            if not isinstance(table.get(name, []), list):
                raise SettingsError(f"{name} must be a list")
        if not all(isinstance(client, str) for client in table.get("clients", [])):
            raise SettingsError("clients must be a list of keys in text form")
        _require_keys(table.get("clients", []))
        if not all(isinstance(line, str) for line in table.get("quorum", [])):
            raise SettingsError("quorum must be a list of policy lines")
        tuples: dict[str, Any] = {name: tuple(table[name]) for name in _LISTS if name in table}
        if "witness" in tuples:
            tuples["witness"] = tuple(map(WitnessSettings.of, tuples["witness"]))
        return cls(home=home, **{**table, **tuples})

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "verifier.db"

    @property
    def store(self) -> Path | str:
        """Where the log is kept: the SQLite file's path, or the URL."""
        return self.database_url or self.database

    @property
    def continued(self) -> Path:
        """The last good checkpoint of the log that this one continues, if it does."""
        return self.home / "continued.checkpoint"

    @property
    def keys(self) -> Path:
        """The folder of seed files."""
        return self.home / "keys"

    @property
    def next_operator(self) -> Path:
        """The seed of the operator's next key, while the present one is being rotated."""
        return self.keys / "operator.next.seed"

    @property
    def lock(self) -> Path:
        """The folder of the lock file; may be a mount of its own."""
        return self.home / "lock"


def _require_keys(texts: list[str]) -> None:
    try:
        for text in texts:
            PublicKey.parse_text(text)
    except MalformedError as error:
        raise SettingsError(f"clients must be a list of keys in text form: {error}") from error


def render(origin: str, periods_ms: tuple[int, ...]) -> str:
    """Write the settings file of a new home."""
    Settings(home=Path(), origin=origin, periods_ms=periods_ms)
    quoted = origin.replace("\\", "\\\\").replace('"', '\\"')
    return (
        "# Settings of this verifier; docs/operations/verifier.md explains each.\n"
        f'origin = "{quoted}"\n'
        f"periods_ms = [{', '.join(map(str, periods_ms))}]\n"
        "tick_ms = 20\n"
        "stamp_interval_s = 600\n"
        "# Several workers or hosts on one log (docs/operations/verifier.md):\n"
        '# database_url = "postgresql+psycopg://workseal@/workseal"\n'
        "# Only these client keys may open an engagement (empty: any client):\n"
        "# clients = []\n"
        "# And those that accept an invitation (workseal-verifier invite):\n"
        "# invited_only = true\n"
        "# Where this server is reached; signed requests and sessions are for this name alone:\n"
        '# url = "https://log.example.com"\n'
        "# Time-stamping authorities (RFC 3161), asked in this order; tables stand at the end:\n"
        "# [[tsa]]\n"
        '# url = "https://tsa.example/"\n'
        '# roots = "/etc/workseal/tsa-root.pem"\n'
        '# policy = "1.3.6.1.4.1.32473.1"\n'
        "# Mail to parties, where they asked for it (docs/operations/verifier.md):\n"
        "# [smtp]\n"
        '# host = "mail.example.com"\n'
        '# sender = "notices@example.com"\n'
        "# Witnesses that others run, and which of them must cosign before anything is published;\n"
        "# these lines come last:\n"
        '# quorum = ["group outside 1 client", "group all 2 clock outside", "quorum all"]\n'
        "# [[witness]]\n"
        '# name = "client"\n'
        '# vkey = "witness.client.example/w1+…"\n'
        '# url = "https://witness.client.example"\n'
    )
