"""What shows that a home made a backup for which nobody typed anything (ADR 0036).

Rules: the secret follows from the signing key and leads back to nothing of it. It lies in the home
and in no backup, so that who keeps the backups cannot make one.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from workseal_protocol.keys import Signer

MAKER_BYTES = 32
_INFO = b"workseal/backup-maker/v1"


def maker_secret(signer: Signer) -> bytes:
    """Return what backups of this signer's home are bound to; the signer's signatures repeat."""
    # No statement or key proof begins like this message: see the ledger's key.
    secret = signer.sign(_INFO)
    return HKDF(algorithm=SHA256(), length=MAKER_BYTES, salt=None, info=_INFO).derive(secret)


def keep_maker(path: Path, signer: Signer) -> None:
    """Have the secret lie in the home; on a disk that does not take it, the next time does."""
    secret = maker_secret(signer)
    if load_maker(path) == secret:
        return
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}.part")
    with suppress(OSError):
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
                f.write(secret)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def load_maker(path: Path) -> bytes | None:
    """Return the secret; None when it is not there, or not whole."""
    try:
        with path.open("rb") as file:
            secret = file.read(MAKER_BYTES + 1)
    except OSError:
        return None
    return secret if len(secret) == MAKER_BYTES else None
