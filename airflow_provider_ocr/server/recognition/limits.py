# SPDX-License-Identifier: Apache-2.0
"""The limits of what is read and of the process that reads it, and whether that has come near them.

When an allocation fails, the engine confirms that it has read the page and gives no text, or some. So a page
counts only if the process stayed so far below its limit that no allocation of a page's size can have failed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

MAX_PAGES = 2_000
"""Pages that a document may have."""

SPARE_BYTES = 2**30
"""Address space that must have been left over; a page's largest single allocation is a fraction of it."""

_PR_SET_PDEATHSIG = 1
_NICENESS = 10
_MOST_EXPENDABLE = "1000"


def limit(*, address_space: int, file_bytes: int) -> None:
    """Limit what this process may take.

    :param address_space: bytes; what it uses of them is watched from outside.
    :param file_bytes: size of a file that it writes.
    """
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the document
    with contextlib.suppress(OSError):  # not every kernel lets a process; without it, it may end another
        Path("/proc/self/oom_score_adj").write_text(_MOST_EXPENDABLE, "ascii")


def had_memory_to_spare() -> bool:
    """Whether ``SPARE_BYTES`` of address space were left over at all times since this process began."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return allowed == resource.RLIM_INFINITY or _peak_address_space() + SPARE_BYTES <= allowed


def step_back() -> None:
    """Run at a lower priority from now on, so that requests are answered while pages are recognised."""
    if os.nice(0) < _NICENESS:
        os.nice(_NICENESS - os.nice(0))


def give_back_memory() -> None:
    """Return to the system what is free. By itself the C library keeps what a page took, between what the
    next ones leave, and a process grows with the pages of its documents.
    """
    with contextlib.suppress(AttributeError):  # not every C library has it; others keep less
        ctypes.CDLL(None).malloc_trim(0)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, which may just have happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


def _peak_address_space() -> int:
    for line in Path("/proc/self/status").read_text("ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name == "VmPeak":
            return int(value.split()[0]) * 1024
    raise OSError("/proc/self/status does not tell VmPeak")
