# SPDX-License-Identifier: Apache-2.0
"""What is raised when a document cannot be read; the messages are sentences for the person who sent it."""

from __future__ import annotations


class RecognitionError(Exception):
    """A document's own fault."""


class PasswordError(RecognitionError):
    """The document is protected, and there is no password or a wrong one."""


class UnsupportedError(RecognitionError):
    """The document is of no type that is read, or forbids what reading it takes."""


class PageError(RecognitionError):
    """One page's fault; others of the document may be fine.

    :param number: the page, 1 for the first.
    :param message: a sentence that names it.
    """

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


class PageMemoryError(PageError):
    """One page needs more memory than is allowed. The process that tried is not to be trusted any more.

    :param number: the page, 1 for the first.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, f"Page {number} needs more memory than is allowed.")
