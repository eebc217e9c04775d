"""Keeping what this process holds in memory out of core dumps and of other programs' reach.

Rule: called before a passphrase or a key is read. On Linux, programs of the same user can then
neither trace the process nor read its memory or its environment; elsewhere only dumps are off.
"""

import ctypes
import os
import resource
import sys

# From linux/prctl.h.
_PR_SET_DUMPABLE = 4


def forbid_dumps() -> None:
    """Switch core dumps and tracing off for this process; `OSError` when the system refuses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
