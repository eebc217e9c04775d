"""Disputes: the machine of a case, its deadlines, its ladder, its sample.

Specified in docs/spec/dispute.md, docs/spec/deadlines.md and docs/spec/sampling.md. `Case.begin`
takes a filing, `Case.after` every further statement; nothing here knows the time, a table of
holidays or a beacon: the caller brings them.
"""

from workseal_protocol.dispute.case import Case, case_record, move_of
from workseal_protocol.dispute.contents import CaseRecord
from workseal_protocol.dispute.deadlines import Span, Wanted, WorkingDays, count_due
from workseal_protocol.dispute.departure import Departure, departures
from workseal_protocol.dispute.drawn import (
    ToldFrame,
    drawn_frames,
    frames_between,
    frames_of_hours,
    verify_freeze,
    verify_named,
)
from workseal_protocol.dispute.instants import AHEAD_MS, BACK_MS, SLOW_BACK_MS, back_ms
from workseal_protocol.dispute.ladder import LADDER, Ask, Rung
from workseal_protocol.dispute.odds import least_sample, meaning, miss_of, missed_of, worst_miss
from workseal_protocol.dispute.panel import draw_person, panel_round
from workseal_protocol.dispute.parties import Parties
from workseal_protocol.dispute.portion import Excess, excess_of, excesses, levels_of
from workseal_protocol.dispute.rules import CaseError, Rule
from workseal_protocol.dispute.sampling import (
    FrozenFrame,
    allocate,
    canonical,
    draw_places,
    freeze_frames,
    sample_round,
    sample_seed,
    secret_commitment,
    shares_of,
)
from workseal_protocol.dispute.table import CLOCKS, CLOSED, TABLE, Clock, Row, State, Then, Who
from workseal_protocol.dispute.values import Deadline, Paused, Released, Sample

__all__ = [
    "AHEAD_MS",
    "BACK_MS",
    "CLOCKS",
    "CLOSED",
    "LADDER",
    "SLOW_BACK_MS",
    "TABLE",
    "Ask",
    "Case",
    "CaseError",
    "CaseRecord",
    "Clock",
    "Deadline",
    "Departure",
    "Excess",
    "FrozenFrame",
    "Parties",
    "Paused",
    "Released",
    "Row",
    "Rule",
    "Rung",
    "Sample",
    "Span",
    "State",
    "Then",
    "ToldFrame",
    "Wanted",
    "Who",
    "WorkingDays",
    "allocate",
    "back_ms",
    "canonical",
    "case_record",
    "count_due",
    "departures",
    "draw_person",
    "draw_places",
    "drawn_frames",
    "excess_of",
    "excesses",
    "frames_between",
    "frames_of_hours",
    "freeze_frames",
    "least_sample",
    "levels_of",
    "meaning",
    "miss_of",
    "missed_of",
    "move_of",
    "panel_round",
    "sample_round",
    "sample_seed",
    "secret_commitment",
    "shares_of",
    "verify_freeze",
    "verify_named",
    "worst_miss",
]
