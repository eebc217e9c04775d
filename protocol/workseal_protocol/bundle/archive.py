"""The container of a bundle: a ZIP file in the one form that docs/spec/bundle.md gives.

Rules: stored, never compressed; no extra fields, comments, data descriptors or ZIP64; the time is
1980-01-01 everywhere. Our own reader and writer, because the form is small and a general reader
has many ways to understand one file: what we read is compared with what we would write.
"""

import re
from collections.abc import Iterable, Iterator
from struct import Struct
from zlib import crc32

from workseal_protocol.errors import MalformedError

# A manifest has room for 512 names, and does not name itself.
MAX_ENTRIES = 513
MAX_ARCHIVE_BYTES = 256 * 1024 * 1024

_LOCAL = Struct("<4s5H3I2H")
_CENTRAL = Struct("<4s6H3I5H2I")
_END = Struct("<4s4H2IH")
# No path that leads elsewhere when a careless tool unpacks it.
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?")

_NEEDED = 20  # ZIP 2.0
_MADE_BY = 3 << 8 | _NEEDED  # Unix, so that the mode below is understood
_DATE = 1 << 5 | 1  # 1980-01-01
_MODE = 0o100644 << 16

Entry = tuple[str, bytes]
# Checksum and length, and the length again: nothing is compressed.
_Measure = tuple[int, int, int]


def write_archive(entries: Iterable[Entry]) -> bytes:
    """Write the entries in their order; `read_archive` is the inverse."""
    entries = tuple(entries)
    for name, _ in entries:
        if _NAME.fullmatch(name.encode()) is None:
            raise ValueError("an entry's name has an unexpected form")
    if len(entries) > MAX_ENTRIES or len({name for name, _ in entries}) != len(entries):
        raise ValueError(f"an archive has at most {MAX_ENTRIES} entries, each name once")
    measures = [_measure(data) for _, data in entries]
    rows = zip(entries, measures, strict=True)
    parts = [part for (name, data), one in rows for part in (_local(name, one), data)]
    archive = b"".join((*parts, _directory(entries, measures)))
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise ValueError(f"an archive has at most {MAX_ARCHIVE_BYTES} bytes")
    return archive


def read_archive(data: bytes) -> tuple[Entry, ...]:
    """Read the entries in their order, or raise `MalformedError`."""
    if len(data) > MAX_ARCHIVE_BYTES:
        raise MalformedError(f"expected at most {MAX_ARCHIVE_BYTES} bytes, found {len(data)}")
    if not data.startswith(b"PK"):
        raise MalformedError("this is not a bundle: it does not begin as a ZIP file does")
    entries: list[Entry] = []
    measures: list[_Measure] = []
    names: set[str] = set()
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        if len(entries) == MAX_ENTRIES:
            raise MalformedError(f"expected at most {MAX_ENTRIES} entries")
        name, content, measure, at = _read_entry(data, at)
        if name in names:
            raise MalformedError("an entry stands twice in the bundle")
        names.add(name)
        entries.append((name, content))
        measures.append(measure)
    if data[at:] != _directory(entries, measures):
        raise MalformedError("the directory of the bundle is not the one of its entries")
    return tuple(entries)


def _read_entry(data: bytes, at: int) -> tuple[str, bytes, _Measure, int]:
    start = at + _LOCAL.size
    if start > len(data):
        raise MalformedError("the bundle ends inside an entry")
    *_, size, name_length, _ = _LOCAL.unpack_from(data, at)
    raw = data[start : start + name_length]
    if _NAME.fullmatch(raw) is None:
        raise MalformedError("the name of an entry has an unexpected form")
    name = raw.decode("ascii")
    begin = start + name_length
    end = begin + size
    if end > len(data):
        raise MalformedError("the bundle ends inside an entry")
    content = data[begin:end]
    measure = _measure(content)
    if data[at:begin] != _local(name, measure):
        raise MalformedError("the head of an entry is not the one of its content")
    return name, content, measure, end


def _local(name: str, measure: _Measure) -> bytes:
    head = _LOCAL.pack(b"PK\x03\x04", _NEEDED, 0, 0, 0, _DATE, *measure, len(name), 0)
    return head + name.encode()


def _directory(entries: Iterable[Entry], measures: Iterable[_Measure]) -> bytes:
    heads = list(_central_heads(entries, measures))
    size = sum(len(head) for head, _ in heads)
    start = heads[-1][1] if heads else 0
    end = _END.pack(b"PK\x05\x06", 0, 0, len(heads), len(heads), size, start, 0)
    return b"".join((*(head for head, _ in heads), end))


def _central_heads(
    entries: Iterable[Entry], measures: Iterable[_Measure]
) -> Iterator[tuple[bytes, int]]:
    """Give each head of the directory, with the place at which the next local head begins."""
    at = 0
    for (name, data), measure in zip(entries, measures, strict=True):
        head = _CENTRAL.pack(
            b"PK\x01\x02",
            _MADE_BY,
            _NEEDED,
            0,
            0,
            0,
            _DATE,
            *measure,
            len(name),
            0,
            0,
            0,
            0,
            _MODE,
            at,
        )
        at += _LOCAL.size + len(name) + len(data)
        yield head + name.encode(), at


def _measure(data: bytes) -> _Measure:
    return crc32(data), len(data), len(data)
