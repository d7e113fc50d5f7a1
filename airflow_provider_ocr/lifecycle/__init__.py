# SPDX-License-Identifier: Apache-2.0
"""The three phases: submit, wait, land. Given a client, a store and a clock; nothing of Airflow."""
