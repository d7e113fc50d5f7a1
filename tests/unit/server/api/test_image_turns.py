# SPDX-License-Identifier: Apache-2.0
"""Requests that open images share some threads, an application has a part of them, and who waits has none."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from functools import partial

from airflow_provider_ocr.server.api.image_turns import ImageTurns


def test_an_application_has_four_threads_and_all_have_twelve() -> None:
    all_begun, go_on, counting = threading.Event(), threading.Event(), threading.Lock()
    running, most = Counter[str](), Counter[str]()

    def work(application: str) -> str:
        with counting:
            running.update((application, "all"))
            for name, count in running.items():
                most[name] = max(most[name], count)
            if running["all"] == 12:
                all_begun.set()
        assert go_on.wait(20)
        with counting:
            running.subtract((application, "all"))
        return application

    async def crowd() -> list[str]:
        turns = ImageTurns()
        names = [f"app {number // 8}" for number in range(40)]
        tasks = [asyncio.create_task(turns.run(name, partial(work, name))) for name in names]
        await asyncio.to_thread(all_begun.wait, 10)
        # Those that wait hold none of the threads that other requests run in.
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"
        await asyncio.sleep(0.1)
        assert running["all"] == 12
        go_on.set()
        assert await asyncio.gather(*tasks) == names
        return names

    asyncio.run(crowd())
    assert most.pop("all") == 12
    assert set(most.values()) <= {1, 2, 3, 4}
    assert max(most.values()) == 4


def test_what_a_function_raises_is_raised_and_its_turn_is_over() -> None:
    async def fail_often() -> int:
        turns = ImageTurns()
        for _ in range(20):
            try:
                await turns.run("app", lambda: 1 // 0)
            except ZeroDivisionError:
                continue
        return await turns.run("app", lambda: 7)

    assert asyncio.run(asyncio.wait_for(fail_often(), 10)) == 7
