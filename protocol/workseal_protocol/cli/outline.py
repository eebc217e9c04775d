"""The outline of a frame: 64 bits of a perceptual hash, for keyed tags alone.

Rules: an outline never leaves this machine by itself, is written nowhere and stands in no error. No
decoder is involved: the pixels are those of verified tiles, of a size that their header bounds.
"""

from workseal_protocol.cli.problem import CommandError

_SIDE = 8


def outline(width: int, height: int, pixels: bytes) -> bytes:
    """Reduce RGB pixels to the signs of 64 differences of brightness (dHash, 8 by 8)."""
    try:
        import imagehash  # noqa: PLC0415 - heavy, and only those who compare tags need it
        from PIL import Image  # noqa: PLC0415 - comes with imagehash
    except ImportError as error:
        raise CommandError(
            "comparing tags needs the desk extra: pip install 'workseal[desk]'"
        ) from error
    picture = Image.frombytes("RGB", (width, height), pixels)
    return bytes.fromhex(str(imagehash.dhash(picture, hash_size=_SIDE)))
