"""Canonical JSON bytes (RFC 8785), for what consent signs and logs.

Floats are refused: no record needs one, and their printing is where canonical forms
of different makers part.
"""

from __future__ import annotations

import hashlib
import json
from json.encoder import encode_basestring

from consent.errors import RecordRefused

# json escapes strings just as RFC 8785 section 3.2.2.2 asks; called directly, since the
# policy spells a record anew at each question.
_quoted = encode_basestring

# RFC 8785 prints numbers as IEEE 754 doubles: beyond this, integers are not exact.
LARGEST_INTEGER = 2**53 - 1


def canonical_bytes(value: object) -> bytes:
    """Return the one UTF-8 byte string that stands for value.

    value holds str, int, bool, None, list, tuple and dict with string keys, nested.
    Raises RecordRefused for anything else, for integers past 2**53 - 1 and for text
    with lone surrogates.
    """
    try:
        return _text(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise RecordRefused("The record holds text that is not Unicode.") from error


def sha256_hex(content: bytes | str) -> str:
    """Return the SHA-256 of bytes, or of text as UTF-8, in lower-case hex."""
    if isinstance(content, str):
        content = content.encode("utf-8")
    return hashlib.sha256(content).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise RecordRefused("The record holds a number too large to be exact.")
        return str(int(value))
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(_member(value, key) for key in _sorted(value)) + "}"
    raise RecordRefused(f"A record cannot hold a {type(value).__name__}.")


def _member(value: dict[str, object], key: str) -> str:
    return f"{_quoted(key)}:{_text(value[key])}"


def _sorted(value: dict[object, object]) -> list[str]:
    keys = [key for key in value if isinstance(key, str)]
    if len(keys) != len(value):
        raise RecordRefused("A record's field names must be text.")
    # By UTF-16 code units (RFC 8785 section 3.2.3), which is not code point order.
    return sorted(keys, key=lambda key: key.encode("utf-16-be"))
