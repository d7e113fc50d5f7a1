# SPDX-License-Identifier: Apache-2.0
"""Every method is found by its name in any case, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server


@pytest.mark.parametrize(
    "name",
    [
        *("processRemoteImage", "processImage", "submitImage", "processDocument", "getTaskStatus"),
        *("listTasks", "listFinishedTasks", "deleteTask", "getApplicationInfo"),
    ],
)
def test_methods_are_found_in_any_case(name: str, server: Server) -> None:
    assert server.methods.find(name) is not None
    assert server.methods.find(name.upper()) == server.methods.find(name.lower()) == server.methods.find(name)


@pytest.mark.parametrize("name", ["", "process", "getTaskStatus ", "__init__", "find"])
def test_what_is_no_method_is_not_found(name: str, server: Server) -> None:
    assert server.methods.find(name) is None


def test_only_two_methods_take_an_image(server: Server) -> None:
    names = ("processRemoteImage", "processImage", "submitImage", "processDocument", "getTaskStatus")
    methods = {name: server.methods.find(name) for name in names}
    assert {name for name, method in methods.items() if method and method.takes_image} == {
        "processImage",
        "submitImage",
    }
