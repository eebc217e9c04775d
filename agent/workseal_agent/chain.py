"""Adding to the freelancer's own chain: each statement obeys every rule before it is stored.

Rules: number and link are taken inside the transaction that stores the statement, so two processes
of one home never sign two bodies for one number. What another process added is folded in first. A
copy restored from a backup signs nothing before it has caught up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from workseal_agent.errors import AgentError
from workseal_agent.language import phrase
from workseal_agent.ledger import Engagement, Ledger, LedgerError, StoredStatement, Transaction
from workseal_protocol.chain import ChainError, ChainState, advance
from workseal_protocol.checkpoint import SignedCheckpoint
from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Signer
from workseal_protocol.policy import TlogPolicy, verify_checkpoint
from workseal_protocol.records import Anchor, ChainedRecord, read_record, sign
from workseal_protocol.records.links import LinkFields
from workseal_protocol.statement import Statement
from workseal_protocol.window import ONLINE_MS


@dataclass(frozen=True, slots=True)
class Place:
    """Hold what joins the next statement to the chain.

    `newest` is the newest checkpoint that was verified, `least` the anchor of the statement before.
    """

    engagement: bytes
    seq: int
    prev: Digest
    newest: Anchor
    least: Anchor | None

    def link(self, claimed_at: int, anchor: Anchor | None = None) -> LinkFields:
        """Return the fields that every chained record begins with.

        `anchor` is the newest one known when what the record tells of began; anchors never go back.
        """
        chosen = anchor or self.newest
        if self.least is not None and chosen.size < self.least.size:
            chosen = self.least
        return {
            "engagement": self.engagement,
            "seq": self.seq,
            "prev": self.prev,
            "anchor": chosen,
            "claimed_at": claimed_at,
        }


class OwnChainError(AgentError):
    """Say that a statement would break a rule of the chain; it was not stored."""


class OwnChain:
    """Append to one engagement's chain; `state` is the newest state that this process knows."""

    def __init__(self, ledger: Ledger, engagement: Engagement, signer: Signer) -> None:
        self._ledger = ledger
        self._engagement = engagement
        self._signer = signer
        acceptance = Statement.parse(engagement.acceptance).digest
        self._state = ChainState.start(
            engagement.id, engagement.terms, acceptance, agreed_at=engagement.agreed_at
        )
        self._anchor: Anchor | None = None
        self.refresh()

    @property
    def state(self) -> ChainState:
        """Return the state after the last statement that was read or appended."""
        return self._state

    def refresh(self) -> ChainState:
        """Fold in what other processes appended; `LedgerError` when the chain is damaged."""
        for stored in self._ledger.chain(self._engagement.id, self._state.next_seq):
            self._fold(stored)
        return self._state

    def append(
        self,
        build: Callable[[Place], ChainedRecord],
        also: Callable[[Transaction, Statement], None] = lambda _writing, _statement: None,
    ) -> Statement:
        """Sign the next statement and store it with what belongs to it, in one transaction.

        `build` makes the record for its place; `also` writes the rest. When the commit itself
        fails it is unknown whether the statement was stored: `refresh` tells.
        """
        with self._ledger.write() as writing:
            self.require_caught_up()
            state = self.refresh()
            record = build(self._place(state))
            statement = sign(record, self._signer)
            try:
                after = advance(state, statement, record)
            except ChainError as error:
                raise OwnChainError(
                    phrase("this would break the chain: {error}", error=error)
                ) from error
            writing.add_statement(self._engagement.id, statement, seq=record.seq)
            also(writing, statement)
        self._state, self._anchor = after, record.anchor
        return statement

    def require_caught_up(self) -> None:
        """Refuse to sign in a copy that may lack what was signed after it: a number has one body.

        Raises `OwnChainError`.
        """
        if self._ledger.is_restored(self._engagement.id):
            raise OwnChainError(
                "this home was restored from a backup, and what was signed after it is not known"
                " yet: `workseal-agent catch-up` asks the verifier"
            )

    def newest_anchor(self) -> Anchor:
        """Return the newest checkpoint that was verified, or raise `OwnChainError`."""
        body = self._ledger.newest_checkpoint(self._engagement.id)
        if body is None:
            raise OwnChainError("no receipt of the acceptance yet: run `workseal-agent join` again")
        signed = SignedCheckpoint.parse(body)
        return Anchor(signed.digest, signed.checkpoint.size)

    def passed_ms(self) -> int:
        """Return an instant that has surely passed: the newest checkpoint was cosigned then.

        Half of the time is left off within which a round's end and such a checkpoint may lie
        apart: witnesses' clocks are their own. 0 where no witness tells the time.
        """
        body = self._ledger.newest_checkpoint(self._engagement.id)
        if body is None:
            return 0
        policy = TlogPolicy.parse(self._engagement.terms.log_policy)
        not_before = verify_checkpoint(SignedCheckpoint.parse(body), policy).not_before
        return 0 if not_before is None else not_before - ONLINE_MS // 2

    def _place(self, state: ChainState) -> Place:
        newest = self.newest_anchor()
        return Place(self._engagement.id, state.next_seq, state.head, newest, self._anchor)

    def _fold(self, stored: StoredStatement) -> None:
        try:
            statement = Statement.parse(stored.body)
            record = cast("ChainedRecord", read_record(statement))
            self._state, self._anchor = advance(self._state, statement, record), record.anchor
        except (MalformedError, ChainError) as error:
            raise LedgerError(
                phrase(
                    "statement {seq} of the chain is damaged: {error}", seq=stored.seq, error=error
                )
            ) from error
