"""What goes to the verifier by itself, and what comes back: statements, receipts, beacon values."""

from workseal_agent.uplink.beacon import BeaconClient
from workseal_agent.uplink.sender import Uplink

__all__ = ["BeaconClient", "Uplink"]
