"""All checks of the desk, in the order of docs/spec/desk.md."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from workseal_protocol.desk.checked import NOT_PROVEN, Checked, DeskReport
from workseal_protocol.desk.counted import check_regular, check_still
from workseal_protocol.desk.material import Material
from workseal_protocol.desk.shown import (
    check_equal,
    check_geometry,
    check_returning,
    check_revealed,
)
from workseal_protocol.desk.tagged import check_tags
from workseal_protocol.desk.told import check_cover, check_schedule


@dataclass(frozen=True, slots=True)
class DeskRule:
    """Hold one check: its number, its name, and the function that runs it."""

    number: int
    name: str
    check: Callable[[Material], Checked]


CHECKS: Final = (
    DeskRule(1, "cover", check_cover),
    DeskRule(2, "schedule", check_schedule),
    DeskRule(3, "geometry", check_geometry),
    DeskRule(4, "revealed share", check_revealed),
    DeskRule(5, "equal frames", check_equal),
    DeskRule(6, "returning frames", check_returning),
    DeskRule(7, "tags", check_tags),
    DeskRule(8, "still screen", check_still),
    DeskRule(9, "regular input", check_regular),
)


def examine_hours(material: Material, only: Collection[int] = ()) -> DeskReport:
    """Run all checks, or those of these numbers; never raises, whatever was shown."""
    return DeskReport(
        tuple(rule.check(material) for rule in CHECKS if not only or rule.number in only),
        NOT_PROVEN,
    )
