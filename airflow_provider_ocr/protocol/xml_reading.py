# SPDX-License-Identifier: Apache-2.0
"""A stranger's XML document, element by element, in bounded time and memory whatever it holds.

No DTD and with it no entity is accepted. Nothing is built of the document as a whole: an element is
handed out when it ends and then forgotten. What the parser itself has to keep (an unfinished tag, names,
open elements) is limited, because a body of a few megabytes could make it keep a hundred times as much.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import errors as expat_errors

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from airflow_provider_ocr.protocol.errors import UnreadableAnswerError

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
MAX_TAG_BYTES = 256 * 1024
MAX_PARTS = 50_000
"""Elements, attributes and namespace declarations together; 1,000 tasks have about 13,000."""
MAX_VALUE_BYTES = 32 * 1024 * 1024
"""What names and values may take in memory, where one odd character makes a whole text four times as big."""
MAX_TEXT_LENGTH = 10_000
"""Characters of one element's text; the rest is left out."""

_PIECE_BYTES = 64 * 1024
# Some servers put blank lines before the declaration.
_BEFORE_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*")
_SAYS_UTF_16 = re.compile(rb"<\?xml[^>]{0,60}encoding\s{0,9}=\s{0,9}[\"']utf-16", re.IGNORECASE)
_BREAKS_OFF = frozenset(
    expat_errors.codes[message]
    for message in (
        expat_errors.XML_ERROR_NO_ELEMENTS,
        expat_errors.XML_ERROR_UNCLOSED_TOKEN,
        expat_errors.XML_ERROR_PARTIAL_CHAR,
        expat_errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


class Element(NamedTuple):
    """One element that has ended.

    :param name: without a namespace.
    :param depth: 1 for the root.
    :param attributes: by their names without namespaces.
    :param text: what it and its children say, if its text was asked for.
    """

    name: str
    depth: int
    attributes: Mapping[str, str]
    text: str


def read_elements(body: bytes, *, root: str, texts: Collection[str] = ()) -> Iterator[Element]:
    """The elements of a document in the order in which they end, so children come before their parent.

    :param body: the document as received, with or without a byte order mark and a declaration.
    :param root: the name that its root has to have, in any namespace.
    :param texts: names of the elements whose text is wanted.
    :raises UnreadableAnswerError: as soon as the document turns out to be another one, to be malformed,
        or to exceed a limit; elements may have come before.
    """
    if len(body) > MAX_BODY_BYTES:
        raise UnreadableAnswerError(f"The answer has {len(body):,} bytes, more than {MAX_BODY_BYTES:,}.")
    blank = _BEFORE_DECLARATION.match(body)
    start = blank.end() if blank else 0
    if start == len(body):
        raise UnreadableAnswerError("The answer is empty.")
    parser = DefusedXMLParser(target=object(), encoding=_proven_encoding(body, start), forbid_dtd=True)
    reading = _Reading(parser.parser, root, texts)
    try:
        for position in range(start, len(body), _PIECE_BYTES):
            parser.feed(memoryview(body)[position : position + _PIECE_BYTES])
            reading.check_progress(min(position + _PIECE_BYTES, len(body)) - start)
            yield from reading.take()
        parser.close()
    except ParseError as error:
        if error.code in _BREAKS_OFF:
            raise UnreadableAnswerError("The answer breaks off before its end.") from None
        raise UnreadableAnswerError(f"The answer is not XML that can be read (code {error.code}).") from None
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableAnswerError(
            f"The answer is not XML that can be read ({type(error).__name__})."
        ) from None
    yield from reading.take()


def local_name(name: str) -> str:
    """A name as the parser gives it, without its namespace.

    :param name: ``{namespace}name``, or the name alone.
    """
    return name.rpartition("}")[2]


@dataclass(slots=True)
class _Reading:
    """What the parser calls, and what that has come to so far.

    :param expat: the parser; the handlers that guard it stay as they are.
    """

    expat: Any
    root: str
    texts: Collection[str]
    ended: list[Element] = field(default_factory=list)
    open: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    parts: int = 0
    value_bytes: int = 0
    text: list[str] = field(default_factory=list)
    text_length: int = 0
    text_depth: int = 0

    def __post_init__(self) -> None:
        self.expat.StartElementHandler = self.start
        self.expat.EndElementHandler = self.end
        self.expat.StartNamespaceDeclHandler = lambda _prefix, uri: self.count(1, (uri or "",))
        # What nobody asked for costs a call for each of its lines.
        self.expat.DefaultHandlerExpand = None
        self.expat.buffer_text = True

    def take(self) -> list[Element]:
        """The elements that have ended since the last call."""
        ended, self.ended = self.ended, []
        return ended

    def check_progress(self, fed: int) -> None:
        """Refuse a tag, comment or instruction that goes on and on: the parser would keep all of it."""
        if fed - self.expat.CurrentByteIndex > MAX_TAG_BYTES + _PIECE_BYTES:
            raise UnreadableAnswerError(f"The answer has a tag of more than {MAX_TAG_BYTES:,} bytes.")

    def count(self, parts: int, texts: Sequence[str]) -> None:
        self.parts += parts
        self.value_bytes += sum(map(getsizeof, texts))
        if self.parts > MAX_PARTS:
            raise UnreadableAnswerError(f"The answer has more than {MAX_PARTS:,} elements and attributes.")
        if self.value_bytes > MAX_VALUE_BYTES:
            raise UnreadableAnswerError(f"The answer's values take more than {MAX_VALUE_BYTES:,} bytes.")

    def start(self, name: str, listed: Sequence[str]) -> None:
        self.count(1 + len(listed) // 2, (name, *listed))
        name = local_name(name)
        if not self.open and name != self.root:
            raise UnreadableAnswerError(f"The answer is a <{name[:40]}> document, not a <{self.root}>.")
        if len(self.open) == MAX_DEPTH:
            raise UnreadableAnswerError(f"The answer nests more than {MAX_DEPTH} elements.")
        self.open.append((name, _by_local_name(listed)))
        if name in self.texts and not self.text_depth:
            self.text_depth = len(self.open)
            self.expat.CharacterDataHandler = self.add_text

    def add_text(self, text: str) -> None:
        # The handler stays, also where the text is full: the parser does not bear to lose it in a call of it.
        self.text.append(text[: MAX_TEXT_LENGTH - self.text_length])
        self.text_length += len(self.text[-1])

    def end(self, _name: str) -> None:
        depth = len(self.open)
        name, attributes = self.open.pop()
        text = ""
        if depth == self.text_depth:
            self.expat.CharacterDataHandler = None
            text = "".join(self.text)
            self.text, self.text_length, self.text_depth = [], 0, 0
        self.ended.append(Element(name, depth, attributes, text))


def _by_local_name(listed: Sequence[str]) -> dict[str, str]:
    if not listed:
        return {}
    pairs = list(zip(listed[::2], listed[1::2], strict=True))
    # A name without a prefix is the API's own, so it comes last and wins.
    found = {local_name(name): value for name, value in pairs if "}" in name}
    found.update((name, value) for name, value in pairs if "}" not in name)
    return found


def _proven_encoding(body: bytes, start: int) -> str | None:
    """The encoding that the first bytes prove, whatever a declaration says; None where it is to decide."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # Declared by programs that made the text in memory; in UTF-16 the declaration itself would be.
    says_utf_16 = _SAYS_UTF_16.match(body, start)
    return "utf-8" if says_utf_16 or body.startswith(b"\xef\xbb\xbf") else None
