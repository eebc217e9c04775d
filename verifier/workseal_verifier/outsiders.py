"""Settings of servers that are somebody else's: time-stamping authorities and drand relays.

Rules: what such a server says counts only as far as a key pinned here vouches for it. Addresses may
hold passwords: no error quotes one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from workseal_verifier.errors import SettingsError

MAX_AUTHORITIES: Final = 8
MAX_RELAYS: Final = 8

# Shown to whoever asks for the server's health.
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
# Until the year 5138.
_MAX_SECONDS: Final = 10**11
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,38})){1,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TsaSettings:
    """One time-stamping authority; without `url` it is no longer asked, its tokens still count."""

    name: str
    roots: tuple[str, ...]
    policy: str
    url: str = ""
    intermediates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"[[tsa]] {self.name!r}"
        if _NAME.fullmatch(self.name) is None:
            raise SettingsError(
                "[[tsa]] name must be 1 to 40 lower-case letters, digits, dots and hyphens"
            )
        if self.url:
            require_url(self.url, f"{where}: url")
        if _OID.fullmatch(self.policy) is None:
            raise SettingsError(
                f"{where}: policy must be the object identifier of its tokens, like 1.3.6.1.4.1.1"
            )
        if not self.roots:
            raise SettingsError(f"{where}: roots must name at least one PEM file")

    @classmethod
    def of(cls, table: Mapping[str, Any], number: int) -> Self:
        """Read the `number`th table `[[tsa]]`."""
        require_known(table, ("name", "url", "roots", "policy", "intermediates"), "[[tsa]]")
        return cls(
            name=text_in(table, "name", "[[tsa]]", default=f"tsa-{number}"),
            url=text_in(table, "url", "[[tsa]]", default=""),
            policy=text_in(table, "policy", "[[tsa]]"),
            roots=texts_in(table, "roots", "[[tsa]]"),
            intermediates=texts_in(table, "intermediates", "[[tsa]]"),
        )


def read_authorities(settings: Mapping[str, Any]) -> tuple[TsaSettings, ...]:
    """Read every table `[[tsa]]`, in the order in which they are asked."""
    for name in ("tsa_url", "tsa_root"):
        if name in settings:
            raise SettingsError(
                f"{name} is now written in a table [[tsa]] with url, roots and policy:"
                " docs/operations/verifier.md"
            )
    tables = settings.get("tsa", [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise SettingsError("write each time-stamping authority as a table of its own: [[tsa]]")
    if len(tables) > MAX_AUTHORITIES:
        raise SettingsError(f"there are at most {MAX_AUTHORITIES} tables [[tsa]]")
    found = tuple(TsaSettings.of(table, number) for number, table in enumerate(tables, 1))
    if len({one.name for one in found}) != len(found):
        raise SettingsError("two tables [[tsa]] have one name")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DrandSettings:
    """A drand network, pinned, and the relays that are asked for its values in this order."""

    urls: tuple[str, ...]
    chain: str
    key: str
    genesis: int
    period: int

    def __post_init__(self) -> None:
        if not 1 <= len(self.urls) <= MAX_RELAYS:
            raise SettingsError(f"[drand] urls must name 1 to {MAX_RELAYS} relays")
        for url in self.urls:
            require_url(url, "[drand]: each of urls")
            if "?" in url or "#" in url:
                raise SettingsError("[drand]: urls end with a path: the round is written behind it")
        for name, length in (("chain", 64), ("key", 192)):
            if re.fullmatch(rf"[0-9a-f]{{{length}}}", getattr(self, name)) is None:
                raise SettingsError(f"[drand] {name} must be {length} lower-case hex digits")
        for name in ("genesis", "period"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= _MAX_SECONDS:
                raise SettingsError(f"[drand] {name} must be a whole number of seconds")


def read_drand(settings: Mapping[str, Any]) -> DrandSettings | None:
    """Read the table `[drand]`, if there is one."""
    table = settings.get("drand")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise SettingsError("drand must be a table: [drand]")
    names = ("urls", "chain", "key", "genesis", "period")
    require_known(table, names, "[drand]")
    missing = [name for name in names if name not in table]
    if missing:
        raise SettingsError(f"[drand] must set {missing[0]}")
    return DrandSettings(
        urls=texts_in(table, "urls", "[drand]"),
        chain=text_in(table, "chain", "[drand]"),
        key=text_in(table, "key", "[drand]"),
        genesis=table["genesis"],
        period=table["period"],
    )


# Plain ASCII, as parties give theirs (services.contacts).
_SENDER = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_WAYS = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """The server by which mails go out, and the address that they come from."""

    host: str
    sender: str
    port: int = 587
    tls: str = "starttls"
    user: str = ""
    password_file: str = ""
    roots: str = ""

    def __post_init__(self) -> None:
        if _HOST.fullmatch(self.host) is None:
            raise SettingsError("[smtp] host must be the name of a mail server")
        if _SENDER.fullmatch(self.sender) is None:
            raise SettingsError("[smtp] sender must be an address like notices@example.com")
        if type(self.port) is not int or not 0 < self.port < 65_536:
            raise SettingsError("[smtp] port must be a whole number from 1 to 65535")
        if self.tls not in _WAYS:
            raise SettingsError("[smtp] tls must be starttls, tls or none")
        if bool(self.user) != bool(self.password_file):
            raise SettingsError("[smtp] user and password_file belong together")
        if self.user and self.tls == "none":
            raise SettingsError("[smtp] a password is not sent without tls")


def read_smtp(settings: Mapping[str, Any]) -> SmtpSettings | None:
    """Read the table `[smtp]`, if there is one."""
    table = settings.get("smtp")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise SettingsError("smtp must be a table: [smtp]")
    texts = ("host", "sender", "tls", "user", "password_file", "roots")
    require_known(table, (*texts, "port"), "[smtp]")
    missing = [name for name in ("host", "sender") if name not in table]
    if missing:
        raise SettingsError(f"[smtp] must set {missing[0]}")
    given: dict[str, Any] = {
        name: text_in(table, name, "[smtp]") for name in texts if name in table
    }
    return SmtpSettings(**given, port=table.get("port", 587))


def require_url(url: str, what: str) -> None:
    """Refuse an address that is not HTTP's."""
    problem = SettingsError(f"{what} must begin with http:// or https:// and name a host")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise problem from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise problem


def require_known(table: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    """Refuse a setting that does not exist."""
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise SettingsError(f"unknown setting {unknown[0][:40]!r} in {what}")


def text_in(table: Mapping[str, Any], name: str, what: str, default: str | None = None) -> str:
    """Read a text."""
    value = table.get(name, default)
    if not isinstance(value, str):
        raise SettingsError(f"{what} {name} must be set to a text")
    return value


def texts_in(table: Mapping[str, Any], name: str, what: str) -> tuple[str, ...]:
    """Read a list of texts; one text alone is a list of one, none is an empty one."""
    value = table.get(name, [])
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise SettingsError(f"{what} {name} must be a text or a list of texts")
    return tuple(values)
