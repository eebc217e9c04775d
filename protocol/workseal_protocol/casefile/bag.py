"""A folder in BagIt form (RFC 8493), as a map of names to bytes.

Rules: one payload has one bag, and no byte of any file can change unseen: `read_bag` compares all
of them with the manifests, and these with each other. Names are ours: short, lower case, never a
way out of the folder.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256, sha512
from typing import Final

from workseal_protocol.digest import Digest
from workseal_protocol.errors import MalformedError, VerificationError

MAX_PAYLOAD_FILES: Final = 128
_NAME: Final = re.compile(r"data/[a-z0-9][a-z0-9.-]{0,39}(?:/[0-9]{4}\.[a-z]{1,10})?")
_DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_AGENT: Final = "workseal"
_ALGORITHMS: Final = {"sha256": sha256, "sha512": sha512}
# The tag files whose digests stand in a tag manifest; those manifests name each other nowhere.
_TAGGED: Final = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "manifest-sha512.txt")
TAG_FILES: Final = frozenset({*_TAGGED, *(f"tagmanifest-{name}.txt" for name in _ALGORITHMS)})


def write_bag(payload: Mapping[str, bytes], case: Digest, at: int) -> dict[str, bytes]:
    """Return payload and tag files of a bag; `at` is the instant of the newest statement."""
    if not 1 <= len(payload) <= MAX_PAYLOAD_FILES:
        raise ValueError(f"a case file has 1 to {MAX_PAYLOAD_FILES} files")
    if any(_NAME.fullmatch(name) is None for name in payload):
        raise ValueError("a name in a case file is data/, then lower case letters and digits")
    return dict(payload) | _tag_files(payload, case, at)


def read_bag(files: Mapping[str, bytes]) -> None:
    """Check every file against the manifests, or raise `VerificationError` that names it."""
    payload = payload_of(files)
    for algorithm in _ALGORITHMS:
        _compare(files, f"manifest-{algorithm}.txt", algorithm, payload)
        _compare(files, f"tagmanifest-{algorithm}.txt", algorithm, _TAGGED)
    if files["bagit.txt"] != _DECLARATION:
        raise VerificationError("bagit.txt is not that of version 1.0 in UTF-8")


def _compare(
    files: Mapping[str, bytes], manifest: str, algorithm: str, names: Iterable[str]
) -> None:
    expected = _manifest(algorithm, files, names)
    if files[manifest] == expected:
        return
    told = frozenset(files[manifest].splitlines(keepends=True))
    lines = expected.splitlines(keepends=True)
    differing = [line for line in lines if line not in told]
    if not differing:
        raise VerificationError(f"{manifest} has lines of files that are not there")
    name = differing[0].split(b"  ", 1)[1].decode().rstrip("\n")
    raise VerificationError(f"{name} is not what {manifest} says")


def payload_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the payload of a folder with the names of a bag, or raise `MalformedError`."""
    missing = sorted(TAG_FILES - files.keys())
    if missing:
        raise MalformedError(f"the folder lacks {missing[0]}")
    payload = {name: data for name, data in files.items() if name not in TAG_FILES}
    strange = sorted(name for name in payload if _NAME.fullmatch(name) is None)
    if strange:
        raise MalformedError(f"the folder has {strange[0][:80]}, which no case file has")
    if not 1 <= len(payload) <= MAX_PAYLOAD_FILES:
        raise MalformedError(f"expected 1 to {MAX_PAYLOAD_FILES} files, found {len(payload)}")
    return payload


def _tag_files(payload: Mapping[str, bytes], case: Digest, at: int) -> dict[str, bytes]:
    tags = {"bagit.txt": _DECLARATION, "bag-info.txt": _info(payload, case, at)}
    for algorithm in _ALGORITHMS:
        tags[f"manifest-{algorithm}.txt"] = _manifest(algorithm, payload, payload)
    for algorithm in _ALGORITHMS:
        tags[f"tagmanifest-{algorithm}.txt"] = _manifest(algorithm, tags, _TAGGED)
    return tags


def _manifest(algorithm: str, files: Mapping[str, bytes], names: Iterable[str]) -> bytes:
    hashed = _ALGORITHMS[algorithm]
    lines = (f"{hashed(files[name]).hexdigest()}  {name}\n" for name in sorted(names))
    return "".join(lines).encode()


def _info(payload: Mapping[str, bytes], case: Digest, at: int) -> bytes:
    day = datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%Y-%m-%d")
    size = sum(map(len, payload.values()))
    return (
        f"Bag-Software-Agent: {_AGENT}\n"
        f"Bagging-Date: {day}\n"
        f"External-Identifier: {case}\n"
        f"Payload-Oxum: {size}.{len(payload)}\n"
    ).encode()
