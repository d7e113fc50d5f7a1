# SPDX-License-Identifier: Apache-2.0
"""The one error that recognition raises when a document cannot be read."""

from __future__ import annotations


class RecognitionError(Exception):
    """A document's own fault; the message is a sentence for the person who sent it."""
