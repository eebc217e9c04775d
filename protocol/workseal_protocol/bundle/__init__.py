"""The bundle: everything that offline verification needs, as one deterministic ZIP file.

Rules: `Bundle.parse` accepts exactly the bytes that `Bundle.encode` writes; the manifest is signed
and names every other entry, so no byte of the file can change unseen. docs/spec/bundle.md
"""

from workseal_protocol.bundle.archive import MAX_ENTRIES, read_archive, write_archive
from workseal_protocol.bundle.contents import (
    MAX_BUNDLE_BYTES,
    MAX_CHECKPOINTS,
    MAX_PIXEL_BYTES,
    MAX_STATEMENTS,
    Contents,
    FrameDisclosure,
)
from workseal_protocol.bundle.readme import README
from workseal_protocol.bundle.sealed import MANIFEST_ENTRY, README_ENTRY, Bundle, seal_bundle

__all__ = [
    "MANIFEST_ENTRY",
    "MAX_BUNDLE_BYTES",
    "MAX_CHECKPOINTS",
    "MAX_ENTRIES",
    "MAX_PIXEL_BYTES",
    "MAX_STATEMENTS",
    "README",
    "README_ENTRY",
    "Bundle",
    "Contents",
    "FrameDisclosure",
    "read_archive",
    "seal_bundle",
    "write_archive",
]
