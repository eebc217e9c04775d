"""The Workseal protocol: bytes and values in, values or a typed error out.

No network, no files, no clock, no randomness: you bring the bytes, the time and the keys. What an
integrator needs to verify a bundle is named here, and loaded when it is first used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workseal_protocol.errors import MalformedError, VerificationError
    from workseal_protocol.policy import TrustPolicy
    from workseal_protocol.verify import (
        Outcome,
        Report,
        Step,
        Verified,
        agreed_zone,
        examine_bundle,
        verify_bundle,
    )

# Of the distribution, which takes it from here: asking what is installed loads a reader of mails.
__version__ = "0.1.0"

__all__ = [
    "MalformedError",
    "Outcome",
    "Report",
    "Step",
    "TrustPolicy",
    "VerificationError",
    "Verified",
    "agreed_zone",
    "examine_bundle",
    "verify_bundle",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Whoever imports a module loads this package first: the lowest must not load the highest.
    from workseal_protocol import errors, policy, verify  # noqa: PLC0415

    place = next(one for one in (errors, policy, verify) if hasattr(one, name))
    found: object = getattr(place, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
