"""Projects and tags of a report, for a person and for a program: opened labels, with their classes.

Rule: labels are the freelancer's words; what has none is told beside them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from workseal_protocol.cli.text import exact
from workseal_protocol.labels import Labelled, NamedDay, sums_of_names
from workseal_protocol.terms import WorkClass

ABOUT: Final = "By project, in the freelancer's words (labels that were opened)"
ABOUT_TAGS: Final = "By tag; time counts under each of its tags"
NO_LABEL: Final = "(no label)"

_CLASSES: Final[Mapping[WorkClass, str]] = {
    WorkClass.WORKING: "working",
    WorkClass.OFF_SCREEN: "off-screen",
    WorkClass.SEALED: "sealed",
    WorkClass.LATE_DECLARED: "late-declared",
}


def label_lines(labelled: Labelled) -> Iterator[str]:
    """Write projects and tags for a person; nothing if no label was opened."""
    if not labelled.projects:
        return
    yield f"{ABOUT}:"
    yield from (f"  {line}" for line in name_lines(labelled.projects))
    if labelled.tags:
        yield f"{ABOUT_TAGS}:"
        yield from (f"  #{line}" for line in name_lines(labelled.tags))


def sheet_label_lines(labelled: Labelled | None) -> Iterator[str]:
    """Write what one timesheet's time was for; nothing if it has no opened label."""
    if labelled is None:
        return
    yield "by project, in the freelancer's words:"
    yield from (f"  {line}" for line in name_lines(labelled.projects))
    if labelled.tags:
        yield "by tag:"
        yield from (f"  #{line}" for line in name_lines(labelled.tags))


def name_lines(rows: Iterable[NamedDay]) -> Iterator[str]:
    """Write the sum of each name, and its classes where there are several."""
    for name, worked in sums_of_names(rows).items():
        known = {_CLASSES[kind]: ms for kind, ms in worked.items() if ms}
        classes = ", ".join(f"{kind} {exact(ms)}" for kind, ms in known.items())
        yield f"{NO_LABEL if name is None else name}: {exact(sum(worked.values()))} ({classes})"


def labels_value(labelled: Labelled) -> dict[str, Any]:
    """Write projects and tags for a program."""
    return names_value(labelled) | {
        "days": [
            {"day": row.day.isoformat(), "project": row.name, "worked_ms": _named(row.worked_ms)}
            for row in labelled.projects
        ],
    }


def names_value(labelled: Labelled) -> dict[str, Any]:
    """Write the sums of projects and tags for a program."""
    return {
        "projects": [
            {"project": name, "worked_ms": _named(worked)}
            for name, worked in sums_of_names(labelled.projects).items()
        ],
        "tags": [
            {"tag": name, "worked_ms": _named(worked)}
            for name, worked in sums_of_names(labelled.tags).items()
        ],
    }


def _named(worked: Mapping[WorkClass, int]) -> dict[str, int]:
    return {_CLASSES[kind]: ms for kind, ms in worked.items()}
