"""Damage of every kind, the same each time, and the sandboxed child that reads it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, BinaryIO

from synthesis.media.wire import Outbox
from synthesis.provenance import ingredient_child, read_child

_EXTREMES = [b"\0" * 4, b"\xff" * 4, b"\0\0\0\1", b"\x7f" + b"\xff" * 3, b"\0\0\0\x08"]


def damaged(content: bytes, seed: int) -> bytes:
    """The same bytes with one to four things wrong."""
    random = Random(seed)  # noqa: S311 - the same each time
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(max(1, len(changed)))
        length = random.choice([1, 4, 8, 100, len(changed) // 3])
        match random.randrange(6):
            case 0:
                changed[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                changed[at : at + 4] = random.choice(_EXTREMES)
            case 2:
                del changed[at:]
            case 3:
                del changed[at : at + length]
            case 4:
                changed[at:at] = changed[at : at + length]
            case 5:
                changed[at : at + length] = random.randbytes(length)
    return bytes(changed)


def variants(content: bytes, count: int) -> Iterator[bytes]:
    """So many damaged copies."""
    return (damaged(content, seed) for seed in range(count))


def differs_in_padding_alone(before: bytes, after: bytes) -> bool:
    """Whether nothing differs but zeros that fill a signature's room up, of which a
    manifest says nothing."""
    return len(before) == len(after) and not any(
        before[max(0, at - 16) : at + 16].strip(b"\0")
        for at, (one, other) in enumerate(zip(before, after, strict=True))
        if one != other
    )


def answer(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Entry of a sandbox: read damaged copies of a file as the readers of ours do, and
    send how often each answer was given."""
    content, anchors = source.read(), arguments["anchors"].encode()
    given: Counter[str] = Counter()
    for variant in variants(content, arguments["count"]):
        found = read_child.read(io.BytesIO(variant), anchors, b"")
        given[str(found.get("unreadable") or found["state"])] += 1
        if found.get("state") in ("trusted", "valid"):
            given["forged"] += not differs_in_padding_alone(content, variant)
        try:
            about = {"title": "Scene", "relationship": "parentOf", "label": "scene"}
            ingredient_child.archive(io.BytesIO(variant), anchors, about)
            given["ingredient"] += 1
        except ingredient_child.MediaRefused:
            given["refused"] += 1
    outbox.json(dict(given))
