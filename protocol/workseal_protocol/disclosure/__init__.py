"""Disclosures: some tiles of a committed frame, and what proves that they are its tiles.

Rules: the reader derives from the header and the list of shown tiles which seeds and hashes must
follow, in which order, and how many pixels; anything else is refused. Only tiles that verified are
ever drawn, and hidden ones are drawn in a pattern of ours. docs/spec/disclosure.md
"""

from workseal_protocol.disclosure.form import (
    MAX_BYTES,
    Disclosure,
    Subtree,
    expected_subtrees,
    told_tiles,
)
from workseal_protocol.disclosure.opening import open_frame
from workseal_protocol.disclosure.picture import HiddenPattern
from workseal_protocol.disclosure.verified import VerifiedTiles, verify_disclosure

__all__ = [
    "MAX_BYTES",
    "Disclosure",
    "HiddenPattern",
    "Subtree",
    "VerifiedTiles",
    "expected_subtrees",
    "open_frame",
    "told_tiles",
    "verify_disclosure",
]
