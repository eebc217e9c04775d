"""Writing an evidence bundle: everything that a client needs, checked here before it is written."""

from workseal_agent.export.bundle import Exported, ExportError, export

__all__ = ["ExportError", "Exported", "export"]
