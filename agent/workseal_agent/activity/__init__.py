"""Counts of input, without any trace of which keys were pressed."""

from workseal_agent.activity.counts import ActivitySensor, Counts, NullActivity, Press, Tally
from workseal_agent.activity.pick import find_activity, pick_activity, sensor_candidates

__all__ = [
    "ActivitySensor",
    "Counts",
    "NullActivity",
    "Press",
    "Tally",
    "find_activity",
    "pick_activity",
    "sensor_candidates",
]
