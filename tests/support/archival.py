"""What of PDF/A-3, level B (ISO 19005-3), can be told of an invoice by reading its objects.

No validator: it looks at the clauses that a page of text, a drawing and one embedded file meet.
"""

import io
import re
import struct
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

from pypdf import PdfReader
from pypdf.generic import ArrayObject, ContentStream, DictionaryObject, StreamObject

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
# What acts, hides, draws from elsewhere or lets through what lies below.
FORBIDDEN = {
    "/AA", "/Alternates", "/Annots", "/Encrypt", "/HTP", "/JS", "/JavaScript", "/NeedsRendering",
    "/OPI", "/OpenAction", "/PS", "/PresSteps", "/Ref", "/SMask", "/TR", "/TR2", "/XFA",
}  # fmt: skip
FILTERS = {"/FlateDecode", "/ASCII85Decode"}
OPERATORS = {
    "q", "Q", "cm", "w", "J", "j", "M", "d", "i", "re", "m", "l", "c", "v", "y", "h", "n",
    "f", "F", "f*", "B", "B*", "S", "s", "W", "W*", "rg", "RG", "g", "G",
    "BT", "ET", "Tf", "TL", "Tj", "TJ", "'", "T*", "Td", "TD", "Tm", "Tc", "Tw", "Tz",
}  # fmt: skip
MOST_NESTED = 28


def faults_of(data: bytes) -> list[str]:
    """Name what does not fit, each by its clause."""
    reader = PdfReader(io.BytesIO(data))
    return [
        *_of_the_file(data, reader),
        *_of_objects(reader),
        *_of_colours(reader),
        *_of_fonts(reader),
        *_of_the_metadata(reader),
        *_of_the_embedded(reader),
    ]


def _of_the_file(data: bytes, reader: PdfReader) -> Iterator[str]:
    head, mark = data.split(b"\n", 2)[:2]
    if not re.fullmatch(rb"%PDF-1\.[0-7]", head):
        yield f"6.1.2: the file begins with {head!r}"
    if not re.match(rb"%[\x80-\xff]{4}", mark):
        yield "6.1.2: no bytes beyond ASCII mark it as binary"
    identifier = reader.trailer.get("/ID")
    if identifier is None or len(identifier) != 2 or not all(identifier):
        yield "6.1.3: the trailer has no ID"
    if "/Encrypt" in reader.trailer:
        yield "6.1.3: encrypted"
    if not data.rstrip(b"\r\n").endswith(b"%%EOF"):
        yield "6.1.3: something stands behind the end"


def _of_objects(reader: PdfReader) -> Iterator[str]:
    for one in _objects(reader):
        for name in FORBIDDEN & one.keys():
            yield f"6.1 to 6.9: {name}"
        if one.get("/S") in {"/Launch", "/URI", "/GoToR", "/Transparency"}:
            yield f"6.2.10, 6.5: {one['/S']}"
        if any(one.get(name, 1) != 1 for name in ("/CA", "/ca")) or one.get("/BM", "/N") != "/N":
            yield "6.2.10: transparent"
        filters = one.get("/Filter", []) if isinstance(one, StreamObject) else []
        named = set(filters if isinstance(filters, list) else [filters])
        if not named <= FILTERS:
            yield f"6.1.7: filters {named}"
        if isinstance(one, StreamObject) and {"/F", "/FFilter"} & one.keys():
            yield "6.1.7: a stream outside of the file"


def _objects(reader: PdfReader) -> Iterator[DictionaryObject]:
    seen: set[int] = set()
    left: list[Any] = [reader.trailer]
    while left:
        one = left.pop().get_object()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, DictionaryObject):
            yield one
            left += list(one.values())
        elif isinstance(one, ArrayObject):
            left += list(one)


def _of_colours(reader: PdfReader) -> Iterator[str]:
    intents = reader.root_object.get("/OutputIntents", [])
    if [one.get_object().get("/S") for one in intents] != ["/GTS_PDFA1"]:
        yield "6.2.3: no output intent"
        return
    stream = intents[0].get_object()["/DestOutputProfile"].get_object()
    profile = stream.get_data()
    size, version = struct.unpack_from(">I4xB", profile)
    said = (profile[12:16], profile[16:20], profile[36:40], stream["/N"])
    if size != len(profile) or version > 4 or said != (b"mntr", b"RGB ", b"acsp", 3):
        yield "6.2.3: the profile is none of a screen's three colours"
    for page in reader.pages:
        depth = 0
        for _, operator in ContentStream(page.get_contents(), reader).operations:
            name = operator.decode()
            if name not in OPERATORS:
                yield f"6.2.2, 6.2.4: operator {name}"
            depth += {"q": 1, "Q": -1}.get(name, 0)
            if not 0 <= depth <= MOST_NESTED:
                yield "6.1.13: states are nested too deep"


