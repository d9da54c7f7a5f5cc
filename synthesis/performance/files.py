"""A performance as files that animation tools read: JSON, CSV, GLB."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.lipcode import LipCode
from synthesis.performance import arkit, visemes
from synthesis.performance.glb import performance_glb
from synthesis.performance.take import Performance

ARKIT_NOTE = (
    "Computed from the shape of lips and jaw. Eyes, brows, cheeks, nose, tongue and the"
    " jaw's depth are not known and stay 0. Pressed and rolled lips (mouthClose,"
    " mouthPress, mouthRoll) are faint in the landmarks: take them as hints."
)
DIGITS = 5

Write = Callable[[Sequence[Performance], LipCode, Mapping[str, Any]], bytes]


def arkit_json(
    performances: Sequence[Performance], lip_code: LipCode, about: Mapping[str, Any]
) -> bytes:
    """Return UTF-8 JSON: about, the 52 names, and rows of 52 values 0..1 a track."""
    document = {
        **about,
        "note": ARKIT_NOTE,
        "names": arkit.NAMES,
        "tracks": [
            {
                "shot": take.shot,
                "face": take.face,
                "frames": [
                    {"frame": frame, "timecode": label, "values": values}
                    for frame, label, values in _rows(take, _curves(take, lip_code))
                ],
            }
            for take in performances
        ],
    }
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()


def arkit_csv(
    performances: Sequence[Performance], lip_code: LipCode, about: Mapping[str, Any]
) -> bytes:
    """Return CSV: lines of remarks (#), the header, one line a frame."""
    table = [(take, _curves(take, lip_code)) for take in performances]
    return _csv(table, arkit.NAMES, {**about, "note": ARKIT_NOTE})


def ovr_csv(
    performances: Sequence[Performance], lip_code: LipCode, about: Mapping[str, Any]
) -> bytes:
    """Return CSV of the 15 visemes' weights, one line a frame; its remarks say what
    lips cannot tell."""
    table = [
        (take, visemes.ovr_visemes(take.motion(lip_code))) for take in performances
    ]
    return _csv(table, visemes.NAMES, {**about, "note": visemes.NOTE})


FORMATS: dict[str, tuple[Write, str, str]] = {
    "arkit-json": (arkit_json, "json", "ARKit curves, JSON"),
    "arkit-csv": (arkit_csv, "csv", "ARKit curves, CSV"),
    "ovr-csv": (ovr_csv, "csv", "OVR visemes, CSV"),
    "glb": (performance_glb, "glb", "Animated face, GLB"),
}
"""Name -> (writer, suffix of the file, what people call it)."""


def _curves(take: Performance, lip_code: LipCode) -> NDArray[np.float64]:
    return arkit.arkit_curves(take.motion(lip_code))


def _rows(
    take: Performance, values: NDArray[np.float64]
) -> list[tuple[int, str, list[float]]]:
    rounded = values.round(DIGITS).tolist()
    frames = range(take.first_frame, take.first_frame + len(rounded))
    return list(zip(frames, take.timecodes, rounded, strict=True))


def _csv(
    table: Sequence[tuple[Performance, NDArray[np.float64]]],
    names: Sequence[str],
    about: Mapping[str, Any],
) -> bytes:
    text = io.StringIO()
    for key, value in about.items():
        text.write(f"# {key}: {value}\r\n")
    lines = csv.writer(text)
    lines.writerow(["shot", "face", "frame", "timecode", *names])
    for take, values in table:
        for frame, label, row in _rows(take, values):
            lines.writerow([take.shot, take.face, frame, label, *row])
    return text.getvalue().encode()
