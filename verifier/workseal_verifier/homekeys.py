"""The keys of a home, each in a file of its own: made once, read at each start.

Rule: what exists is never made again.
"""

from dataclasses import replace

from workseal_protocol.errors import MalformedError
from workseal_protocol.keys import Algorithm, SeedSigner
from workseal_verifier.config import Settings
from workseal_verifier.errors import SettingsError
from workseal_verifier.keyfiles import create_secret, make_folder, read_secret
from workseal_verifier.services.identity import Identity


def make_keys(settings: Settings, *, pq: bool) -> None:
    """Make the keys of a new log, each in a file of its own; keep those that exist."""
    for folder in (settings.home, settings.keys, settings.lock):
        make_folder(folder)
    for name in ("log", "operator", "clock", "access", *(("pq",) if pq else ())):
        create_secret(settings.keys / f"{name}.seed")


def load_identity(settings: Settings) -> Identity:
    """Read the keys of a home, and of the witnesses that its settings name."""
    names = ("log", "operator", "clock")
    log, operator, clock = (
        SeedSigner(read_secret(settings.keys / f"{name}.seed")) for name in names
    )
    pq = settings.keys / "pq.seed"
    signer = SeedSigner(read_secret(pq), Algorithm.ML_DSA_44) if pq.exists() else None
    made = Identity(settings.origin, log, operator, clock, signer)
    if not settings.witness:
        return made
    witnesses = {one.name: one.vkey for one in settings.witness}
    if len(witnesses) != len(settings.witness):
        raise SettingsError("two [[witness]] tables have one name")
    try:
        return replace(made, witnesses=witnesses, quorum=settings.quorum)
    except (MalformedError, ValueError) as error:
        raise SettingsError(f"[[witness]] and quorum make no log policy: {error}") from error
