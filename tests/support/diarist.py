"""An engagement in which everything happens that a diary shows, at a real verifier."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from support.office import Office, new_home
from support.scripted import ScriptedAgent
from support.simulator import START
from workseal_protocol.records import DeclarationForm, SegmentState, SheetAnswer
from workseal_protocol.statement import Statement

# Monday of the week that is told of.
MONDAY = date(2026, 3, 2)
WORDS = "what was done on <b>Monday</b>?\u202e"


@dataclass(frozen=True)
class Told:
    """Hold the office, its agent, and the timesheet that was summed up and asked about."""

    office: Office
    agent: ScriptedAgent
    sheet: Statement

    @property
    def path(self) -> str:
        """Return where the pages of the engagement begin."""
        return f"/diary/{self.agent.engagement.hex()}"


def tell(folder: Path, **terms: Any) -> Told:
    """Let somebody work, pause, go off-screen, seal, be offline, withdraw, declare and sum up."""
    office = Office(new_home(folder)).open()
    office.now = START
    fields: dict[str, Any] = {"capture_rate": 65_536, "rounding_ms": 60_000}
    agent = ScriptedAgent(office, terms=office.terms(**(fields | terms)))
    agent.open_session()
    agent.work(124_000)
    agent.send()
    agent.pause(45_000)
    agent.work(63_000)
    agent.send()
    begin = office.now
    agent.work(60_000, SegmentState.OFF_SCREEN)
    agent.declare(DeclarationForm.LIVE, begin, office.now, 60_000)
    agent.work(40_000, SegmentState.SEALED)
    agent.send()
    agent.online = False
    agent.work(30_000)
    agent.online = True
    agent.work(20_000)
    agent.send()
    agent.pause(600_000)
    agent.work(300_000)
    agent.send()
    agent.close_session()
    agent.withdraw(agent.frames[0])
    agent.pause(3_600_000)
    agent.declare(DeclarationForm.LATE, office.now - 1_800_000, office.now - 900_000, 800_000)
    sheet = agent.sum_up(MONDAY, date(2026, 3, 8))
    office.now += 60_000
    agent.reply(sheet, SheetAnswer.QUESTION, WORDS)
    return Told(office, agent, sheet)
