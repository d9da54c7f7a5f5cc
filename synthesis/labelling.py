"""The visible label of one file, from its project's policy and its scene's faces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import filled
from synthesis.media.probe import Probe
from synthesis.models import Dub, LabelPolicy, Scene, Track
from synthesis.provenance.label import FaceBoxes, Schedule, frames_shown, schedule
from synthesis.services.labels import Wording, label_policy, sign_for, wording_for
from synthesis.services.measured import landmarks_open

LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),  # lower edge
    *(409, 270, 269, 267, 0, 37, 39, 40, 185),  # upper edge
)
ROOM = (0.35, 0.35, 0.35, 0.6)
"""Room kept to the left of a mouth, above, to its right and below, in mouth widths:
the new mouth may open wider than the filmed one, and it opens downwards."""


def label_of(dub: Dub, facts: Probe) -> tuple[Schedule, dict[str, Any]]:
    """The labels of the next file of a dub, and the record of them that is kept with
    it. Raises SynthesisError label-*."""
    scene = dub.scene
    policy = label_policy(scene.project)
    wording = wording_for(policy, dub.language)
    shown = schedule(
        sign_for(wording, facts, scene.active_picture),
        frames=frames_shown(
            facts.times_s(),
            opening_s=policy.opening_s,
            breaks=scene.breaks,
            every_s=60 * policy.every_minutes if policy.every_minutes else None,
        ),
        shots=_shots(scene, facts),
        faces=_faces(scene),
        corner=policy.corner or None,  # type: ignore[arg-type]
    )
    return shown, _record(policy, wording, scene, shown)


def face_boxes(landmarks: NDArray[np.floating], first_frame: int) -> FaceBoxes | None:
    """Where a face and its mouth are, from landmarks (n, 468, 3) px, NaN where it was
    not found: there it is taken to be between where it was. None if it never was."""
    if np.isnan(landmarks).all():
        return None
    points = filled(landmarks)[:, :, :2]
    mouth = _around(points[:, LIPS])
    width = (mouth[:, 2] - mouth[:, 0])[:, None]
    room = width * np.array([-ROOM[0], -ROOM[1], ROOM[2], ROOM[3]])
    return FaceBoxes(first_frame, _whole(mouth + room), _whole(_around(points)))


def _around(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, 4): left, top, right, bottom of points (n, k, 2)."""
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(
        np.float64
    )


def _whole(boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.concatenate(
        [np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1
    ).astype(np.int64)


def _shots(scene: Scene, facts: Probe) -> list[tuple[int, int]]:
    rows = list(scene.shots.values_list("first_frame", "end_frame"))
    return rows or [(0, facts.frame_count)]


def _faces(scene: Scene) -> list[FaceBoxes]:
    """Every face of the scene, not only those that speak."""
    found = []
    for track in Track.objects.filter(shot__scene=scene).exclude(landmarks=""):
        with landmarks_open(track) as file:
            boxes = face_boxes(np.load(file, allow_pickle=False), track.first_frame)
        if boxes is not None:
            found.append(boxes)
    return found


def _record(
    policy: LabelPolicy, wording: Wording, scene: Scene, shown: Schedule
) -> dict[str, Any]:
    """unmeasured_faces: numbers of those whose place is not known any more."""
    forgotten = Track.objects.filter(shot__scene=scene, landmarks="")
    return {
        "wording": wording.text,
        "language": wording.language,
        "corner": policy.corner or "free",
        "opening_s": policy.opening_s,
        "every_minutes": policy.every_minutes,
        "breaks": list(scene.breaks),
        "shown": shown.to_json(),
        "unmeasured_faces": list(forgotten.values_list("number", flat=True)),
    }
