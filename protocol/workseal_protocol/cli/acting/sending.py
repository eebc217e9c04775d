"""The way of a signed statement of a case: sent, seen in the case, and only then let go of.

Rules: what was signed before and not answered is sent by the same bytes, as long as it can still
be logged; what the verifier refuses for good is let go, for nobody can have it logged any more.
"""

from collections.abc import Callable

from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.reading import Live
from workseal_protocol.cli.acting.telling import turn
from workseal_protocol.cli.acting.verifier import CaseVerifier
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.server import RefusalError
from workseal_protocol.cli.text import plain
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import case_record
from workseal_protocol.records import Act, DisputeAct, DisputeFiling, read_record
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms


class Sending:
    """Send statements of one key; `live` reads a case."""

    def __init__(
        self, verifier: CaseVerifier, folder: CaseFolder, live: Callable[[Digest], Live]
    ) -> None:
        self._verifier = verifier
        self._folder = folder
        self._live = live

    def settled(self, live: Live) -> tuple[Live, Statement | None]:
        """Send again what was signed and not answered; returns it if it is part of the case now.

        What is refused for good is let go: nobody can have it logged any more.
        """
        name = str(live.case.case)
        before = self._folder.unanswered(name)
        if before is None:
            return live, None
        if not live.has(before.digest):
            if _prev_of(before) != live.case.head:
                # Something else has its place, so it is logged no more; of two statements by one
                # key in one place, which two machines can make, the log would keep a fork.
                self._folder.answered(name)
                print(f"your earlier statement {before.digest} was not taken: the case moved on")
                return live, None
            try:
                self._resend(name, before, live.case.terms)
            except RefusalError as refusal:
                print(plain(f"your earlier statement {before.digest} was not taken: {refusal}"))
                return self._live(live.case.case), None
        self.seen(live.case.case, before)
        return self._live(live.case.case), before

    def left(self, case: Digest) -> Statement | None:
        """Settle a recusal that was not answered: whoever left the seat reads the case no more."""
        before = self._folder.unanswered(str(case))
        if before is None or not _leaves(before):
            return None
        known = self._folder.known(case_record(before).engagement)
        self._resend(str(case), before, known.terms)
        self.seen(case, before)
        return before

    def settle_filing(self, name: str, terms: Terms) -> None:
        """Send again a filing that was not answered; one that is logged is to be looked at."""
        before = self._folder.unanswered(name)
        if before is None:
            return
        try:
            self._resend(name, before, terms)
        except RefusalError as refusal:
            print(plain(f"your earlier filing {before.digest} was not taken: {refusal}"))
            return
        self.seen(before.digest, before)
        raise CommandError(
            f"what you filed before is logged now, as case {before.digest}: look at it first",
            DOES_NOT_HOLD,
        )

    def send(self, name: str, statement: Statement, terms: Terms) -> None:
        """Have a kept statement logged, or raise `CommandError`; let go of one that is refused."""
        try:
            self._verifier.submit(statement, terms)
        except RefusalError:
            # What is refused for good was not taken before either, or it would have its place.
            self._folder.answered(name)
            raise
        except CommandError as error:
            raise CommandError(
                f"not finished: {error}; it is kept, and the same command sends it again",
                DOES_NOT_HOLD,
            ) from error

    def seen(self, case: Digest, statement: Statement) -> None:
        """See that the case has what was logged, say so, and let go of it."""
        try:
            live = self._live(case)
        except RefusalError:
            if not _leaves(statement):
                raise
            _say(f"logged: {statement.digest}; you sit in this case no more, and read it no more")
            self._folder.answered(str(case))
            return
        if not live.has(statement.digest):
            raise CommandError(
                "the log has the statement, and the verifier's case lacks it", DOES_NOT_HOLD
            )
        record = read_record(statement)
        named = record.engagement.hex() if isinstance(record, DisputeFiling) else str(case)
        # Said first: whoever saw nothing types it again, and must not say it twice by that.
        _say(f"logged, and in the case: {statement.digest}")
        self._folder.answered(named)
        whose = turn(live, statement.issuer)
        if whose is not None:
            print(f"state {live.case.state}; {whose}")

    def _resend(self, name: str, statement: Statement, terms: Terms) -> None:
        print(f"sending what you signed before: {statement.digest}")
        self.send(name, statement, terms)


def _say(line: str) -> None:
    print(line, flush=True)


def _leaves(statement: Statement) -> bool:
    record = read_record(statement)
    return isinstance(record, DisputeAct) and record.act is Act.RECUSE


def _prev_of(statement: Statement) -> Digest | None:
    place = case_record(statement).place
    return None if place is None else place.prev
