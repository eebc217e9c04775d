"""Secret files of a home: one seed per key, one secret per beacon chain; 0600, written once.

Rules: a secret that exists is never written again; every file is complete and durable before its
name exists; a secret that others may read is refused, because a seed that leaked is a key that
others hold.
"""

import os
import re
import secrets
import tempfile
from pathlib import Path

from workseal_verifier.errors import ConfigError

SECRET_BYTES = 32
_FORM = re.compile(rb"[0-9a-f]{64}\n")


def make_folder(path: Path) -> None:
    """Create a folder that only its owner may enter."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise ConfigError(f"{path}: expected a folder, found a file") from None
    except NotADirectoryError:
        raise ConfigError(f"{path}: expected folders on the way there, found a file") from None
    path.chmod(0o700)


def create_secret(path: Path, value: bytes | None = None) -> bytes:
    """Write 32 bytes (random by default) to a new file and return them.

    An existing file wins: its value is returned, so that a start after a crash goes on with it.
    """
    if path.exists():
        # A start on a full disk writes nothing that is there already.
        return read_secret(path)
    value = secrets.token_bytes(SECRET_BYTES) if value is None else value
    temporary = _write_beside(path, value.hex().encode() + b"\n")
    try:
        # A link, not a rename: a rename would replace what exists.
        os.link(temporary, path)
    except FileExistsError:
        return read_secret(path)
    finally:
        temporary.unlink()
    _sync_folder(path.parent)
    return value


def replace_file(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read; after a crash it is the old one or the new."""
    temporary = _write_beside(path, data)
    temporary.replace(path)
    _sync_folder(path.parent)


def read_secret(path: Path) -> bytes:
    """Read one secret file, or raise `ConfigError`."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} may be read by others; run: chmod 600 {path}")
        with path.open("rb") as file:
            data = file.read(128)
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if _FORM.fullmatch(data) is None:
        raise ConfigError(f"{path} does not hold one seed of {SECRET_BYTES} bytes")
    return bytes.fromhex(data.decode())


def _write_beside(path: Path, data: bytes) -> Path:
    """Write a complete, durable file under another name."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # created 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink()
            raise
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise ConfigError(f"{path} cannot be written: {reason}") from error
    return temporary


def _sync_folder(path: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
