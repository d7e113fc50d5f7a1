# SPDX-License-Identifier: Apache-2.0
"""Apache Airflow provider for OCR through the ABBYY Cloud OCR SDK API, and a server that speaks it."""

__version__ = "0.1.0"
