# SPDX-License-Identifier: Apache-2.0
"""``recognition.child`` with faults on given pages, for tests of what becomes of them.

Its first argument is a JSON file, page number to fault; one that is called "... once" strikes one time, and
then the file has it no more. The other arguments are the child's own.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_provider_ocr.server.recognition import child, child_jobs


def hold_memory() -> None:
    """Hold more and more memory, up to a gigabyte."""
    held = [os.urandom(1) * 2**24 for _ in range(64)]
    time.sleep(600)
    raise AssertionError(len(held))


def tighten() -> None:
    """Let the engine have hardly any memory: it may then give no text, or some, and say that all is well."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + random.randrange(2**23)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def lose_its_head() -> None:
    """Fail as a library does that nobody has seen fail."""
    raise RuntimeError("/a/path/of/the/server")


def say_nonsense() -> None:
    """Answer what is no event, on every stream that could be the parent's."""
    for descriptor in range(3, 10):
        try:
            os.write(descriptor, b'{"event": "page", "page": 0, "pages": "many"}\n')
        except OSError:
            continue
    time.sleep(600)


FAULTS: dict[str, Callable[[], None]] = {
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "hang": lambda: time.sleep(600),
    "memory": hold_memory,
    "tight": tighten,
    "error": lose_its_head,
    "nonsense": say_nonsense,
}


def strike(file: Path, number: int) -> None:
    """Have the fault of a page, if it has one."""
    faults = json.loads(file.read_text())
    name, _, once = faults.get(str(number), "").partition(" ")
    if once:
        file.write_text(json.dumps({page: fault for page, fault in faults.items() if page != str(number)}))
    if name:
        FAULTS[name]()


def main() -> int:
    """Run the child, its faults before the pages that have them."""
    file, recognise_page = Path(sys.argv[1]), child_jobs.recognise_page

    def struck(source: Any, *arguments: Any, **options: Any) -> Any:
        strike(file, source.number)
        return recognise_page(source, *arguments, **options)

    child_jobs.recognise_page = struck
    return child.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
