"""A learned model comes into being: weights, figures and stills, or nothing."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from consent.models import Grant
from consent.services.ledger import ledger_append
from synthesis import house_keys
from synthesis.adapting.work import look
from synthesis.engines.comparison import SHOWN, Comparison
from synthesis.media.probe import sha256_file
from synthesis.models import ActorModel, Adaptation, ModelStill
from synthesis.provenance.label import Label
from synthesis.provenance.mark import Embedder
from synthesis.services.adaptation import models_delete
from synthesis.storage import keep, packed

JPEG_QUALITY = 93

Picture = NDArray[np.uint8]


def model_publish(
    adaptation: Adaptation, facts: dict[str, Any], compared: Comparison, folder: Path
) -> None:
    """Let the model exist, if the consent it stands on still does. The grant is locked
    meanwhile: a withdrawal comes before, or after and deletes it."""
    weights = packed(folder / "run/weights", folder / "model.zip")
    model = ActorModel(
        actor=adaptation.actor,
        grant=adaptation.grant,
        adaptation=adaptation,
        sha256=sha256_file(weights),
        sources=facts["sources"],
        figures={
            "frames": compared.frames,
            "left_out": facts["left_out"],
            **{name: asdict(one) for name, one in compared.figures.items()},
        },
    )
    rows = _stills(model, facts, compared, folder)
    keep(model.file, weights, suffix="zip")
    try:
        with transaction.atomic():
            list(Grant.objects.select_for_update().filter(id=adaptation.grant_id))
            look(adaptation)
            older = ActorModel.objects.filter(
                actor=adaptation.actor, grant__project=adaptation.project
            )
            models_delete(older, why="replaced", acting_user=adaptation.requested_by)
            model.save()
            for still in rows:
                still.model = model
                still.save()
            Adaptation.objects.filter(id=adaptation.id).update(
                state=Adaptation.State.READY, ended_at=timezone.now(), progress={}
            )
            ledger_append(
                kind="model-adapted",
                subject=str(adaptation.id),
                payload={
                    "model_sha256": model.sha256,
                    "grant": str(adaptation.grant_id),
                    "sources": [source["sha256"] for source in model.sources],
                    "marks": sorted(still.mark_id for still in rows if still.mark_id),
                },
                acting_user=adaptation.requested_by,
            )
    except BaseException:
        for made in (model.file, *(still.file for still in rows)):
            made.delete(save=False)
        raise


def _stills(
    model: ActorModel, facts: dict[str, Any], compared: Comparison, folder: Path
) -> list[ModelStill]:
    """The stills, made ones labelled and marked, in storage; rows not saved."""
    rows = []
    first = facts["excerpt"]["first"]
    with np.load(folder / "data" / "excerpt.npz") as arrays:
        times_s = arrays["times_s"]
    for still in compared.stills:
        for kind, picture in still.pictures.items():
            row = ModelStill(
                model=model,
                kind=kind,
                frame=first + still.frame,
                at_s=round(float(times_s[still.frame]), 3),
            )
            if kind != ModelStill.Kind.FILMED:
                mark_id = secrets.token_bytes(8)
                picture, row.mark_id = _marked(picture, mark_id), mark_id.hex()
            path = folder / "still.jpg"
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            path.write_bytes(cv2.imencode(".jpg", bgr, options)[1].tobytes())
            keep(row.file, path, suffix="jpg")
            rows.append(row)
    return rows


def _marked(picture: Picture, mark_id: bytes) -> Picture:
    """The label and the invisible mark on RGB uint8 (H, W, 3)."""
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb), np.uint8)
    luma, red, blue = (np.ascontiguousarray(planes[..., i]) for i in range(3))
    size = (SHOWN.width, SHOWN.height)
    Label(*size, full_range=True).apply(luma, blue, red)
    _, key = house_keys.all_mark_keys()[0]
    Embedder(key, mark_id, *size).apply(luma)
    marked = cv2.cvtColor(np.dstack([luma, red, blue]), cv2.COLOR_YCrCb2RGB)
    return np.asarray(marked, np.uint8)
