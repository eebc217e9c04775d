"""The file of the settings: its first text with a remark to each, and reading it."""

import os
from pathlib import Path

from workseal_agent.config.parsing import parse_settings, parse_url
from workseal_agent.config.settings import Settings
from workseal_agent.errors import SettingsError
from workseal_agent.language import phrase

MAX_SETTINGS_BYTES = 65_536

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

[display]
hours = "24"                     # or "12": how times of day are written
totals = "second"                # or "minute": rounded down, with the true figure beside it
zone = "machine"                 # or "agreement", or a name such as "Europe/Berlin": your days

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


def write_default_settings(home: Path, url: str | None) -> Path:
    """Write the commented default file; `SettingsError` when there is one already."""
    target = Settings(home).config_file
    line = f'url = "{parse_url(url)}"' if url is not None else '# url = "https://verifier.example"'
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(target, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(DEFAULT_TEXT.format(url=line))
    except FileExistsError as error:
        raise SettingsError("config.toml exists already") from error
    except OSError as error:
        raise SettingsError(
            phrase("config.toml cannot be written: {reason}", reason=error.strerror)
        ) from error
    return target


def load_settings(home: Path) -> Settings:
    """Read config.toml of the home; without the file every setting has its default."""
    data = read_bytes(home)
    return Settings(home) if data is None else parse_settings(home, data)


def read_bytes(home: Path) -> bytes | None:
    """Return what stands in config.toml, None without the file."""
    try:
        with Settings(home).config_file.open("rb") as file:
            data = file.read(MAX_SETTINGS_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(
            phrase("config.toml cannot be read: {reason}", reason=error.strerror)
        ) from error
    if len(data) > MAX_SETTINGS_BYTES:
        raise SettingsError(
            phrase("config.toml is larger than {most} bytes", most=MAX_SETTINGS_BYTES)
        )
    return data
