"""The sandboxed child's half: somebody's file as an ingredient of ours.

Runs behind media/inside/jail.py. The file may be of any length and made to do harm;
what goes back is as long as its own credential: that, with what the native library
found of it, in the library's archive form (C2PA spec 2.4, ingredients).
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

import c2pa  # Here, not later: once the doors are shut no library can be opened.

from synthesis.errors import MediaRefused
from synthesis.media.wire import Outbox
from synthesis.provenance.native import HEAD_BYTES, media_type_of, settings

_BUFFER = 1 << 20


def answer(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Entry of the sandbox: send the archive of one ingredient.

    arguments: anchors (PEM), and about: what is said of the file, its label in it.
    """
    outbox.raw(archive(source, arguments["anchors"].encode(), arguments["about"]))


def archive(source: BinaryIO, anchors: bytes, about: dict[str, Any]) -> bytes:
    """Return the ingredient's archive. Raises MediaRefused where the file is of no
    kind that can carry a credential, or is broken."""
    kind = media_type_of(source.read(HEAD_BYTES))
    source.seek(0)
    if kind is None:
        raise MediaRefused("wrong-kind", "Files of this kind carry no credential.")
    file = io.BufferedReader(cast(io.RawIOBase, source), _BUFFER)
    context = c2pa.Context.from_dict(settings(anchors))
    archived = io.BytesIO()
    try:
        with c2pa.Builder({"claim_version": 2}, context=context) as builder:
            builder.add_ingredient(about | {"format": kind}, kind, file)
            builder.write_ingredient_archive(about["label"], archived)
    except (c2pa.C2paError, OSError, ValueError) as error:
        raise MediaRefused("media-unreadable", "It cannot be read.") from error
    return archived.getvalue()
