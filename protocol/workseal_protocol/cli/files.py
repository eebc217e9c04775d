"""Files as a person names them: bounded reads, and writes that never replace anything.

Rules: whatever goes wrong leaves as a `CommandError` that names the file. A read takes at most its
limit into memory. A written file is new, complete and on disk before the command says so.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from workseal_protocol.cli.problem import CommandError

MAX_BUNDLE_BYTES = 256 * 1024 * 1024  # the limit of `Bundle.parse`
MAX_TEXT_BYTES = 1024 * 1024  # policies, terms, keys: far above any honest one

_PIECE = 1024 * 1024
_PUBLIC_MODE = 0o644
_SECRET_MODE = 0o600


def read_bytes(path: Path, *, limit: int, what: str) -> bytes:
    """Return the content of a file of at most `limit` bytes."""
    try:
        with path.open("rb") as file:
            data = b"".join(_pieces(file, limit + 1))
    except OSError as error:
        raise CommandError(f"cannot read the {what} {path}: {reason_of(error)}") from error
    if len(data) > limit:
        raise CommandError(f"the {what} {path} has more than {limit} bytes")
    return data


def _pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    # A read of n bytes takes room for n, however short the file is.
    while most and (piece := file.read(min(most, _PIECE))):
        most -= len(piece)
        yield piece


def read_text(path: Path, *, what: str) -> str:
    """Return the content of a small UTF-8 file."""
    data = read_bytes(path, limit=MAX_TEXT_BYTES, what=what)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"the {what} {path} is not UTF-8 text") from error


def read_typed(path: Path, *, what: str) -> str:
    """Return a text that somebody typed, without what an editor adds to it.

    That is a mark before it and the line ends of Windows; a last line that was left open is ended.
    Nothing that anybody can see is changed.
    """
    lines = read_text(path, what=what).removeprefix("\ufeff").replace("\r\n", "\n")
    return lines if lines.endswith("\n") or not lines else f"{lines}\n"


def read_secret_text(path: Path, *, what: str) -> str:
    """Return the content of a secret file that nobody else may read."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise CommandError(f"cannot read the {what} {path}: {reason_of(error)}") from error
    if stat.S_ISDIR(mode):
        raise CommandError(f"cannot read the {what} {path}: is a directory")
    # Windows has no such bits: there the folder's owner decides.
    if os.name == "posix" and mode & 0o077:
        raise CommandError(f"the {what} {path} may be read by others; run: chmod 600 {path}")
    return read_text(path, what=what)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist yet."""
    _write(path, data, _PUBLIC_MODE)


def write_new_secret(path: Path, data: bytes) -> None:
    """Write a secret file that must not exist yet, readable by its owner alone."""
    _write(path, data, _SECRET_MODE)


def sync_folder(folder: Path) -> None:
    """Have a folder's list of names on disk, where that can be asked for."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def require_new(path: Path) -> None:
    """Refuse a path at which something exists, before any work is done for it."""
    if os.path.lexists(path):
        raise CommandError(f"{path} exists already, and nothing is overwritten")


def require_empty_folder(folder: Path) -> None:
    """Refuse a folder that holds anything, before any work is done for it."""
    try:
        if os.path.lexists(folder) and any(folder.iterdir()):
            raise CommandError(f"the folder {folder} is not empty, and nothing is overwritten")
    except OSError as error:
        raise CommandError(f"cannot use {folder} as a folder: {reason_of(error)}") from error


def fill_folder(folder: Path, parts: Mapping[str, bytes]) -> None:
    """Write named parts below a folder that is new or empty, for its owner alone.

    A bundle tells who worked when, and a disclosure shows a screen: both are confidential.
    Names are ours (digits, hex and fixed words with `/`), so no part lands outside the folder; a
    name that would is a mistake of the calling code. What fails, or is interrupted, leaves nothing:
    a part of a case could be taken for the whole.
    """
    require_empty_folder(folder)
    was_there = os.path.lexists(folder)
    written: list[Path] = []
    try:
        for name, data in parts.items():
            target = _target(folder, name)
            try:
                _make_folders(folder, target.parent)
            except OSError as error:
                text = f"cannot make the folder {target.parent}: {reason_of(error)}"
                raise CommandError(text) from error
            write_new_secret(target, data)
            written.append(target)
    except BaseException:
        _remove(folder, written)
        if not was_there:
            _remove_folder(folder)
        raise


def _target(folder: Path, name: str) -> Path:
    steps = name.split("/")
    if any(step in ("", ".", "..") or "\\" in step or ":" in step for step in steps):
        raise ValueError("a part's name stays below its folder")
    return folder.joinpath(*steps)


def _remove(folder: Path, written: Sequence[Path]) -> None:
    """Remove files, and the folders above them up to this one, as far as that can be done."""
    for file in written:
        with suppress(OSError):
            file.unlink()
    between = {above for file in written for above in file.parents if folder in above.parents}
    for one in sorted(between, key=lambda one: -len(one.parts)):
        _remove_folder(one)


def _remove_folder(folder: Path) -> None:
    with suppress(OSError):  # it has what is not ours, or is not there
        folder.rmdir()


def reason_of(error: OSError) -> str:
    """Say why the system refused, in its own words."""
    return (error.strerror or type(error).__name__).lower()


def _make_folders(top: Path, folder: Path) -> None:
    # The mode of `mkdir` is that of the last folder alone, so each is made by itself.
    if folder != top:
        _make_folders(top, folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    else:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise CommandError(f"{path} exists already, and nothing is overwritten") from error
    except OSError as error:
        raise CommandError(f"cannot write {path}: {reason_of(error)}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)  # a half-written file would be taken for a whole one
        raise CommandError(f"cannot write {path}: {reason_of(error)}") from error
