"""What is this file? Anyone may ask; the answer names what we can prove, no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from consent.models import Grant
from synthesis import house_keys
from synthesis.errors import MediaRefused
from synthesis.media.glance import Glance, glance
from synthesis.media.sandbox import Caps
from synthesis.models import Deliverable
from synthesis.provenance import verdict
from synthesis.provenance.container import sha256_as_signed
from synthesis.provenance.fingerprint import Fingerprint, similarity
from synthesis.provenance.mark import Detection, detect
from synthesis.provenance.native import media_type
from synthesis.provenance.read import Credential, read_credential

SEEK_S = 180.0
"""How long a file's picture is searched for a mark, at most; one lies in any two
seconds of it. What was not looked at is said."""
_READING = Caps(cpu_s=1_200, stall_s=30.0, wall_s=600.0)
_TOLD_EVERY_S = 0.5
_NOTHING_MOVES = ("no-picture", "text-file", "playlist", "file-empty")
"""Refusals of what is whole, and no film."""

Step = Literal["credential", "mark", "record"]
Report = Callable[[Step, float | None], None]
"""Told what is done now, and the share of it that is done, 0..1 or None."""


def unreported(step: Step, share: float | None) -> None:
    """For callers that do not wait for it."""


def file_verify(
    path: Path, *, report: Report = unreported, seek_s: float = SEEK_S
) -> dict[str, Any]:
    """Read the credential, search the mark, find the deliverable, and say what the file
    is. Never raises for what is in the file; nothing of it is kept.

    seek_s: longest time that the mark is searched for. Memory stays constant.
    Returns JSON values: credential, mark, looked, deliverable, consent, code, verdict.
    """
    report("credential", None)
    credential = read_credential(
        path, anchors=house_keys.anchors(), time_anchors=house_keys.time_anchors()
    )
    with path.open("rb") as file:
        sha256, appended = sha256_as_signed(file)
    mark, fingerprint, looked = _search_mark(path, report, seek_s)
    report("record", None)
    deliverable = _find(credential, mark, sha256)
    if deliverable is None:
        found = verdict.judge(credential, mark, None, (), looked=looked)
        return verdict.as_json(credential, mark, None, (), found)
    watched = deliverable.playable
    # The copy that reviewers watch is ours as much as what it was made from.
    known = watched if watched.sha256 == sha256 else deliverable
    record = verdict.Deliverable(
        str(deliverable.id), known.manifest_id, deliverable.mark_id
    )
    consent = _consent_today(deliverable)
    found = verdict.judge(
        credential,
        mark,
        record,
        consent,
        looked=looked,
        same_bytes=sha256 == known.sha256 and _is_ours(deliverable, appended),
        similarity=similarity(bytes(deliverable.fingerprint), fingerprint),
    )
    return verdict.as_json(credential, mark, record, consent, found)


def _search_mark(
    path: Path, report: Report, seek_s: float
) -> tuple[Detection, bytes, verdict.Looked]:
    """The mark, the fingerprint of the pictures looked at, and how far that was."""
    report("mark", None)
    nothing = Detection(found=False), b""
    if (media_type(path) or "").startswith("image/"):
        return *nothing, verdict.Looked(verdict.Seen.NO_PICTURE)
    try:
        with glance(path, caps=_READING) as seen:
            fingerprint = Fingerprint(seen.rate)
            search = _Search(seen, fingerprint, report, seek_s)
            found = detect(search.lumas(), house_keys.all_mark_keys())
            return found, fingerprint.bytes(), search.looked()
    except MediaRefused as refused:
        still = refused.code in _NOTHING_MOVES
        seen_of_it = verdict.Seen.NO_PICTURE if still else verdict.Seen.NOTHING
        return *nothing, verdict.Looked(seen_of_it)


class _Search:
    """A look through a film that ends in time, and says how far it came."""

    def __init__(
        self, seen: Glance, fingerprint: Fingerprint, report: Report, seek_s: float
    ) -> None:
        self._seen, self._fingerprint, self._report = seen, fingerprint, report
        self._seek_s = seek_s
        self._is_whole = False

    def lumas(self) -> Iterator[NDArray[np.uint8]]:
        """The film's planes until it ends or breaks off, or the time is over."""
        began = told = time.monotonic()
        try:
            for luma in self._seen.lumas():
                self._fingerprint.push(luma)
                yield luma
                now = time.monotonic()
                if now - began > self._seek_s:
                    return
                if now - told > _TOLD_EVERY_S:
                    told = now
                    self._report("mark", self._share(now - began))
        except MediaRefused:
            if self._seen.reached_s == 0.0:
                raise
            return  # What was read of it counts.
        self._is_whole = True

    def _share(self, passed_s: float) -> float:
        """Of the way to whichever end comes first."""
        of_film = self._seen.reached_s / (self._seen.length_s or float("inf"))
        return min(1.0, max(of_film, passed_s / self._seek_s))

    def looked(self) -> verdict.Looked:
        """How far it was looked; a mark that was found ends it early."""
        seen = verdict.Seen.ALL if self._is_whole else verdict.Seen.PART
        return verdict.Looked(seen, self._seen.reached_s, self._seen.length_s)


def _find(credential: Credential, mark: Detection, sha256: str) -> Deliverable | None:
    named = Q(sha256=sha256) | Q(viewing_copy__sha256=sha256)
    if mark.found:
        named |= Q(mark_id=mark.id)
    if credential.first_id:
        named |= Q(manifest_id=credential.first_id)
        named |= Q(viewing_copy__manifest_id=credential.first_id)
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
