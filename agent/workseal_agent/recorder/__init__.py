"""From clocks, screen and input to signed segments: the heart of the agent."""

from workseal_agent.recorder.camera import Camera, Shot, TakePicture, Vault
from workseal_agent.recorder.course import MAX_CORRECTION_MS
from workseal_agent.recorder.recorder import Recorder, RecorderState, Running
from workseal_agent.recorder.schedule import BeaconSource, Schedule
from workseal_agent.recorder.session import SessionBook

__all__ = [
    "MAX_CORRECTION_MS",
    "BeaconSource",
    "Camera",
    "Recorder",
    "RecorderState",
    "Running",
    "Schedule",
    "SessionBook",
    "Shot",
    "TakePicture",
    "Vault",
]
