"""What an evaluation found: a table to read, JSON to keep, a sheet to look at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from synthesis.media.aside import written_aside
from synthesis.neural.evaluate import Result
from synthesis.neural.sheet import Page, draw_sheet
from synthesis.neural.targets import Table, targets

FIGURES = {
    "psnr": "PSNR dB, mouth box .8 x .52 eyes",
    "psnr_speech": "  the same, speech frames",
    "psnr_square": "PSNR dB, 60 x 60 px of RESEARCH 1b",
    "psnr_square_speech": "  the same, speech frames",
    "ssim": "SSIM, mouth box",
    "ssim_speech": "  the same, speech frames",
    "ssim_square": "SSIM, 60 x 60 px of RESEARCH 1b",
    "lmd": "LMD, % of eye distance",
    "lmd_speech": "  the same, speech frames",
    "sharpness": "sharpness against real",
    "flicker": "flicker against real, still head",
    "seam": "gradient across the seam / real",
    "identity": "likeness of the mouth region",
    "identity_outside": "likeness outside it",
    "opening_r": "mouth opening r to this sound's",
    "opening_r_least": "  least of a clip",
    "opening_r_speech": "  from the first word to the last",
    "opening_r_old": "mouth opening r to the old sound's",
    "opening_spread": "spread of opening / real",
    "code1_r2": "code 1 R2 (opening)",
    "code2_r2": "code 2 R2 (rounding)",
    "code3_r2": "code 3 R2",
    "bilabials_closed": "bilabials closed",
    "bilabials_closed_real": "  in the real video",
    "bilabials": "  how many were spoken",
    "false_closures": "false closures",
    "silence_motion": "motion in silence / real at rest",
    "sync_confidence": "sync confidence",
    "sync_offset": "sync offset, frames",
    "in_sync": "within 1 frame, share of clips",
    "prefers_new": "evaluator prefers new sound, share",
    "agreement_gain": "  by so much",
    "strayed": "samples changed off the mask",
    "clips": "clips",
}
"""Every figure, in the order of the table."""
WIDE, NARROW = 37, 11


def as_text(table: Table, *, adapted: bool) -> str:
    """Return the tables of both sounds and the lines of the issue's own table."""
    lines = []
    for heard, rows in table.items():
        if not rows:
            continue
        lines += ["", heard.upper(), *_heads(list(rows))]
        for name, label in FIGURES.items():
            values = [row.get(name, math.nan) for row in rows.values()]
            if not all(map(math.isnan, values)):
                cells = "".join(f"{_number(v):>{NARROW}}" for v in values)
                lines.append(f"{label:<{WIDE}}{cells}")
    lines += ["", "TARGETS"]
    for target in targets(table, adapted=adapted):
        word = target.reached
        if not isinstance(word, str):
            word = "reached" if word else "NOT reached"
        value = _number(target.value)
        lines.append(f"{target.name:<58}{value:>9}  {target.bound:<14}{word}")
    return "\n".join(lines)


def as_json(
    results: Sequence[Result],
    table: Table,
    about: Mapping[str, Any],
    *,
    adapted: bool,
) -> bytes:
    """Return everything as JSON; what could not be told is null."""
    content = {
        "about": dict(about),
        "legend": FIGURES,
        "targets": [
            {
                "name": t.name,
                "value": t.value,
                "at_least": t.least,
                "at_most": t.most,
                "reached": t.reached,
            }
            for t in targets(table, adapted=adapted)
        ],
        "mean": table,
        "clips": [
            {
                "clip": r.clip,
                "talker": r.talker,
                "row": r.row,
                "heard": r.heard,
                "sound": r.sound,
                **r.figures,
            }
            for r in results
        ],
    }
    return (json.dumps(_without_nan(content), indent=1) + "\n").encode()


def as_png(pages: Sequence[Page]) -> bytes:
    """Return the picture sheet as PNG."""
    picture = cv2.cvtColor(draw_sheet(pages), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", picture)[1].tobytes()


def write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all. Raises OutputFailed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as out:
        out.write(content)


def _heads(names: list[str]) -> list[str]:
    """Spread row names over as many lines as the longest has words."""
    words = [name.replace(",", "").split() for name in names]
    depth = max(map(len, words))
    return [
        " " * WIDE + "".join(f"{(w[k] if k < len(w) else ''):>{NARROW}}" for w in words)
        for k in range(depth)
    ]


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if value == round(value) else f"{value:.3f}"


def _without_nan(content: Any) -> Any:
    """Return content with null for NaN and numbers as JSON has them."""
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_nan(value) for value in content]
    if isinstance(content, float):
        return None if not math.isfinite(content) else round(content, 5)
    return content
