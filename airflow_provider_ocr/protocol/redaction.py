# SPDX-License-Identifier: Apache-2.0
"""Words and URLs made fit to be read by everybody: host and path stay, secrets go.

What is doubtful goes as well: a query may hold a token under any name, and nobody can tell. All of it
takes time in proportion to the text, because the text may be a stranger's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

MASK = "***"
LONGEST_QUOTE = 500
"""Characters of other people's words that a message of ours repeats."""

_LONGEST_READ = 20_000

# A mark of a URL as itself, percent-encoded once or several times, or escaped as in JSON.
_SLASH = r"(?:\\{0,4}/|%(?:25)*2f)"
_SEPARATOR = re.compile(rf"((?::|%(?:25)*3a)(?:{_SLASH}){{2,}})", re.IGNORECASE)
# Of a URL that lost a slash or its scheme nobody knows that it leads nowhere: its user is as secret.
_SEPARATOR_OR_LIKE_IT = re.compile(
    rf"{_SEPARATOR.pattern}|(?:(?<=http)|(?<=https)|(?<=ftp))(?::|%(?:25)*3a){_SLASH}"
    rf"|(?<![^=(\[{{,;'])(?:{_SLASH}){{2,}}",
    re.IGNORECASE,
)
# The first slash ends the scheme: a later colon with slashes may be a password's.
_SCHEME_AND_SLASHES = re.compile(r"(?:https?|ftp):[/\\]+|[^/\\]*?:[/\\]{2,}|[/\\]{2,}", re.IGNORECASE)
_SLASHES = re.compile(_SLASH, re.IGNORECASE)
_QUERY = re.compile(r"[?#]|%(?:25)*(?:3f|23)", re.IGNORECASE)
_UP_TO_LAST_AT = re.compile(r"(.*)(?:@|%(?:25)*40)", re.IGNORECASE | re.DOTALL)
_COLON = re.compile(r":|%(?:25)*3a", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)

_PIECE = re.compile(r"""[^\s"<>]+""")
_ANY_QUERY = re.compile(r"""\?[^\s"<>]*""")
_WORDS = re.compile(r"""[^\s"'<>]+""")
_ASSIGNMENT = re.compile(r"(?<![\w.-])([\w.-]+)(?:=|%(?:25)*3d)(?=.)", re.IGNORECASE)

_SIGNATURES = frozenset(
    {"sig", "signature", "x-amz-signature", "x-goog-signature", "x-oss-signature", "q-signature"}
)
# What goes with a signature of S3 and GCS (V4, V2), CloudFront, Azure's shared access signatures, OSS, COS.
_SIGNING = re.compile(
    r"x-(amz|goog|oss)-.*|signature|expires|(aws|oss)accesskeyid|googleaccessid|policy|key-pair-id"
    r"|s[ievprt]|sig|ss|srt|spr|sip|sk(oid|tid|t|e|s|v)"
    r"|security-token|q-(sign-algorithm|ak|sign-time|key-time|header-list|url-param-list|signature)"
)
_SECRET_NAME = re.compile(
    r"sig|pwd|.*(signature|token|secret|password|passwd|passphrase|credential|api[_.-]?key|access-?key).*",
    re.IGNORECASE,
)


def without_queries(text: str) -> str:
    """``text`` without anything that follows a question mark up to the next space or quote.

    :param text: a message, a line of a log.
    """
    return _ANY_QUERY.sub("?...", text)


def without_url_secrets(text: str) -> str:
    """``text`` without the user, the query and the fragment of every URL in it, in whatever spelling.

    What stands behind ``password=``, ``sig=`` and the like goes also where no URL is to be seen.

    :param text: a message, a line of a log.
    """
    return _WORDS.sub(_without_value, _PIECE.sub(lambda piece: "".join(_parts(piece[0])), text))


