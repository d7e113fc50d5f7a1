# SPDX-License-Identifier: Apache-2.0
"""The metrics say what the statistics say, in a form that Prometheus's own parser reads."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.operations.metrics import Metrics
from airflow_provider_ocr.server.operations.statistics import ApplicationCredits, Statistics

NOW = Statistics(
    tasks={TaskStatus.QUEUED: 12, TaskStatus.COMPLETED: 3456},
    queued_seconds=125.5,
    pages_per_minute=7.25,
    pages_total=98,
    failed_total=3,
    workers=4,
    busy_workers=2,
    spool_bytes=5 * 2**20,
    spool_limit_bytes=20 * 2**30,
    free_bytes=30 * 2**30,
    disk_bytes=100 * 2**30,
    applications=(
        ApplicationCredits(name='quoted "app"\\\n', credits=500, reserved=10, used=90),
        ApplicationCredits(name="unlimited", credits=None, reserved=0, used=5),
    ),
)
EXPECTED = {
    ("cloud_ocr_server_info", (("version", __version__),)): 1,
    ("cloud_ocr_tasks", (("status", "Queued"),)): 12,
    ("cloud_ocr_tasks", (("status", "Completed"),)): 3456,
    ("cloud_ocr_tasks", (("status", "InProgress"),)): 0,
    ("cloud_ocr_queue_age_seconds", ()): 125.5,
    ("cloud_ocr_pages_per_minute", ()): 7.25,
    ("cloud_ocr_pages_total", ()): 98,
    ("cloud_ocr_tasks_failed_total", ()): 3,
    ("cloud_ocr_workers", ()): 4,
    ("cloud_ocr_workers_busy", ()): 2,
    ("cloud_ocr_spool_bytes", ()): 5 * 2**20,
    ("cloud_ocr_spool_limit_bytes", ()): 20 * 2**30,
    ("cloud_ocr_disk_free_bytes", ()): 30 * 2**30,
    ("cloud_ocr_disk_bytes", ()): 100 * 2**30,
    ("cloud_ocr_credits_left", (("application", 'quoted "app"\\\n'),)): 500,
    ("cloud_ocr_credits_reserved", (("application", 'quoted "app"\\\n'),)): 10,
    ("cloud_ocr_credits_reserved", (("application", "unlimited"),)): 0,
    ("cloud_ocr_credits_used_total", (("application", "unlimited"),)): 5,
}


@pytest.mark.parametrize(
    ("accepted", "parse"),
    [
        ("", text_string_to_metric_families),
        ("application/openmetrics-text; version=1.0.0", parse_openmetrics),
    ],
    ids=["text", "OpenMetrics"],
)
def test_prometheus_reads_what_the_statistics_say(accepted: str, parse: object) -> None:
    rendered, content_type = Metrics(lambda: NOW).render(accepted)
    assert ("openmetrics" in content_type) == bool(accepted)
    assert callable(parse)
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse(rendered.decode())
        for sample in family.samples
    }
    assert {key: samples.get(key) for key in EXPECTED} == EXPECTED
    assert ("cloud_ocr_credits_left", (("application", "unlimited"),)) not in samples
    assert samples["process_resident_memory_bytes", ()] > 0
    assert {name.partition("_")[0] for name, _ in samples} == {"cloud", "process"}


def test_each_scrape_asks_once_and_making_them_asks_not_at_all() -> None:
    asked: list[int] = []

    def statistics() -> Statistics:
        asked.append(1)
        return NOW

    metrics = Metrics(statistics)
    assert asked == []
    metrics.render("")
    metrics.render("")
    assert len(asked) == 2
