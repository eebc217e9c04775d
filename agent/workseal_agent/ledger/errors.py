"""What can go wrong with the ledger."""

from workseal_agent.errors import AgentError


class LedgerError(AgentError):
    """Say that the ledger cannot be read or written; what stood in it before still stands."""
