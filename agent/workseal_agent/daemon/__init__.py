"""The process that records: its loops, its composition, and the socket through which it is told."""

from workseal_agent.daemon.build import Options, build_service
from workseal_agent.daemon.control import ControlError, NotRunningError, ask
from workseal_agent.daemon.homelock import AlreadyRunningError, HomeLock
from workseal_agent.daemon.service import Service

__all__ = [
    "AlreadyRunningError",
    "ControlError",
    "HomeLock",
    "NotRunningError",
    "Options",
    "Service",
    "ask",
    "build_service",
]
