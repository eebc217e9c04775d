"""What an examination found: sources with their candidates, and checks of the rest."""

from dataclasses import dataclass
from typing import Any

from workseal_agent.fitness import Fitness
from workseal_agent.language import Phrase, phrase

_TITLES = {
    "screen": phrase("screen"),
    "windows": phrase("windows"),
    "input": phrase("input"),
    "idle": phrase("idle"),
    "sleep": phrase("sleep"),
    "home": phrase("home"),
    "engagement": phrase("engagement"),
    "clocks": phrase("clocks"),
    "folder": phrase("folder"),
    "space": phrase("space"),
    "keyring": phrase("keyring"),
    "verifier": phrase("verifier"),
}


@dataclass(frozen=True, slots=True)
class SourceReport:
    """Hold the candidates for one source, and which of them `start` would pick.

    `problem` says why recording cannot begin without one; None where it can.
    """

    kind: str
    candidates: tuple[Fitness, ...]
    picked: str | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding that is no source; recording cannot begin while a `needed` one is unfit."""

    found: Fitness
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Hold everything that was examined."""

    sources: tuple[SourceReport, ...]
    checks: tuple[Check, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Say why recording cannot begin; empty when it can."""
        blocking = [one.found for one in self.checks if one.needed and not one.found.fit]
        missing = [_named(one.kind, one.problem) for one in self.sources if one.problem]
        return (*(_named(one.name, one.reason) for one in blocking), *missing)

    def facts(self) -> dict[str, Any]:
        """Return the report in the form that programs read."""
        return {
            "can_record": not self.problems,
            "problems": list(self.problems),
            "sources": {
                one.kind: {
                    "picked": one.picked,
                    "candidates": [_fitness(each) for each in one.candidates],
                }
                for one in self.sources
            },
            "checks": [_fitness(one.found) | {"needed": one.needed} for one in self.checks],
        }


def title_of(name: str) -> str:
    """Return how people read the name of a source or a check."""
    return _TITLES.get(name, name)


def _named(name: str, reason: str) -> Phrase:
    return phrase("{name}: {reason}", name=title_of(name), reason=reason)


def _fitness(found: Fitness) -> dict[str, Any]:
    return {"name": found.name, "fit": found.fit, "reason": found.reason}
