# SPDX-License-Identifier: Apache-2.0
"""Which tests `make test` runs in one process: those of a file, and all that share the one Airflow."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

SYSTEM = "tests/system/"


class OneAirflow(LoadFileScheduling):  # type: ignore[misc]  # comes without types
    """``--dist loadfile``, but the system tests stay together: an Airflow takes half a minute to start."""

    def _split_scope(self, nodeid: str) -> str:
        return SYSTEM if nodeid.startswith(SYSTEM) else str(super()._split_scope(nodeid))
