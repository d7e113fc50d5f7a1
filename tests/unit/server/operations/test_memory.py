# SPDX-License-Identifier: Apache-2.0
"""However many threads there are, there are two pools of free memory."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

# Threads that all hold memory of the C library at the same time, and what it then tells of its pools.
POOLS = """
import ctypes, sys, threading
from airflow_provider_ocr.server.operations.memory import keep_memory_together

libc = ctypes.CDLL(None)
if sys.argv[1] == "together":
    assert keep_memory_together()
all_have_some = threading.Barrier(8)

def hold():
    held = [bytearray(5_000) for _ in range(100)]
    all_have_some.wait()

threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.fopen.restype = ctypes.c_void_p
told = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, ctypes.c_void_p(told))
libc.fclose(ctypes.c_void_p(told))
"""


def pools(how: str, folder: Path) -> int:
    report = folder / "malloc.xml"
    subprocess.run([sys.executable, "-c", POOLS, how, str(report)], check=True, timeout=30)
    return report.read_text().count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="only glibc has such pools")
def test_all_threads_share_two_pools(tmp_path: Path) -> None:
    assert pools("apart", tmp_path) > 2
    assert pools("together", tmp_path) <= 2
