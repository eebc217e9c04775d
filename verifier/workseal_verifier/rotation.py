"""Replace the operator's key: the new one is kept, the log says so, it takes the place of the old.

Rule: whatever a crash leaves is finished by doing it again. Between the second and the third step
no server runs, on no host: what the old key signed then would count nowhere.
"""

from workseal_protocol.keys import PublicKey, SeedSigner
from workseal_protocol.records import KeyRotate, sign
from workseal_verifier.config import Settings
from workseal_verifier.keyfiles import create_secret, replace_file
from workseal_verifier.running import Verifier
from workseal_verifier.services.clock import Clock
from workseal_verifier.services.disclosures import ANSWER_TIMEOUT_S


def rotate_operator(settings: Settings, clock: Clock | None = None) -> PublicKey:
    """Rotate the key of a log that no server serves, and return the new one."""
    verifier = Verifier(settings, clock=clock)
    try:
        verifier.database.create()
        verifier.database.require_alone()
        # Only now: a key that is begun keeps the server from starting until it is finished.
        new = SeedSigner(create_secret(settings.next_operator))
        if verifier.records.rotation_to(new.public_key.thumbprint) is None:
            verifier.open(rotating=True)
            _log_rotation(verifier, new)
    finally:
        verifier.close()
    replace_file(settings.keys / "operator.seed", settings.next_operator.read_bytes())
    settings.next_operator.unlink()
    return new.public_key


def _log_rotation(verifier: Verifier, new: SeedSigner) -> None:
    old = verifier.identity.operator
    record = KeyRotate.make(
        claimed_at=verifier.services.clock.now_ms(), old=old.public_key, new=new
    )
    candidate = verifier.services.intake.own(sign(record, old))
    verifier.sequencer.submit([candidate]).result(ANSWER_TIMEOUT_S)
