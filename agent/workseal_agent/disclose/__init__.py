"""Answering an arbitrator: chosen tiles of the frames asked for, nothing else of them."""

from workseal_agent.disclose.answers import (
    OWN_IN_CASE,
    Answer,
    SecretKeeper,
    answer,
    keep,
    kept_answer,
    require_next,
)
from workseal_agent.disclose.arbitrators import learn_arbitrators
from workseal_agent.disclose.delivery import deliver, deliver_sealed_only, send, send_sealed_only
from workseal_agent.disclose.opened import (
    FrameReader,
    Opened,
    open_tiles,
    read_disclosure,
    shown_before,
    tiles_of,
)
from workseal_agent.disclose.portion import Portion, require_portions
from workseal_agent.disclose.requests import (
    Request,
    RequestError,
    UnknownArbitratorError,
    answered,
    fetch_requests,
    read_request,
    receive,
    received,
    requested_frames,
)

__all__ = [
    "OWN_IN_CASE",
    "Answer",
    "FrameReader",
    "Opened",
    "Portion",
    "Request",
    "RequestError",
    "SecretKeeper",
    "UnknownArbitratorError",
    "answer",
    "answered",
    "deliver",
    "deliver_sealed_only",
    "fetch_requests",
    "keep",
    "kept_answer",
    "learn_arbitrators",
    "open_tiles",
    "read_disclosure",
    "read_request",
    "receive",
    "received",
    "requested_frames",
    "require_next",
    "require_portions",
    "send",
    "send_sealed_only",
    "shown_before",
    "tiles_of",
]
