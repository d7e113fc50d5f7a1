# SPDX-License-Identifier: Apache-2.0
"""The server's statistics in the formats that Prometheus reads. Every name begins with ``cloud_ocr_``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.operations.statistics import ApplicationCredits, Statistics


class Metrics(Collector):
    """What a scrape finds, in a registry of its own.

    :param statistics: gives the numbers of the moment; called once for each scrape.
    """

    def __init__(self, statistics: Callable[[], Statistics]) -> None:
        self._statistics = statistics
        # Registering asks for the names once, unless told not to; there may be nothing to ask yet.
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self, accepted: str) -> tuple[bytes, str]:
        """The metrics, and their content type.

        :param accepted: the request's ``Accept`` header.
        """
        encode, content_type = choose_encoder(accepted)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """The metrics of the moment."""
        now = self._statistics()
        info = InfoMetricFamily("cloud_ocr_server", "The server")
        info.add_metric([], {"version": __version__})
        yield info
        yield _gauge(
            "tasks", "Tasks by status", "status", {status: now.tasks.get(status, 0) for status in TaskStatus}
        )
        for name, explanation, value in _single_gauges(now):
            yield GaugeMetricFamily(f"cloud_ocr_{name}", explanation, value)
        yield CounterMetricFamily("cloud_ocr_pages", "Pages recognised since the start", now.pages_total)
        yield CounterMetricFamily(
            "cloud_ocr_tasks_failed", "Tasks that failed since the start", now.failed_total
        )
        yield from _credits(now.applications)


def _single_gauges(now: Statistics) -> Iterable[tuple[str, str, float]]:
    return (
        ("queue_age_seconds", "How long the oldest queued task has waited", now.queued_seconds),
        ("pages_per_minute", "Pages recognised a minute, over the last 5 minutes", now.pages_per_minute),
        ("workers", "Documents that can be recognised at the same time", now.workers),
        ("workers_busy", "Documents that are being recognised", now.busy_workers),
        ("spool_bytes", "What the images of unfinished tasks take", now.spool_bytes),
        ("spool_limit_bytes", "What the images of unfinished tasks may take", now.spool_limit_bytes),
        ("disk_free_bytes", "What is free on the disk of the data folder", now.free_bytes),
        ("disk_bytes", "The size of the disk of the data folder", now.disk_bytes),
    )


def _credits(applications: Iterable[ApplicationCredits]) -> Iterator[Metric]:
    accounts = tuple(applications)
    limited = {account.name: account.credits for account in accounts if account.credits is not None}
    yield _gauge("credits_left", "Credits left, of applications that have a limit", "application", limited)
    reserved = {account.name: account.reserved for account in accounts}
    yield _gauge("credits_reserved", "Credits that unfinished tasks will cost", "application", reserved)
    used = CounterMetricFamily("cloud_ocr_credits_used", "Credits charged so far", labels=["application"])
    for account in accounts:
        used.add_metric([account.name], account.used)
    yield used


def _gauge(name: str, explanation: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(f"cloud_ocr_{name}", explanation, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge
