"""How the C library keeps the memory that the service frees."""

from __future__ import annotations

import contextlib
import ctypes

_M_ARENA_MAX = -8  # of <malloc.h>


def share_one_heap() -> None:
    """Have all threads take memory from one heap. To be called before there are any; does nothing but in glibc.

    Else each has a heap of its own, and keeps what the largest job took that ever ran in it.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
