"""Counts of input, without any trace of which keys were pressed."""

from workseal_agent.activity.counts import ActivitySensor, Counts, NullActivity, Press, Tally
from workseal_agent.activity.idle import IdleActivity
from workseal_agent.activity.pick import find_activity, pick_activity, sensor_candidates
from workseal_agent.activity.x11 import X11Activity

__all__ = [
    "ActivitySensor",
    "Counts",
    "IdleActivity",
    "NullActivity",
    "Press",
    "Tally",
    "X11Activity",
    "find_activity",
    "pick_activity",
    "sensor_candidates",
]
