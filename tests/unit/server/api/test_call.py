# SPDX-License-Identifier: Apache-2.0
"""A call gives what a method needs, and says by name what is missing or too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_ocr.server.api.call import Call, RejectedError

CALL = Call(application="a", query={"taskid": "x", "empty": ""}, base_url="http://h", image=Path("image"))
BARE = Call(application="a", query={}, base_url="http://h")


def test_what_is_there_is_given_by_its_name_in_any_case() -> None:
    assert (CALL.require("taskId"), CALL.require_image()) == ("x", Path("image"))
    CALL.allow_only("taskId", "Empty")


@pytest.mark.parametrize(("call", "name"), [(CALL, "empty"), (BARE, "taskId")])
def test_what_is_missing_or_empty_is_named(call: Call, name: str) -> None:
    with pytest.raises(RejectedError, match=f"{name}: the parameter is missing"):
        call.require(name)


def test_a_missing_image_is_named() -> None:
    with pytest.raises(RejectedError, match="there is no image in the body"):
        BARE.require_image()


def test_what_a_method_does_not_have_is_named() -> None:
    with pytest.raises(RejectedError, match="empty: the method knows no such parameter"):
        CALL.allow_only("taskId")
