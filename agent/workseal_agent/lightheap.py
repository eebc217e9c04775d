"""Memory that is given back, or overwritten, as soon as it is free; for who sees pictures.

Rules: glibc raises the size from which it asks the system for memory of its own to whatever was
freed last, so after one picture of 6 MiB the next ones would stay, with their pixels, in its heap.
Here that size is fixed; what is smaller (a tile, a row of tiles) is overwritten when it is freed;
and threads share two heaps. Another C library is left as it is.
"""

import ctypes

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_PERTURB = -6
_M_ARENA_MAX = -8

_WHOLE_FROM = 128 * 1024
_HEAPS = 2
# Any byte but 0, which would mean that nothing is overwritten.
_OVER = 0x5A


def keep_heap_light() -> bool:
    """Fix the sizes, and overwrite what is freed; tells whether the system's library does it."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    told = (
        mallopt(_M_MMAP_THRESHOLD, _WHOLE_FROM),
        mallopt(_M_TRIM_THRESHOLD, _WHOLE_FROM),
        mallopt(_M_ARENA_MAX, _HEAPS),
        mallopt(_M_PERTURB, _OVER),
    )
    return all(told)