def quoted(text: str) -> str:
    """Other people's words, fit to stand in a message: one line of bounded length, no secrets of URLs.

    :param text: of any length; control characters become blanks.
    """
    start = text[:_LONGEST_READ]
    if len(text) > len(start):
        # Of a URL that is cut in the middle nobody can tell what is secret.
        start = start.rpartition(" ")[0]
    line = without_url_secrets(" ".join("".join(c if c.isprintable() else " " for c in start).split()))
    is_whole = len(text) <= _LONGEST_READ and len(line) <= LONGEST_QUOTE
    return line if is_whole else f"{line[:LONGEST_QUOTE]}..."


def shown_url(url: str) -> str:
    """A URL as it may be shown: without its user, the names of its parameters without their values.

    :param url: one URL, or whatever was given instead of one; any text will do.
    """
    scheme, address = _split_at_scheme(url)
    visible, fragment_mark, _ = f"{scheme}{_without_user(address, in_doubt=True)}".partition("#")
    head, query_mark, query = visible.partition("?")
    parameters = "&".join(_without_parameter_value(item) for item in query.split("&"))
    fragment = f"#{MASK}" if fragment_mark else ""
    return f"{without_url_secrets(head)}{query_mark}{parameters}{fragment}"


def secrets_of_url(url: str) -> tuple[str, ...]:
    """What in a URL must not be seen, in every spelling that a log may have it in.

    :param url: one URL, or whatever was given instead of one.
    """
    found = _user_in(_split_at_scheme(url)[1], in_doubt=True)
    user = found[1] if found else ""
    # A user without a password is a token.
    secrets = [user, unquote(user).partition(":")[2] or user]
    query = url.partition("?")[2].partition("#")[0]
    for item in query.split("&"):
        name, _, value = item.partition("=")
        if _SECRET_NAME.fullmatch(unquote(name)):
            secrets.append(value)
    return spellings(secrets)


def secrets_of_words(text: str) -> tuple[str, ...]:
    """What `without_url_secrets` takes out of a text, in every spelling that a log may have it in.

    :param text: any words, with URLs among them or without.
    """
    secrets: list[str] = []
    for words in _WORDS.findall(text):
        for spelling in (words, unquote(words)):
            if separator := _SEPARATOR_OR_LIKE_IT.search(spelling):
                secrets += secrets_of_url(f"//{spelling[separator.end() :]}")
            for item in re.split("[?&#;,]", spelling):
                name, _, value = item.partition("=")
                if _SECRET_NAME.fullmatch(name):
                    secrets.append(value)
    return spellings(secrets)


def spellings(secrets: Iterable[str]) -> tuple[str, ...]:
    """Each text as it is, percent-decoded, percent-encoded, and as it stands in JSON; none of them empty.

    :param secrets: the texts.
    """
    found = {
        spelling
        for secret in secrets
        for plain in (secret, unquote(secret), unquote_plus(secret))
        for spelling in (plain, quote(plain, safe=""), quote_plus(plain), json.dumps(plain)[1:-1])
    }
    return tuple(sorted(found - {""}))


