"""Days to which work came after a client had accepted their timesheet."""

from datetime import date, timedelta

from support.scripted import Story, begin, finish
from support.simulator import DAY_MS, Simulator
from workseal_protocol.records import DeclarationForm, SheetAnswer

FIRST = date(2026, 3, 2)


def grown() -> Story:
    """Accept a day with hours and one without, and let work come to both afterwards."""
    verifier = Simulator(b"grown")
    agent = begin(verifier)

    def work(ms: int) -> None:
        agent.open_session()
        agent.work(ms)
        agent.close_session()

    work(34_000)
    sheet = agent.sum_up(FIRST, FIRST + timedelta(days=6))
    agent.reply(sheet, SheetAnswer.ACCEPTED)
    work(26_000)
    verifier.now += 9_000
    agent.declare(DeclarationForm.LATE, verifier.now - 9_000, verifier.now, 9_000)
    verifier.now += DAY_MS
    work(12_000)
    contents, tsa = finish(verifier, agent, ())
    return Story(verifier, agent, contents, tsa)
