"""What the colours of a PDF mean on any device: the profile that PDF/A asks for.

Rule: the same pages get the same bytes; a profile holds the time at which it was made, so that is
taken out.
"""

import io
from typing import Final

from PIL import ImageCms
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

_NAME: Final = "sRGB IEC61966-2.1"
# Where the header of a profile has its date (ICC.1, 7.2): six numbers of two bytes.
_DATE: Final = slice(24, 36)


def with_profile(pdf: bytes) -> bytes:
    """Say that red, green and blue of a PDF are those of sRGB."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    # The one that PDF/A-3 builds on.
    writer.pdf_header = "%PDF-1.7"
    stream = StreamObject()
    stream.set_data(_profile())
    stream[NameObject("/N")] = NumberObject(3)
    said = {
        "/Type": NameObject("/OutputIntent"),
        "/S": NameObject("/GTS_PDFA1"),
        "/OutputConditionIdentifier": TextStringObject(_NAME),
        "/Info": TextStringObject(_NAME),
        "/DestOutputProfile": writer._add_object(stream.flate_encode()),  # noqa: SLF001 - no public one
    }
    intent = DictionaryObject({NameObject(name): value for name, value in said.items()})
    writer.root_object[NameObject("/OutputIntents")] = ArrayObject([intent])
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _profile() -> bytes:
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[_DATE] = bytes(12)
    return bytes(made)
