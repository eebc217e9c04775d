"""The scenarios of the bundle vectors: some that hold, and one for each important failure."""

from collections.abc import Callable

from vectors.scenarios import (
    accepted,
    agreed,
    chained,
    container,
    held,
    holds,
    logged,
    opened,
    timed,
    units,
)
from vectors.scenarios.telling import Scenario, policies

SCENARIOS: dict[str, Callable[[], Scenario]] = {
    make.__name__.replace("_", "-"): make
    for group in (holds, accepted, held, container, logged, agreed, chained, units, timed, opened)
    for make in group.ALL
}

__all__ = ["SCENARIOS", "Scenario", "policies"]
