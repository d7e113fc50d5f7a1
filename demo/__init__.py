# SPDX-License-Identifier: Apache-2.0
"""The demonstration, and the real things that it and the tests run against: OCR server, scans, Airflow."""
