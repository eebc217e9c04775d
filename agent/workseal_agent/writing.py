"""Files that are written for their owner: readable by nobody else, and never half there."""

import os
import secrets
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600, in place of one that is there: aside first, then by its name."""
    part = path.with_name(f"{path.name}-{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
