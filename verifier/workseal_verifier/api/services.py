"""What the routes may use, handed to them by the application."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.candidate import Candidate, Intake
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.conflicts import ConflictBook
from workseal_verifier.services.contacts import ContactBook
from workseal_verifier.services.delivering import Carriers
from workseal_verifier.services.diaries import Diaries
from workseal_verifier.services.disclosures import DisclosureDesk
from workseal_verifier.services.disputedhours import DisputedHours
from workseal_verifier.services.health import Health
from workseal_verifier.services.hearing import Hearings
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.invitations import Invitations
from workseal_verifier.services.limits import Limiter
from workseal_verifier.services.mailbox import Packages
from workseal_verifier.services.noticeboard import NoticeBoard
from workseal_verifier.services.passkeys import Passkeys
from workseal_verifier.services.proving import Prover
from workseal_verifier.services.readiness import Readiness
from workseal_verifier.services.reading import Reader
from workseal_verifier.services.redraws import Redraws
from workseal_verifier.services.relaying import DrandRelay
from workseal_verifier.services.sequencer import Sequencer
from workseal_verifier.services.sheetreview import SheetReview
from workseal_verifier.services.signin import SignIn
from workseal_verifier.services.sites import Sites
from workseal_verifier.services.standing import Standings


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the HTTP interface.

    `check_clock` refuses while the clock is too far back to sign; `tsa_certificates` are DER, roots
    first.
    """

    intake: Intake
    sequencer: Sequencer
    reader: Reader
    diaries: Diaries
    sheets: SheetReview
    beacon: Beacon
    desk: DisclosureDesk
    mailbox: Packages
    conflicts: ConflictBook
    standings: Standings
    hearings: Hearings
    disputed: DisputedHours
    redraws: Redraws
    board: NoticeBoard
    contacts: ContactBook
    carriers: Carriers
    prover: Prover
    signin: SignIn
    passkeys: Passkeys
    invitations: Invitations
    sites: Sites
    identity: Identity
    health: Health
    readiness: Readiness
    clock: Clock
    check_clock: Callable[[], int]
    drand: DrandRelay | None
    tsa_certificates: Sequence[bytes]
    signers: Limiter

    def require_rate(self, candidates: Sequence[Candidate]) -> None:
        """Refuse who has said too much; who cannot be told surely cannot be shut out."""
        for signer in {one.statement.issuer.raw for one in candidates if one.signed}:
            self.signers.require_credit(signer)

    def charge(self, admitted: Sequence[Candidate]) -> None:
        """Count what is new in the log: whoever sends it again costs its signer nothing."""
        for signer, count in Counter(one.statement.issuer.raw for one in admitted).items():
            self.signers.charge(signer, count)


async def _services(request: Request) -> Services:
    # A plain function would be called in another thread, for each request.
    services: Services = request.app.state.services
    return services


Given = Annotated[Services, Depends(_services)]
