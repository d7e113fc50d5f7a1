# SPDX-License-Identifier: Apache-2.0
"""``airflow ocr``: the API's methods and the three phases for people and scripts at a terminal."""
