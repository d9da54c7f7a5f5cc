"""What synthesis keeps about an actor, for the file that they may take away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from consent.models import Actor, Grant
from consent.receipt import Receipt
from consent.seams import FileReceipt, Kept
from consent.services.export import signed_in_full
from synthesis.models import (
    Adaptation,
    Deliverable,
    FaceConfirmation,
    FaceEnrolment,
    FaceSighting,
    Render,
    Track,
)
from synthesis.services.face_confirmations import title_of
from synthesis.services.receipts import deliverable_receipt_of


def kept_about(actor: Actor) -> list[Kept]:
    """Files, renders, learning, faces, and what the face guard knows, each a list of
    JSON values. The numbers of the face are the actor's too (GDPR, article 15)."""
    return [
        Kept(name="files", rows=_files(actor)),
        Kept(name="renders", rows=_renders(actor)),
        Kept(name="learning", rows=_learning(actor)),
        Kept(name="faces", rows=_faces(actor)),
        Kept(name="face-guard", rows=_compared(actor)),
        Kept(name="face-confirmations", rows=_confirmed(actor)),
        Kept(name="face-numbers", rows=_numbers(actor)),
    ]


def receipts_of(actor: Actor) -> Iterator[FileReceipt]:
    """The receipts of the files the actor is in, with the actor's own consents."""
    for row in _deliverables(actor):
        grants = list(row.render.grants.filter(actor=actor))
        yield FileReceipt(name=f"file-{row.id}", make=_making(row, grants))


def _making(row: Deliverable, grants: list[Grant]) -> Callable[[], Receipt]:
    return lambda: deliverable_receipt_of(row, grants)


def _deliverables(actor: Actor) -> Iterator[Deliverable]:
    rows = Deliverable.objects.filter(render__grants__actor=actor).distinct()
    return rows.select_related("render__dub__scene__project").iterator()


def _about(render: Render) -> dict[str, Any]:
    scene = render.dub.scene
    return {
        "render": render.id,
        "production": scene.project.name,
        "scene": scene.title,
        "scene_sha256": scene.sha256,
        "language": render.dub.language,
        "version": render.version,
        "tier": render.tier,
    }


def _files(actor: Actor) -> Iterator[dict[str, Any]]:
    for row in _deliverables(actor):
        yield _about(row.render) | {
            "file": row.id,
            "sha256": row.sha256,
            "size_bytes": row.size_bytes,
            "frames": row.frame_count,
            "made_at": row.made_at,
            "content_credential": row.manifest_id,
            "invisible_mark": row.mark_id,
        }


def _renders(actor: Actor) -> Iterator[dict[str, Any]]:
    rows = Render.objects.filter(grants__actor=actor).distinct()
    rows = rows.select_related("dub__scene__project", "requested_by")
    for row in rows.order_by("requested_at").iterator():
        yield _about(row) | {
            "state": row.state_words,
            "why": row.error_sentence,
            "asked_for_by": str(row.requested_by),
            "asked_for_at": row.requested_at,
            "ended_at": row.ended_at,
            "settings": row.controls,
        }


def _learning(actor: Actor) -> Iterator[dict[str, Any]]:
    rows = Adaptation.objects.filter(actor=actor)
    for row in rows.select_related("project", "requested_by"):
        yield {
            "id": row.id,
            "production": row.project.name,
            "consent": row.grant_id,
            "state": row.state_words,
            "asked_for_by": str(row.requested_by),
            "asked_for_at": row.requested_at,
            "ended_at": row.ended_at,
            "deleted_at": row.model_deleted_at,
            "scenes": list(row.scenes.values_list("title", flat=True)),
            "footage": list(row.footage.values_list("original_name", flat=True)),
        }


def _faces(actor: Actor) -> Iterator[dict[str, Any]]:
    rows = Track.objects.filter(actor=actor).select_related("shot__scene__project")
    for row in rows.order_by("shot__scene", "number").iterator():
        yield {
            "production": row.shot.scene.project.name,
            "scene": row.shot.scene.title,
            "face_number": row.number,
            "first_frame": row.first_frame,
            "end_frame": row.end_frame,
            "measurements_kept": bool(row.landmarks),
        }


def _compared(actor: Actor) -> Iterator[dict[str, Any]]:
    rows = FaceSighting.objects.filter(actor=actor)
    rows = rows.select_related("project", "track", "said_by")
    for row in rows.iterator():
        yield {
            "id": row.id,
            "production": row.project.name if row.project else "",
            "where": title_of(row),
            "said_by": str(row.said_by),
            "said_at": row.said_at,
            "answer": row.verdict_now.label,
            "why": row.reason,
            "likeness": row.score,
            "compared_with": row.compared_with_id,
            "pictures_kept": bool(row.portraits or row.sheet),
        }


def _confirmed(actor: Actor) -> Iterator[dict[str, Any]]:
    for row in FaceConfirmation.objects.filter(actor=actor).iterator():
        yield signed_in_full(row) | {
            "id": row.id,
            "face_sha256": row.face_sha256,
            "remembers": row.remembers,
        }


def _numbers(actor: Actor) -> Iterator[dict[str, Any]]:
    for row in FaceEnrolment.objects.filter(actor=actor).iterator():
        vectors = np.frombuffer(bytes(row.vectors), "<f4").reshape(row.count, -1)
        yield {
            "id": row.id,
            "consent": row.grant_id,
            "confirmation": row.confirmation_id,
            "measured_by": row.features,
            "measured_by_sha256": row.features_sha256,
            "at": row.made_at,
            "pictures_measured": row.count,
            "numbers": vectors.tolist(),
        }
