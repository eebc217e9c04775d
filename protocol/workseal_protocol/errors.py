"""Every error of the protocol.

    WorksealError
    ├── MalformedError      the bytes are not what any honest program writes
    └── VerificationError   well formed, and false

Rules: only `MalformedError` leaves a parser; `verify_*` raises `VerificationError`. A mistake of
the calling program is a `ValueError` or `TypeError`, never one of these.
"""


class WorksealError(Exception):
    """Be the root of both families; never raised itself."""


class MalformedError(WorksealError):
    """Say that bytes do not have the form that the specification gives."""


class VerificationError(WorksealError):
    """Say that a well-formed claim does not hold."""
