"""Why a page is not what was asked for: each kind of reason with its own status.

Rule: what somebody typed, chose or wrote into an address is the asker's to mend (400 in an address,
422 in a form); what is not there is 404; what the state of this home forbids just now is 409.
"""

from workseal_agent.errors import AgentError, WrongPassphraseError


class FormError(AgentError):
    """Say that a value of a form or of an address cannot be meant."""


class AbsentError(AgentError):
    """Say that there is nothing at an address."""


def status_of(error: Exception, method: str) -> int:
    """Return the status with which an error is told."""
    if isinstance(error, AbsentError):
        return 404
    if isinstance(error, (FormError, WrongPassphraseError)):
        return 400 if method in {"GET", "HEAD"} else 422
    return 409
