"""The rules of a freelancer's chain, as a fold over its statements.

Each rule belongs to one numbered step of docs/spec/verification.md: order and links (7), time
units (8), the schedule (9), the sums of a closing statement (13). `advance` applies them all;
verification applies them step by step.
"""

from workseal_protocol.chain.closing import check_closing
from workseal_protocol.chain.course import SegmentRun
from workseal_protocol.chain.order import check_order
from workseal_protocol.chain.replay import ChainReplay
from workseal_protocol.chain.rules import ChainError, Rule
from workseal_protocol.chain.schedule import check_schedule, owed_instant
from workseal_protocol.chain.session import OpenSession
from workseal_protocol.chain.state import ChainState, advance, follow
from workseal_protocol.chain.timing import (
    LAST_INSTANT,
    LONGEST_DECLARATION,
    check_timing,
    earliest_begin,
)

__all__ = [
    "LAST_INSTANT",
    "LONGEST_DECLARATION",
    "ChainError",
    "ChainReplay",
    "ChainState",
    "OpenSession",
    "Rule",
    "SegmentRun",
    "advance",
    "check_closing",
    "check_order",
    "check_schedule",
    "check_timing",
    "earliest_begin",
    "follow",
    "owed_instant",
]
