"""The process that records: its loops, its composition, and the socket through which it is told.

What every command needs is here; `build` and `service`, which load the whole recorder, are
imported by whoever records.
"""

from workseal_agent.daemon.control import ControlError, NotRunningError, ask
from workseal_agent.daemon.either import withdraw_either_way
from workseal_agent.daemon.homelock import AlreadyRunningError, HomeLock

__all__ = [
    "AlreadyRunningError",
    "ControlError",
    "HomeLock",
    "NotRunningError",
    "ask",
    "withdraw_either_way",
]
