# SPDX-License-Identifier: Apache-2.0
"""HTTP to a Cloud OCR SDK server, on `requests`. Knows the protocol and nothing of Airflow."""
