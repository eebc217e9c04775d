"""Secret files of the parties: the seed of a signing key, the private key and tag key of one case.

Rules: one line that says what it is; the file is new, mode 0600, and refused when others may read
it. The text of a secret never reaches an error or the screen.
"""

import base64
import binascii
import os
import re
import stat
from pathlib import Path
from typing import Final

from workseal_protocol.cli.files import read_secret_text, write_new_secret
from workseal_protocol.cli.problem import CommandError
from workseal_protocol.desk import KEY_BYTES
from workseal_protocol.keys import SEED_BYTES, Algorithm, SeedSigner

CASE_KEY_BYTES: Final = 96  # ML-KEM-768 seed (64), X25519 private key (32)

_SEED_LABELS: Final = {
    Algorithm.EDDSA: "workseal-seed ed25519",
    Algorithm.ML_DSA_44: "workseal-seed mldsa44",
}
_CASE_LABEL: Final = "workseal-case-key mlkem768x25519"
_TAG_LABEL: Final = "workseal-tag-key hmac-sha256"
_DIGITS = re.compile(r"[A-Za-z0-9_-]{43,128}")


def write_seed(path: Path, seed: bytes, algorithm: Algorithm = Algorithm.EDDSA) -> None:
    """Write the seed of a signing key to a new file."""
    write_new_secret(path, _line(_SEED_LABELS[algorithm], seed))


def read_signer(path: Path, algorithm: Algorithm = Algorithm.EDDSA) -> SeedSigner:
    """Read the signer whose seed `write_seed` wrote."""
    return SeedSigner(_read(path, _SEED_LABELS[algorithm], SEED_BYTES, "key file"), algorithm)


def write_case_key(path: Path, private: bytes) -> None:
    """Write the private key of one case to a new file."""
    write_new_secret(path, _line(_CASE_LABEL, private))


def read_case_key(path: Path) -> bytes:
    """Read the private key that `write_case_key` wrote."""
    return _read(path, _CASE_LABEL, CASE_KEY_BYTES, "case key")


def is_wiped_case_key(path: Path) -> bool:
    """Say whether a file is what a case key leaves whose destruction was broken off: its zeros."""
    whole = len(_line(_CASE_LABEL, bytes(CASE_KEY_BYTES)))
    try:
        found = os.lstat(path)
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == whole
            and path.read_bytes() == bytes(whole)
        )
    except OSError:
        return False


def write_tag_key(path: Path, key: bytes) -> None:
    """Write the key of one case's tags to a new file."""
    write_new_secret(path, _line(_TAG_LABEL, key))


def read_tag_key(path: Path) -> bytes:
    """Read the key that `write_tag_key` wrote."""
    return _read(path, _TAG_LABEL, KEY_BYTES, "tag key")


def _line(label: str, secret: bytes) -> bytes:
    digits = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return f"{label}:{digits}\n".encode()


def _read(path: Path, label: str, length: int, what: str) -> bytes:
    text = read_secret_text(path, what=what)
    found, _, digits = text.removesuffix("\n").partition(":")
    wrong = CommandError(f"the {what} {path} is not one line that begins with '{label}:'")
    if found != label or _DIGITS.fullmatch(digits) is None:
        raise wrong
    try:
        secret = base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    except binascii.Error:
        raise wrong from None
    if len(secret) != length or _line(label, secret) != text.encode():
        raise wrong
    return secret
