# SPDX-License-Identifier: Apache-2.0
"""A self-hosted server that speaks the Cloud OCR SDK v1 API and recognises for real.

Knows `protocol` only, and runs where Airflow is not installed.
"""
