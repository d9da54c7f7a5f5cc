"""Base64 with one spelling for each byte string: what is not spelt so is refused.

Decoders usually forgive loose bits and padding; a signed bundle must not, or a changed
letter in it would go unnoticed."""

from __future__ import annotations

import base64
import binascii

from consent.errors import RecordRefused


def base64_text(content: bytes) -> str:
    """Return content in base64 (RFC 4648 section 4)."""
    return base64.b64encode(content).decode("ascii")


def base64_bytes(text: str) -> bytes:
    """Return what base64_text wrote; RecordRefused for any other spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise RecordRefused("This is not base64.") from error
    if base64_text(content) != text:
        raise RecordRefused("This is not base64 in its one spelling.")
    return content
