"""The process that records: its loops, its composition, and the socket through which it is told.

What every command needs is here; `either`, `build` and `service`, which load the chain and the
whole recorder, are imported by whoever acts or records.
"""

from workseal_agent.daemon.control import ControlError, NotRunningError, ask
from workseal_agent.daemon.homelock import AlreadyRunningError, HomeLock

__all__ = [
    "AlreadyRunningError",
    "ControlError",
    "HomeLock",
    "NotRunningError",
    "ask",
]
