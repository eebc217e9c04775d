"""The agent's settings: one TOML file in the agent's home folder.

Rules: an unknown key is refused with the name of the nearest place to look, because a mask rule
with a typing mistake would otherwise protect nothing. Folders are 0700 and files 0600.
"""

from workseal_agent.config.changed import SettingsFile
from workseal_agent.config.file import (
    DEFAULT_TEXT,
    MAX_SETTINGS_BYTES,
    load_settings,
    write_default_settings,
)
from workseal_agent.config.homefolder import (
    HOME_VARIABLE,
    home_folder,
    prepare_home,
    require_private,
)
from workseal_agent.config.parsing import parse_settings
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

__all__ = [
    "AGREEMENT_ZONE",
    "DEFAULT_TEXT",
    "HOME_VARIABLE",
    "MACHINE_ZONE",
    "MAX_SETTINGS_BYTES",
    "ActivityKind",
    "ActivitySettings",
    "DisplaySettings",
    "Hours",
    "LockSettings",
    "MaskRuleSettings",
    "MaskSettings",
    "NoticeSettings",
    "ScreenKind",
    "ScreenSettings",
    "SealSettings",
    "Settings",
    "SettingsFile",
    "Totals",
    "VaultSettings",
    "VerifierSettings",
    "WitnessSettings",
    "home_folder",
    "load_settings",
    "parse_settings",
    "prepare_home",
    "require_private",
    "write_default_settings",
]
