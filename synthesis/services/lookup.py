"""From an invisible mark to the manifest of the file it was put in, for anyone.

Only of files that were released: what is still in the house has no public manifest.
No person is named in a manifest, but its thumbnail shows a face: the whole store is
handed out only while consent stands. After that, its active manifest alone says that
the file was ours and what became of the consent.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Final

from django.db.models import Q, QuerySet

from consent.errors import ConsentDenied
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable, ManifestUpdate
from synthesis.provenance.mark import ALGORITHM
from synthesis.provenance.store import active_manifest
from synthesis.provenance.verdict import Code
from synthesis.services.consents import render_verify
from synthesis.services.verification import file_verify

ALGORITHMS: Final = (ALGORITHM,)
RECOGNISED: Final = (Code.UNCHANGED, Code.CHANGED, Code.STRIPPED, Code.RELABELLED)
"""What a file's look-up answers to; never to a mark pasted on another picture."""
_MARK_ID = re.compile(r"[0-9a-f]{16}")
_LONGEST_VALUE = 64
SEEK_S: Final = 30.0
"""How long a video is searched for its mark while its sender waits."""


def binding_resolve(*, algorithm: str, value: str) -> list[str]:
    """Return the ids of the manifests, none or one, that a soft binding leads to.

    value: the mark's 16 hex digits as they stand in the soft-binding assertion, or
    those in base64. Raises SynthesisError: unknown-algorithm, bad-binding."""
    _require_known(algorithm)
    rows = _released().filter(mark_id=_mark_id(value))
    return list(rows.values_list("manifest_id", flat=True))


def content_resolve(*, path: Path, algorithm: str = "") -> list[str]:
    """Return the ids of the manifests, none or one, of the file that a video was made
    from. Nothing of it is kept. Raises SynthesisError: unknown-algorithm."""
    if algorithm:
        _require_known(algorithm)
    found = file_verify(path, seek_s=SEEK_S)
    if Code(found["code"]) not in RECOGNISED:
        return []
    rows = _released().filter(id=found["deliverable"])
    return list(rows.values_list("manifest_id", flat=True))


def manifest_store(*, manifest_id: str, only_active: bool = False) -> bytes:
    """Return the newest manifest store (application/c2pa) of the released file that
    any of whose manifests has the id: the first one, or an update.

    Only the active manifest of it where that is asked for, or consent does not stand
    today. Raises SynthesisError `no-such-manifest`."""
    update = ManifestUpdate.objects.filter(manifest_id=manifest_id)
    named = Q(manifest_id=manifest_id) | Q(id__in=update.values("deliverable"))
    # PostgreSQL refuses a NUL in any text it is asked for.
    rows = (
        _released().filter(named) if manifest_id.isprintable() else _released().none()
    )
    deliverable = rows.first()
    newest = deliverable.manifest_updates.last() if deliverable else None
    if deliverable is None or newest is None:
        raise SynthesisError(
            "no-such-manifest", "No manifest with this id is known here."
        )
    return store_shown(deliverable, bytes(newest.store), only_active=only_active)


def store_shown(
    deliverable: Deliverable, store: bytes, *, only_active: bool = False
) -> bytes:
    """The whole store where consent stands today, else its active manifest alone."""
    try:
        render_verify(deliverable.render, output_sha256=deliverable.sha256)
    except (ConsentDenied, SynthesisError):
        only_active = True
    return active_manifest(store) if only_active else store


def _released() -> QuerySet[Deliverable]:
    published = ManifestUpdate.objects.filter(what=ManifestUpdate.What.PUBLISHED)
    return Deliverable.objects.filter(id__in=published.values("deliverable"))


def _require_known(algorithm: str) -> None:
    if algorithm not in ALGORITHMS:
        raise SynthesisError(
            "unknown-algorithm",
            "This soft binding algorithm is not read here. Those that are stand at"
            " services/supportedAlgorithms.",
        )


def _mark_id(value: str) -> str:
    text = value
    if len(value) <= _LONGEST_VALUE and not _MARK_ID.fullmatch(value):
        try:
            text = base64.b64decode(value, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            text = ""
    if not _MARK_ID.fullmatch(text):
        raise SynthesisError(
            "bad-binding",
            "The value is not a mark: 16 lower-case hexadecimal digits, as they stand"
            " in the soft-binding assertion, or those in base64.",
        )
    return text