def _of_fonts(reader: PdfReader) -> Iterator[str]:
    for page in reader.pages:
        resources: Any = page["/Resources"]
        fonts, font = resources["/Font"], None
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator == b"Tf":
                font = fonts[operands[0]].get_object()
                yield from _of_font(font)
            elif operator in {b"Tj", b"TJ", b"'"} and font is not None:
                yield from _of_shown(font, operands[0])


def _of_font(font: Any) -> Iterator[str]:
    told = font["/FontDescriptor"]
    if "/FontFile2" not in told:
        yield f"6.2.11.4: {font['/BaseFont']} is not inside"
    # Symbolic: the font's own table says which letter is which, and nothing says otherwise.
    if not told["/Flags"] & 4 or "/Encoding" in font or font["/Subtype"] != "/TrueType":
        yield f"6.2.11.6: {font['/BaseFont']} is not read by its own table"


def _of_shown(font: Any, shown: Any) -> Iterator[str]:
    if "/FontFile2" not in font["/FontDescriptor"]:
        return
    parts = shown if isinstance(shown, ArrayObject) else [shown]
    file = _read(font["/FontDescriptor"]["/FontFile2"].get_data())
    if file.tables_of_letters != 1:
        yield f"6.2.11.6: {font['/BaseFont']} has {file.tables_of_letters} tables"
    for code in b"".join(part.original_bytes for part in parts if hasattr(part, "original_bytes")):
        glyph = file.glyph(code)
        if glyph == 0:
            yield f"6.2.11.8: {code} has no glyph in {font['/BaseFont']}"
        told = float(font["/Widths"][code - font["/FirstChar"]])
        if abs(told - file.width(glyph)) > 1:
            yield f"6.2.11.5: {code} is {told} wide, and {file.width(glyph)} in the font"


@cache
def _read(data: bytes) -> "_Font":
    return _Font(data)


class _Font:
    """Read which letter is which, and how wide, out of a TrueType font."""

    def __init__(self, data: bytes) -> None:
        count = struct.unpack_from(">4xH", data)[0]
        entries = (struct.unpack_from(">4s4xII", data, 12 + 16 * one) for one in range(count))
        self._tables = {name: data[at : at + size] for name, at, size in entries}
        self._metrics = struct.unpack_from(">34xH", self._tables[b"hhea"])[0]
        self._unit: int = struct.unpack_from(">18xH", self._tables[b"head"])[0]
        letters = self._tables[b"cmap"]
        self.tables_of_letters, at = struct.unpack_from(">2xH4xI", letters)
        form, _, _, first, many = struct.unpack_from(">HHHHH", letters, at)
        if form == 0:
            self._glyphs = dict(enumerate(letters[at + 6 : at + 262]))
        else:
            assert form == 6
            glyphs = struct.unpack_from(f">{many}H", letters, at + 10)
            self._glyphs = dict(enumerate(glyphs, first))

    def glyph(self, code: int) -> int:
        return self._glyphs.get(code, 0)

    def width(self, glyph: int) -> float:
        at = 4 * min(glyph, self._metrics - 1)
        advance: int = struct.unpack_from(">H", self._tables[b"hmtx"], at)[0]
        return advance * 1000 / self._unit


def _of_the_metadata(reader: PdfReader) -> Iterator[str]:
    stream: Any = reader.root_object["/Metadata"].get_object()
    text = stream.get_data().decode()
    if (stream.get("/Type"), stream.get("/Subtype")) != ("/Metadata", "/XML"):
        yield "6.6.2.1: the metadata are not named as such"
    if re.match(r"<\?xpacket[^>]*(bytes|encoding)=", text):
        yield "6.6.2.1: the packet tells bytes or an encoding"
    tree = ET.fromstring(text)  # noqa: S314 - of our own making
    said = {one.tag: one.text for one in tree.iter()}
    if (said.get(f"{PDFAID}part"), said.get(f"{PDFAID}conformance")) != ("3", "B"):
        yield "6.6.4: it does not name itself PDF/A-3, level B"
    spaces = [one.text for one in tree.iter(f"{SCHEMA}namespaceURI")]
    known = {f"{{{spaces[0]}}}{one.text}" for one in tree.iter(f"{PROPERTY}name")}
    used = {tag for tag in said if tag.startswith(f"{{{spaces[0]}}}")}
    if not used or not used <= known:
        yield f"6.6.2.3: described nowhere: {used - known}"


def _of_the_embedded(reader: PdfReader) -> Iterator[str]:
    root = reader.root_object
    named = root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", [])
    files = [value.get_object() for name, value in pairwise(named) if isinstance(name, str)]
    associated = [one.get_object() for one in root.get("/AF", [])]
    if not files or any(one not in associated for one in files):
        yield "6.8: an embedded file belongs to nothing"
    for one in files:
        for name in ("/F", "/UF", "/AFRelationship", "/EF"):
            if name not in one:
                yield f"6.8: an embedded file without {name}"
        inside = one["/EF"]["/F"].get_object()
        if "/Subtype" not in inside or "/ModDate" not in inside.get("/Params", {}):
            yield "6.8: an embedded file without its kind or its date"
