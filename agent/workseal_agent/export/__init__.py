"""Writing an evidence bundle: everything that a client needs, checked here before it is written."""

from workseal_agent.export.bundle import Exported, ExportError, export
from workseal_agent.export.copy import Copy, copy_of_log

__all__ = ["Copy", "ExportError", "Exported", "copy_of_log", "export"]
