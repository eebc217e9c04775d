"""The two ways in which a request to a verifier can go wrong.

    WorksealError
    └── ClientError
        ├── UnreachableError   no usable answer; the same request may be sent again
        └── RefusedError       understood and refused; sending it again is no use

Rule: a text holds what the verifier said only as printable, bounded words, and no address.
"""

from workseal_protocol.errors import WorksealError
from workseal_protocol.worded import Worded, worded


class ClientError(WorksealError):
    """Be the root of both; never raised itself."""


class UnreachableError(ClientError):
    """Say that there was no usable answer; the same request may be sent again.

    `retry_after` is what the verifier asked for, in seconds.
    """

    def __init__(self, text: str | Worded, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class RefusedError(ClientError):
    """Say that the verifier understood the request and refused it; sending it again is no use.

    `name` is the problem's, as docs/spec/api.md lists them.
    """

    def __init__(self, status: int, name: str, detail: str) -> None:
        super().__init__(
            worded("the verifier refused ({name}): {detail}", name=name, detail=detail)
        )
        self.status = status
        self.name = name
        self.detail = detail
