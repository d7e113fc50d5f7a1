# SPDX-License-Identifier: Apache-2.0
"""The language of the Cloud OCR SDK v1 API: values, settings, tasks, messages. No I/O and no Airflow."""
