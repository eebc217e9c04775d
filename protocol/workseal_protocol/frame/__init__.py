"""Frames: pixels cut into salted tiles under one Merkle root, so that any part can be shown later.

Rules: pixels are 8-bit RGB, row-major, after the privacy mask. Edge tiles are smaller, never
padded. The seed is random for each frame, as confidential as its pixels, and never derived from
anything that outlives it. docs/spec/frames.md
"""

from workseal_protocol.frame.grid import (
    CHANNELS,
    MAX_PIXELS,
    MAX_SIDE,
    MAX_TILES,
    TILE_SIZES,
    Box,
    Grid,
    cut_rows,
)
from workseal_protocol.frame.header import HEADER_BYTES, MAX_ROUND, NONCE_BYTES, FrameHeader
from workseal_protocol.frame.seeds import SEED_BYTES, child_seeds, expand_seed
from workseal_protocol.frame.tree import FrameTree, commit_frame, frame_commitment, leaf_hashes

__all__ = [
    "CHANNELS",
    "HEADER_BYTES",
    "MAX_PIXELS",
    "MAX_ROUND",
    "MAX_SIDE",
    "MAX_TILES",
    "NONCE_BYTES",
    "SEED_BYTES",
    "TILE_SIZES",
    "Box",
    "FrameHeader",
    "FrameTree",
    "Grid",
    "child_seeds",
    "commit_frame",
    "cut_rows",
    "expand_seed",
    "frame_commitment",
    "leaf_hashes",
]
