"""The two ways in which a request to the verifier can go wrong."""

from workseal_agent.errors import AgentError


class UnreachableError(AgentError):
    """Say that there was no usable answer; the same request may be sent again.

    `retry_after` is what the verifier asked for, in seconds.
    """

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class RefusedError(AgentError):
    """Say that the verifier understood the request and refused it; sending it again is no use."""

    def __init__(self, status: int, name: str, detail: str) -> None:
        super().__init__(f"the verifier refused ({name}): {detail}")
        self.status = status
        self.name = name
        self.detail = detail
