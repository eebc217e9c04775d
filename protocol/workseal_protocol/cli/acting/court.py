"""Sign the next statement of a case, have it logged, and see that the case has it.

Rules: what was signed before and not answered is settled first, by the same bytes; a statement is
on disk before it is sent, and only sent while the case still ends where it was signed on; what the
log proves and the case shows is answered, and nothing else is. Whoever confirms has read every
field; if the deadline changed meanwhile, they read it again.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from workseal_protocol.cli.acting.billedhours import billed_notes
from workseal_protocol.cli.acting.datedat import WRONG_CLOCK_MS, dated_at
from workseal_protocol.cli.acting.destroying import DESTROY, destroy_key, destroy_left
from workseal_protocol.cli.acting.keeping import CaseFolder
from workseal_protocol.cli.acting.known import Known, learn
from workseal_protocol.cli.acting.making import make_act
from workseal_protocol.cli.acting.means import LiveMeans
from workseal_protocol.cli.acting.preview import Signable, preview
from workseal_protocol.cli.acting.reading import Live, read_live
from workseal_protocol.cli.acting.said import Said, require_fits
from workseal_protocol.cli.acting.sending import Sending
from workseal_protocol.cli.acting.verifier import CaseVerifier, Listed, case_named
from workseal_protocol.cli.casesums import who_pays
from workseal_protocol.cli.nextact import Spoken, place_next, placed_next
from workseal_protocol.cli.problem import DOES_NOT_HOLD, CommandError
from workseal_protocol.cli.server import RefusalError
from workseal_protocol.digest import Digest
from workseal_protocol.dispute import Case, Parties, case_record, move_of
from workseal_protocol.keys import Signer
from workseal_protocol.records import (
    DisputeFiling,
    DisputeFinding,
    read_record,
    sign,
)
from workseal_protocol.statement import Statement
from workseal_protocol.terms import Terms

Confirm = Callable[[str], bool]


class Court:
    """Act with one key at one verifier."""

    def __init__(
        self,
        verifier: CaseVerifier,
        signer: Signer,
        folder: CaseFolder,
        *,
        terms: Terms | None = None,
    ) -> None:
        self.verifier = verifier
        self.signer = signer
        self.folder = folder
        self._terms = terms
        self._sending = Sending(verifier, folder, self.live)

    @property
    def own(self) -> Digest:
        """Return the thumbprint of the key."""
        return self.signer.public_key.thumbprint

    # --- reading ---

    def named(self, name: str) -> Digest:
        """Return the case of a name, or of its first digits; also one that was seen here before."""

        def listed() -> Listed:
            found = self.verifier.cases()
            shown = {str(one["case"]) for one in found.cases}
            left: list[dict[str, object]] = [
                {"case": one} for one in self.folder.seen() if one not in shown
            ]
            return replace(found, cases=(*found.cases, *left))

        return case_named(name, listed)

    def known(self, engagement: bytes) -> Known:
        """Learn what is new of an engagement, and keep it."""
        before = self.folder.known(engagement)
        try:
            known = learn(self.verifier, engagement, before)
        except RefusalError:
            # Who sat in a case that is sealed reads that case still, and the work no more.
            if not before.kept:
                raise
            known = before
        if self._terms is not None and known.terms != self._terms:
            raise CommandError("the verifier shows other terms than yours", DOES_NOT_HOLD)
        if known != before:
            self.folder.keep_known(engagement, known)
        return known

    def live(self, case: Digest) -> Live:
        """Read and replay a case, and keep what was seen of it."""
        before = self.folder.told(case)
        live = read_live(self.verifier, case, self.known, own=self.own, before=before)
        if live.data != before:
            self.folder.keep_told(case, live.data)
        return live

    # --- acting ---

    def act(self, case: Digest, name: str, said: Said, confirm: Confirm) -> Statement | None:
        """Make, confirm, sign and send one act; returns it as it is logged.

        One that was signed before and not answered is sent again instead: who types the same act
        once more has said it once. None where who lost the seat destroyed their key.
        """
        require_fits(name, said)
        try:
            live, earlier = self._sending.settled(self.live(case))
        except RefusalError:
            earlier = self._sending.left(case)
            if earlier is not None:
                return repeated(earlier, name)
            if name != DESTROY:
                raise
            destroy_left(case, said, self.folder, confirm)
            return None
        if earlier is not None:
            if not isinstance(case_record(earlier), DisputeFinding):
                return repeated(earlier, name)
            # Nobody can have meant it by the name of an act.
            print("your finding from before is part of the case")
        means = LiveMeans(live.case, said, self.folder, self.verifier)
        try:
            statement = self._made(live, name, said, means, confirm)
            self.folder.keep_unanswered(str(case), statement)
        except BaseException:
            # What is kept will be sent: what belongs to it stays.
            if not self.folder.is_kept(str(case)):
                means.undo()
            raise
        head, _ = self.verifier.told(case)
        if head != live.case.head:
            # Never sent, so nobody has it.
            self.folder.answered(str(case))
            means.undo()
            raise CommandError("the case moved on meanwhile: look at it again", DOES_NOT_HOLD)
        self._sending.send(str(case), statement, live.case.terms)
        self._sending.seen(case, statement)
        means.done()
        return statement

    def file(
        self,
        make: Callable[[int], DisputeFiling],
        terms: Terms,
        parties: Parties,
        confirm: Confirm,
    ) -> Statement:
        """Confirm, sign and send a filing; `make` makes it for an instant."""
        record = make(self.now_ms())
        name = record.engagement.hex()
        self._sending.settle_filing(name, terms)
        billed = billed_notes(record, terms, self._listed(record.engagement))
        beside = (who_pays(record.claim, parties.roles[self.own]), *billed)
        while True:
            ask_first(preview(record, terms, None, beside), confirm)
            # Signed at the moment of sending: who reads takes longer than the log allows.
            fresh = make(self.now_ms())
            if fresh.due == record.due:
                break
            print("the deadline changed while you read:")
            record = fresh
        statement = self._filed(fresh, terms, parties)
        self.folder.keep_unanswered(name, statement)
        self._sending.send(name, statement, terms)
        self._sending.seen(statement.digest, statement)
        return statement

    def _listed(self, engagement: bytes) -> list[bytes] | None:
        try:
            return [body for _, body in self.verifier.listing(engagement, 0)]
        except CommandError:
            return None

    def now_ms(self, least: int = 0) -> int:
        """Return the time; where this machine's is wrong, the verifier's, and say so."""
        own, told = time.time_ns() // 1_000_000, self.verifier.clock_ms()
        found = dated_at(own, told, least)
        if abs(told - own) > WRONG_CLOCK_MS:
            print(
                f"the verifier's clock is used, this machine's is {abs(told - own) // 1000} s off"
            )
        return found

    # --- one statement's way ---

    def _made(
        self, live: Live, name: str, said: Said, means: LiveMeans, confirm: Confirm
    ) -> Statement:
        case = live.case
        now = self.now_ms(case.known_at)
        if name == DESTROY and destroy_key(case, said, self.folder, self.own, now, confirm):
            confirm = said_yes
        role = case.parties.roles[self.own]
        record = make_act(case, name, said, means, by=role, now_ms=now)
        return self._confirmed(live, record, means.notes, confirm)

    def _confirmed(
        self, live: Live, record: Spoken, beside: list[str], confirm: Confirm
    ) -> Statement:
        case = live.case
        placed = placed_next(case, record, self.own)
        while True:
            ask_first(preview(placed, case.terms, case, beside, live.said), confirm)
            # Signed at the moment of sending: who reads takes longer than the log allows.
            fresh = replace(record, claimed_at=self.now_ms(case.known_at))
            again = placed_next(case, fresh, self.own)
            if again.place == placed.place:
                return place_next(case, fresh, self.signer)
            print("the deadline changed while you read:")
            placed = again

    def _filed(self, record: DisputeFiling, terms: Terms, parties: Parties) -> Statement:
        at = record.claimed_at
        try:
            statement = sign(record, self.signer)
            Case.begin(statement, at, terms=terms, released=_nothing_released, parties=parties)
        except ValueError as error:
            raise CommandError(f"it cannot be filed: {error}", DOES_NOT_HOLD) from error
        return statement


def said_yes(_question: str) -> bool:
    """Confirm what was confirmed before."""
    return True


def _nothing_released(_number: int, _value: bytes) -> bool:
    return False


def ask_first(lines: list[str], confirm: Confirm) -> None:
    """Print what will be signed, and raise `CommandError` where it is not confirmed."""
    for line in lines:
        print(line)
    if not confirm("Sign this?"):
        raise CommandError("nothing was signed", DOES_NOT_HOLD)


def repeated(earlier: Statement, name: str) -> Statement:
    """Return what was signed before, if it is the act that was typed, or raise `CommandError`."""
    said = move_of(case_record(earlier))
    print(f"that was your {said} from before; nothing new was signed")
    if said != name:
        raise CommandError(f"{name} was not said: look at the case first", DOES_NOT_HOLD)
    return earlier


def signable_of(statement: Statement) -> Signable:
    """Read a statement of a case, or raise `CommandError`."""
    record = read_record(statement)
    if not isinstance(record, Signable):
        raise CommandError(f"expected a statement of a case, found a {statement.kind}")
    return record


def folder_of(key: Path) -> CaseFolder:
    """Return the folder of the cases of a key file."""
    return CaseFolder.beside(key)
