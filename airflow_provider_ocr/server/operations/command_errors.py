# SPDX-License-Identifier: Apache-2.0
"""Why ``cloud-ocr-server`` does not do what it was told, in a sentence for whoever typed it."""

from __future__ import annotations


class UsageError(Exception):
    """The command line or the environment says something that cannot be meant; the exit status is 2."""


class CommandError(Exception):
    """The command was understood and could not be carried out; the exit status is 1."""
