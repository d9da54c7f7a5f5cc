"""What is this file? Anyone may ask; the answer names what we can prove, no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from consent.models import Grant
from synthesis import house_keys
from synthesis.errors import MediaRefused
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe
from synthesis.models import Deliverable
from synthesis.provenance import verdict
from synthesis.provenance.container import sha256_as_signed
from synthesis.provenance.fingerprint import Fingerprint, similarity
from synthesis.provenance.mark import Detection, detect
from synthesis.provenance.read import Credential, read_credential

LOOKED_AT_S = 120
"""How much of the picture is searched for a mark; one lies in any two seconds."""


def file_verify(path: Path) -> dict[str, Any]:
    """Read the credential, search the mark, find the deliverable, and say what the file
    is. Never raises for what is in the file; nothing of it is kept.

    Returns JSON values: credential, mark, deliverable, consent, code, verdict.
    """
    credential = read_credential(path, anchors=house_keys.anchors())
    mark, fingerprint = _search_mark(path)
    with path.open("rb") as file:
        sha256, appended = sha256_as_signed(file)
    deliverable = _find(credential, mark, sha256)
    if deliverable is None:
        found = verdict.judge(credential, mark, None, ())
        return verdict.as_json(credential, mark, None, (), found)
    record = verdict.Deliverable(
        str(deliverable.id), deliverable.manifest_id, deliverable.mark_id
    )
    alike = similarity(bytes(deliverable.fingerprint), fingerprint)
    consent = _consent_today(deliverable)
    found = verdict.judge(
        credential,
        mark,
        record,
        consent,
        same_bytes=sha256 == deliverable.sha256 and _is_ours(deliverable, appended),
        similarity=alike,
    )
    return verdict.as_json(credential, mark, record, consent, found)


def _search_mark(path: Path) -> tuple[Detection, bytes]:
    """The mark, and the fingerprint of the pictures looked at to find it."""
    try:
        facts = probe(path)
    except MediaRefused:
        return Detection(found=False), b""
    fingerprint = Fingerprint(facts.rate)
    stop = min(facts.frame_count, int(LOOKED_AT_S * max(facts.rate, Fraction(1))))

    def lumas() -> Iterator[NDArray[np.uint8]]:
        for planes in read_frames(path, facts, 0, stop):
            fingerprint.push(planes.y)
            yield planes.y

    found = detect(lumas(), house_keys.all_mark_keys())
    return found, fingerprint.bytes()


def _find(credential: Credential, mark: Detection, sha256: str) -> Deliverable | None:
    named = Q(sha256=sha256)
    if mark.found:
        named |= Q(mark_id=mark.id)
    if credential.first_id:
        named |= Q(manifest_id=credential.first_id)
    rows = list(Deliverable.objects.filter(named).select_related("render"))
    # The very bytes first; then the mark, which is in the picture itself.
    rows.sort(key=lambda row: (row.sha256 != sha256, row.mark_id != mark.id))
    return rows[0] if rows else None


def _is_ours(deliverable: Deliverable, appended: bytes) -> bool:
    """Whether the file ends as we signed it: no update, or one that we added."""
    updates = deliverable.manifest_updates.values_list("appended", flat=True)
    return not appended or appended in map(bytes, updates)


def _consent_today(deliverable: Deliverable) -> list[verdict.Consent]:
    return [
        verdict.Consent(
            actor=grant.actor.stage_name,
            status=str(grant.status.value),
            since=_withdrawn_on(grant),
        )
        for grant in deliverable.render.grants.select_related("actor")
    ]


def _withdrawn_on(grant: Grant) -> date | None:
    signed_at = grant.revocation.signed_at if grant.revocation else None
    return signed_at.date() if signed_at else None
