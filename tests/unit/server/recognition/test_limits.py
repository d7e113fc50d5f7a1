# SPDX-License-Identifier: Apache-2.0
"""A process knows whether it came near its limits."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import mmap, os, resource, sys
from airflow_provider_ocr.server.recognition.limits import *
limit(address_space=3 * 2**30, file_bytes=1000)
taken = mmap.mmap(-1, int(sys.argv[1]))
taken.close()
print(had_memory_to_spare())
step_back()
step_back()
print(os.nice(0), resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE))
print(open("/proc/self/oom_score_adj").read().strip())
"""


@pytest.mark.parametrize(("taken", "spare"), [(2**20, "True"), (2**31 + 2**29, "False")])
def test_address_space_that_was_taken_counts_even_after_it_was_given_back(taken: int, spare: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(taken)], capture_output=True, text=True, check=True
    )
    told = ended.stdout.splitlines()
    assert told[0] == spare
    assert told[1] == f"{max(10, os.nice(0))} (0, 0) (1000, 1000)"
    assert told[2] == "1000"


HEAP = """
from pathlib import Path
from airflow_provider_ocr.server.recognition.limits import give_back_memory
def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))
pieces = [b"x" * (100_000 + number) for number in range(500)]
kept = pieces[-1]  # at the end of the heap, so that the C library gives nothing back by itself
del pieces
before = held()
give_back_memory()
print(before - held() > 40_000)
"""


def test_what_a_page_took_is_given_back() -> None:
    ended = subprocess.run([sys.executable, "-c", HEAP], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "True"
