"""What the log says of itself: its policy, the beacon's commitments; and the copy of both.

Rules: of several processes one looks after it. Rounds need their beacon a day ahead: what fails is
tried again at once. What expired at the doors is cleared last: nobody waits for it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.cli.page import offline_page
from workseal_protocol.digest import Digest
from workseal_protocol.encoding import MAX_INTEGER
from workseal_protocol.policy import TlogPolicy
from workseal_protocol.records import LogPolicy, sign
from workseal_protocol.statement import Kind, Statement
from workseal_verifier.config import Settings
from workseal_verifier.errors import ConfigError, Reason, RefusedError, StoreError
from workseal_verifier.loops import RETRY_S
from workseal_verifier.owncopy import OwnCopy
from workseal_verifier.services.beacon import Beacon
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.health import BEACON, HOUSEKEEPING, Health
from workseal_verifier.services.identity import Identity
from workseal_verifier.services.outage import Outage
from workseal_verifier.services.policies import (
    logged_policies,
    policies_in_force,
    require_continued,
)
from workseal_verifier.store.access import AccessStore
from workseal_verifier.store.engine import Database
from workseal_verifier.store.records import RecordStore

_logger = logging.getLogger(__name__)

# How often the beacon's commitments are looked after; they are due once a day.
HOUSEKEEPING_S: Final = 60.0
# How often a process that does not lead looks whether it does now.
FOLLOWING_S: Final = 5.0
# What the operator signs.
_OWN_KINDS: Final = [
    kind.value for kind in Kind if kind.value.startswith(("beacon.", "key.", "log."))
] + [Kind.DISPUTE_FINDING.value, Kind.DISPUTE_ACT.value]
_RULES: Final = (
    "An offer by the client whom its terms name, an acceptance by the freelancer, the chained"
    " statements of that freelancer, disputes by the named parties, and key statements about those"
    " keys are logged if docs/spec holds for them at their place in the log; nothing else is.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Hold what is looked after, and where it stands."""

    settings: Settings
    identity: Identity
    clock: Clock
    database: Database
    records: RecordStore
    access: AccessStore
    beacon: Beacon
    own: OwnCopy
    health: Health


class Housekeeping:
    """Look after one log; `log` sequences statements of the operator, `size` is what is public."""

    def __init__(
        self,
        premises: Premises,
        *,
        log: Callable[[Sequence[Statement]], None],
        size: Callable[[], int],
    ) -> None:
        self._settings = premises.settings
        self._identity = premises.identity
        self._clock = premises.clock
        self._database = premises.database
        self._records = premises.records
        self._access = premises.access
        self._beacon = premises.beacon
        self._own = premises.own
        self._health = premises.health
        self._log = log
        self._size = size
        self._outage = Outage("housekeeping goes on")
        # Who reads the log's policy learns which page this release means.
        self._page = Digest.of(offline_page())
        self._policy_is_logged = False
        self._lost: list[str] = []

    def policies(self) -> list[TlogPolicy]:
        """Return the policies that are in force; refuse a log that this one does not continue."""
        logged = logged_policies(self._records, MAX_INTEGER)
        require_continued(logged, self._identity)
        ours = self._identity.policy.encode()
        self._policy_is_logged = bool(logged) and (logged[-1].policy, logged[-1].page) == (
            ours,
            self._page,
        )
        return policies_in_force(logged, self._identity)

    def keep(self) -> float:
        """Log the log's policy when it is new, and the beacon's commitments as they fall due.

        Returns after how many seconds to look again.
        """
        if not self._database.lead():
            # Another process looks after the log's own statements.
            self._beacon.refresh()
            self._tell_lost()
            self._health.worked(HOUSEKEEPING)
            return FOLLOWING_S
        try:
            self._log_policy()
            self._beacon.commit_ahead(self._log)
            self._copy_own()
            self._tell_lost()
            self._access.clear(self._clock.now_ms())
        except (RefusedError, StoreError, ConfigError, TimeoutError) as error:
            self._outage.goes_on(error, f"housekeeping waits: {_said_of(error)}")
            # For want of space it waits as all do, which is told as that: a restart does not help.
            if not (isinstance(error, RefusedError) and error.reason is Reason.FULL):
                self._health.failed(HOUSEKEEPING)
            return RETRY_S
        self._outage.ends()
        self._health.worked(HOUSEKEEPING)
        return HOUSEKEEPING_S

    def _tell_lost(self) -> None:
        """Say which rounds this process cannot release, once; agents mark them offline."""
        lost = self._beacon.lost()
        for rounds in [one for one in lost if one not in self._lost]:
            _logger.error("the beacon's secret is missing or another: %s", rounds)
        self._lost = lost
        if lost:
            self._health.failed(BEACON)
        else:
            self._health.worked(BEACON)

    def _copy_own(self) -> None:
        """Copy what the operator signed to the volume that is never restored."""
        issuer = self._identity.operator.public_key.thumbprint
        entries = self._records.of_kinds(
            _OWN_KINDS, since=self._own.next_index(), below=self._size()
        )
        self._own.add(
            (entry.position, entry.body)
            for entry in entries
            if Statement.parse(entry.body).issuer == issuer
        )

    def _log_policy(self) -> None:
        if self._policy_is_logged:
            return
        try:
            self._log([self.policy_statement()])
        except RefusedError as refusal:
            # Another process, which led before this one, has logged it.
            if refusal.reason is not Reason.CONFLICT:
                raise
        self._policy_is_logged = True

    def policy_statement(self) -> Statement:
        """Sign what the log is."""
        continued = self._settings.continued
        previous = None
        if continued.exists():
            previous = SignedCheckpoint.parse(continued.read_bytes())
        record = LogPolicy(
            claimed_at=self._clock.now_ms(),
            origin=self._settings.origin,
            policy=self._identity.policy.encode(),
            rules=_RULES,
            previous=previous,
            page=self._page,
        )
        return sign(record, self._identity.operator)


def _said_of(error: Exception) -> str:
    """Say what keeps it, for the operator; strangers are not told why a key may not speak."""
    if isinstance(error, RefusedError) and error.reason is Reason.UNKNOWN_PARTY:
        return "the log has ended the operator's key that this server has: restart it"
    return str(error)
