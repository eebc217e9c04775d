"""Keyed tags of frames: equal outlines have equal tags, and nobody without the key has an outline.

Rules: an outline (64 bits of a perceptual hash) shows what a screen looked like, so it never leaves
by itself: what leaves is a keyed tag of it. A key is drawn for one case and serves for nothing
else. docs/spec/desk.md
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final, Self

from workseal_protocol.digest import DIGEST_BYTES, Digest, Tag
from workseal_protocol.encoding import Fields, Value, decode, encode
from workseal_protocol.errors import MalformedError

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
OUTLINE_BYTES: Final = 8
# As many frames as a bundle has statements at most.
MAX_TAGS: Final = 65_536
MAX_BYTES: Final = MAX_TAGS * 64
_VERSION: Final = 1
_ID_BYTES: Final = 16


def tag_of(key: bytes, outline: bytes) -> bytes:
    """Return the tag of an outline under the key of a case."""
    if len(key) != KEY_BYTES or len(outline) != OUTLINE_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes and an outline {OUTLINE_BYTES}")
    return hmac.digest(key, Tag.OUTLINE + outline, sha256)[:TAG_BYTES]


@dataclass(frozen=True, slots=True)
class TagList:
    """Hold the tags that a freelancer gives for frames of one engagement, by their commitments."""

    engagement: bytes
    tags: Mapping[Digest, bytes]

    def __post_init__(self) -> None:
        if len(self.engagement) != _ID_BYTES:
            raise ValueError(f"an engagement has {_ID_BYTES} bytes")
        if not 1 <= len(self.tags) <= MAX_TAGS:
            raise ValueError(f"a list has 1 to {MAX_TAGS} tags")
        if any(len(tag) != TAG_BYTES for tag in self.tags.values()):
            raise ValueError(f"a tag has {TAG_BYTES} bytes")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a list, or raise `MalformedError`."""
        fields = Fields(decode(data, max_bytes=MAX_BYTES), "tags")
        fields.integer(1, "version", minimum=_VERSION, maximum=_VERSION)
        engagement = fields.octets(2, "engagement", length=_ID_BYTES)
        frames = fields.octets(3, "frames", maximum=MAX_TAGS * DIGEST_BYTES)
        tags = fields.octets(4, "tags", maximum=MAX_TAGS * TAG_BYTES)
        fields.close()
        if len(frames) % DIGEST_BYTES or len(tags) * 2 != len(frames):
            raise MalformedError("tags: expected one tag of 16 bytes for each frame of 32")
        names = [frames[at : at + DIGEST_BYTES] for at in range(0, len(frames), DIGEST_BYTES)]
        if any(one >= other for one, other in pairwise(names)):
            raise MalformedError("tags: the frames do not ascend")
        found = {
            Digest(name): tags[at * TAG_BYTES : (at + 1) * TAG_BYTES]
            for at, name in enumerate(names)
        }
        try:
            return cls(engagement, found)
        except ValueError as error:
            raise MalformedError(f"tags: {error}") from error

    def encode(self) -> bytes:
        """Write the list; `parse` is its inverse."""
        order = sorted(self.tags)
        value: dict[int, Value] = {
            1: _VERSION,
            2: self.engagement,
            3: b"".join(one.raw for one in order),
            4: b"".join(self.tags[one] for one in order),
        }
        return encode(value)
