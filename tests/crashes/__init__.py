# SPDX-License-Identifier: Apache-2.0
"""Kills a server again and again under load, and accounts for all that it had accepted."""
