# SPDX-License-Identifier: Apache-2.0
"""Keeps what a process of many threads has freed in few places, so that it does not grow with its age."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8
_ARENAS = 2


def keep_memory_together() -> bool:
    """Have all threads share two pools of free memory; to be called before there are threads.

    Else glibc gives each thread a pool of its own, and what one thread has freed is no use to the others:
    after ten thousand tasks the server holds a sixth more than after one thousand.

    :returns: whether the C library could be told so; one without such pools needs not.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, _ARENAS) == 1
