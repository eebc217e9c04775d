"""Writing an evidence bundle: everything that a client needs, checked here before it is written."""

from workseal_agent.export.bundle import Exported, ExportError, export, trust_of
from workseal_agent.export.copy import Copy, copy_of_log
from workseal_agent.export.everything import (
    ExportAllError,
    Written,
    export_everything,
    remove_unfinished_exports,
)

__all__ = [
    "Copy",
    "ExportAllError",
    "ExportError",
    "Exported",
    "Written",
    "copy_of_log",
    "export",
    "export_everything",
    "remove_unfinished_exports",
    "trust_of",
]