def unsigned(query: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters of a URL that say what it leads to, without those that sign it.

    :param query: names and values; they come back in the same order.
    """
    items = list(query)
    signed = is_signed(items)
    return [item for item in items if not (signed and _SIGNING.fullmatch(item[0].lower()))]


def is_signed(query: Iterable[tuple[str, str]]) -> bool:
    """Whether there is a signature among the parameters of a URL.

    :param query: names and values.
    """
    return any(name.lower() in _SIGNATURES for name, _ in query)


def _parts(piece: str) -> Iterator[str]:
    """A piece of text without blanks, every URL in it freed of its secrets."""
    position = 0
    while separator := _SEPARATOR_OR_LIKE_IT.search(piece, position):
        head = piece[position : separator.start()]
        shown = _without_relative_query(head)
        yield shown
        if shown != head:
            return
        end = _end_of_url(piece, head, separator.end())
        yield separator[0]
        yield _without_secrets(piece[separator.end() : end])
        position = end
    yield _without_relative_query(piece[position:])


def _end_of_url(piece: str, head: str, start: int) -> int:
    """A URL in single quotes ends at the next one; to any other a single quote belongs."""
    _, quote_mark, scheme = head.rpartition("'")
    end = piece.find("'", start) if quote_mark and _SCHEME.fullmatch(scheme) else -1
    return len(piece) if end < 0 else end


def _without_secrets(address: str) -> str:
    """What follows ``://``, without users (several URLs may be glued together), query and fragment."""
    address, mark, _ = _split_at_query(_without_user(address))
    first, *others = _SEPARATOR.split(address)
    separators, addresses = others[::2], others[1::2]
    glued = (separator + _without_user(other) for separator, other in zip(separators, addresses, strict=True))
    shown = first + "".join(glued)
    return f"{shown}?..." if mark else shown


def _without_user(address: str, *, in_doubt: bool = False) -> str:
    """What follows ``://``, without user and password."""
    found = _user_in(address, in_doubt=in_doubt)
    return address[found.end() :] if found else address


def _user_in(address: str, *, in_doubt: bool = False) -> re.Match[str] | None:
    """User and password at the beginning of what follows ``://``.

    A password with a raw slash, question mark or hash makes the host seem to end too early, and its own first
    half look like a port.

    :param in_doubt: also take what is more likely a port, and a path with an at sign.
    """
    ends = [mark.start() for mark in (_SLASHES.search(address), _QUERY.search(address)) if mark]
    authority = address[: min(ends, default=len(address))]
    if user := _UP_TO_LAST_AT.match(authority):
        return user
    _, bracket, end = authority.rpartition("]") if authority.startswith("[") else ("", "", authority)
    colon = _COLON.search(end)
    if colon is None:
        return None
    user = _UP_TO_LAST_AT.match(address)
    port = end[colon.end() :]
    if port and not port.isdecimal():
        return user
    is_host = bool(bracket) or ("." in end[: colon.start()])
    return user if user and _is_doubtful(address, user, is_host=is_host, in_doubt=in_doubt) else None


def _is_doubtful(address: str, user: re.Match[str], *, is_host: bool, in_doubt: bool) -> bool:
    """Whether what looks like a port may be a password's first half.

    ``name:2024/x@host.example`` may be anything; ``host.example:80/x@y`` most likely is what it looks like.
    """
    if not is_host:
        return True
    if len(_split_at_query(address)[0]) < user.end():
        return False
    following = _SLASHES.split(address[user.end() :], maxsplit=1)[0]
    return in_doubt or "." in following


def _split_at_scheme(url: str) -> tuple[str, str]:
    found = _SCHEME_AND_SLASHES.match(url)
    return (url[: found.end()], url[found.end() :]) if found else ("", url)


def _split_at_query(text: str) -> tuple[str, str, str]:
    mark = _QUERY.search(text)
    return (text[: mark.start()], mark[0], text[mark.end() :]) if mark else (text, "", "")


def _without_relative_query(text: str) -> str:
    """``/path?query`` and ``?name=value`` without the query; a mere question keeps its mark."""
    head, mark, query = text.partition("?")
    return f"{head}?..." if mark and ("=" in query or ("/" in head and query)) else text


def _without_parameter_value(item: str) -> str:
    name, _, value = item.partition("=")
    # Nothing but padding behind the sign means that the name is a value in Base64.
    return f"{without_url_secrets(name)}={MASK}" if value.strip("=") else (item and MASK)


def _without_value(words: re.Match[str]) -> str:
    """``sig=x&b=y`` without the first secret and all that follows: they stood in one query."""
    for assignment in _ASSIGNMENT.finditer(words[0]):
        if _SECRET_NAME.fullmatch(assignment[1]):
            return f"{words[0][: assignment.end()]}..."
    return words[0]
