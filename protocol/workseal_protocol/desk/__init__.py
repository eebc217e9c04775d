"""The checks that the arbitration desk runs: findings, never verdicts.

Specified in docs/spec/desk.md. Rules: a check reads what was committed and shown, and computes; it
opens nothing, and each of its figures can be counted again from its proof. Its words say what is
so, not what somebody did.
"""

from workseal_protocol.desk.checked import NOT_PROVEN, Checked, DeskReport, Outcome
from workseal_protocol.desk.examine import CHECKS, DeskRule, examine_hours
from workseal_protocol.desk.material import Material, Outline, Placed, ShownFrame, gather
from workseal_protocol.desk.tags import KEY_BYTES, OUTLINE_BYTES, TagList, tag_of
from workseal_protocol.desk.withdrawals import Withdrawals, withdrawals_of

__all__ = [
    "CHECKS",
    "KEY_BYTES",
    "NOT_PROVEN",
    "OUTLINE_BYTES",
    "Checked",
    "DeskReport",
    "DeskRule",
    "Material",
    "Outcome",
    "Outline",
    "Placed",
    "ShownFrame",
    "TagList",
    "Withdrawals",
    "examine_hours",
    "gather",
    "tag_of",
    "withdrawals_of",
]
