"""Settings out of the bytes of a TOML file, each table by a function of its own.

Rule: what is refused is refused in one sentence that says where it stands, and what is expected.
"""

import re
import tomllib
from pathlib import Path
from typing import cast, get_args
from urllib.parse import urlsplit

from workseal_agent.config.settings import (
    AGREEMENT_ZONE,
    MACHINE_ZONE,
    ActivityKind,
    ActivitySettings,
    DisplaySettings,
    Hours,
    LockSettings,
    MaskRuleSettings,
    MaskSettings,
    NoticeSettings,
    ScreenKind,
    ScreenSettings,
    SealSettings,
    Settings,
    Totals,
    VaultSettings,
    VerifierSettings,
    WitnessSettings,
)
from workseal_agent.config.table import Table
from workseal_agent.errors import SettingsError
from workseal_agent.keychord import KeyChord
from workseal_agent.language import phrase

_PORT = re.compile(r"[1-9][0-9]{0,4}")
_BEGINNING = re.compile(r"[0-9a-f]{4,32}")
_HINT = re.compile(r"[^\s/*]+\.[^\s/*]+(/[^\s*]*)?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def parse_settings(home: Path, data: bytes) -> Settings:
    """Read settings from the bytes of a TOML file."""
    try:
        root = Table(tomllib.loads(data.decode("utf-8")), "config.toml")
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
        display=_display(root.table("display")),
        witness=_witness(root.table("witness")),
    )
    root.close()
    return settings


def _verifier(table: Table) -> VerifierSettings:
    url = table.text("url", maximum=512)
    settings = VerifierSettings(None if url is None else parse_url(url), table.path("ca_file"))
    table.close()
    return settings


def parse_url(text: str) -> str:
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


def _screen(table: Table) -> ScreenSettings:
    kind = cast("ScreenKind", table.choice("kind", get_args(ScreenKind)))
    settings = ScreenSettings(kind, table.text("display", maximum=256), table.path("replay"))
    table.close()
    if kind == "replay" and settings.replay is None:
        raise SettingsError('kind = "replay" in [screen] needs replay = "FOLDER"')
    return settings


def _activity(table: Table) -> ActivitySettings:
    settings = ActivitySettings(cast("ActivityKind", table.choice("kind", get_args(ActivityKind))))
    table.close()
    return settings


def _lock(table: Table) -> LockSettings:
    time = table.choice("time", ("pause", "count"))
    table.close()
    return LockSettings(counts=time == "count")


def _seal(table: Table) -> SealSettings:
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


def _notices(table: Table) -> NoticeSettings:
    settings = NoticeSettings(table.flag("show", default=True))
    table.close()
    return settings


def _display(table: Table) -> DisplaySettings:
    hours = cast("Hours", table.choice("hours", get_args(Hours)))
    totals = cast("Totals", table.choice("totals", get_args(Totals)))
    zone = table.text("zone", maximum=64) or MACHINE_ZONE
    table.close()
    if zone not in {MACHINE_ZONE, AGREEMENT_ZONE} and not _is_zone(zone):
        raise SettingsError(
            'zone in [display] must be "machine", "agreement", or a name such as "Europe/Berlin"'
        )
    return DisplaySettings(hours, totals, zone)


def _is_zone(name: str) -> bool:
    # Loaded where a zone is named; the recording process writes no time of day.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415

    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True


def _witness(table: Table) -> WitnessSettings | None:
    listen = table.text("listen", maximum=256)
    table.close()
    if listen is None:
        return None
    host, colon, port = listen.rpartition(":")
    if not (host and colon and _PORT.fullmatch(port)) or int(port) > 65_535:
        raise SettingsError('listen in [witness] must be "ADDRESS:PORT", such as "127.0.0.1:8090"')
    return WitnessSettings(host.removeprefix("[").removesuffix("]"), int(port))


def _vault(table: Table) -> VaultSettings:
    settings = VaultSettings(table.number("warn_above_gib", default=20, maximum=1_048_576))
    table.close()
    return settings


def _mask(table: Table) -> MaskSettings:
    defaults = table.flag("defaults", default=True)
    rules = _rules(table, "rule")
    only = _rules(table, "only")
    table.close()
    names = [rule.name for rule in (*rules, *only)]
    if len(set(names)) != len(names):
        raise SettingsError("two rules of [mask] have the same name")
    return MaskSettings(defaults, rules, only)


def _rules(mask: Table, key: str) -> tuple[MaskRuleSettings, ...]:
    place = f"[[mask.{key}]]"
    return tuple(_rule(one, key) for one in mask.tables(key, place, maximum=256))


def _rule(table: Table, key: str) -> MaskRuleSettings:
    place = f"[[mask.{key}]]"
    name = table.text("name", maximum=64)
    application, title = table.text("application", maximum=256), table.text("title", maximum=256)
    # Which windows are wanted is a choice for each engagement; what is not, is one for all. An
    # address that a title shows is enough to hide a window, and not enough to show one.
    url = table.text("url", maximum=256) if key == "rule" else None
    engagement = table.text("engagement", maximum=32) if key == "only" else None
    table.close()
    if name is None:
        raise SettingsError(phrase("each rule in {place} needs a name", place=place))
    if application is None and title is None and url is None:
        raise SettingsError(
            phrase("each rule in {place} needs an application or a title", place=place)
        )
    if engagement is not None and not _BEGINNING.fullmatch(engagement):
        raise SettingsError(
            phrase(
                "engagement in {place} must be the first 4 to 32 digits of its number", place=place
            )
        )
    return MaskRuleSettings(
        name, application, title, None if url is None else _hint(url), engagement
    )


def _hint(url: str) -> str:
    """Keep what a title may show of an address: host and path."""
    hint = re.sub(r"^[a-z]+://(www\.)?", "", url.strip().lower()).rstrip("/*")
    if not _HINT.fullmatch(hint):
        raise SettingsError('url in [[mask.rule]] must be an address such as "bank.example/login"')
    return hint
