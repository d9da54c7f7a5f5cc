"""The table of issue 3: what the figures must reach, and whether they do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from synthesis.neural.evaluate import CROSS, OWN

OURS, OURS_TRUE = "lipweb", "lipweb true codes"
PLAIN, PLAIN_TRUE = "lipweb not adapted", "lipweb not adapted, true codes"
RETRIEVAL, RETRIEVAL_TRUE = "retrieval", "retrieval true codes"
UNET, REAL = "unet", "real"
"""Names of the rows."""

Table = Mapping[str, Mapping[str, Mapping[str, float]]]
"""evaluate.summary: sound, row, figure."""


@dataclass(frozen=True)
class Target:
    """One line. least, most: bounds, None where there is none. value NaN: not told."""

    name: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def reached(self) -> bool | str:
        """True, False, or "not measured"."""
        if math.isnan(self.value):
            return "not measured"
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def bound(self) -> str:
        """The bounds in words."""
        if self.most is None:
            return f">= {self.least:g}"
        if self.least is None:
            return f"<= {self.most:g}"
        return f"{self.least:g} to {self.most:g}"


def targets(table: Table, *, adapted: bool) -> list[Target]:
    """Return every line of the issue's table for a summary.

    adapted: whether the actor's own clips were trained on, as its third line asks.
    """

    def own(figure: str, row: str = OURS) -> float:
        return table.get(OWN, {}).get(row, {}).get(figure, math.nan)

    def cross(figure: str, row: str = OURS) -> float:
        return table.get(CROSS, {}).get(row, {}).get(figure, math.nan)

    return [
        *_renderer(own, adapted),
        *_on_both("whole chain: PSNR, dB", own, "psnr", OURS, 32.5),
        *_on_both(
            "whole chain: PSNR of speech frames, dB", own, "psnr_speech", OURS, 32.0
        ),
        *_on_both("whole chain: SSIM", own, "ssim", OURS, 0.92),
        Target(
            "whole chain: PSNR over retrieval, dB",
            own("psnr") - own("psnr", RETRIEVAL),
            0.0,
        ),
        Target(
            "whole chain: PSNR over masked U-Net, dB",
            own("psnr") - own("psnr", UNET),
            0.0,
        ),
        Target(
            "another sound: sync confidence over unmodified video",
            cross("sync_confidence") - cross("sync_confidence", REAL),
            0.0,
        ),
        Target("sharpness against real", own("sharpness"), 0.85, 1.1),
        Target("flicker against real", own("flicker"), 0.85, 1.15),
        Target("mouth opening correlation", own("opening_r"), 0.85),
        Target("second code component R2", own("code2_r2"), 0.5),
        Target("bilabials closed", own("bilabials_closed"), 0.9),
        Target("false closures", own("false_closures"), None, 0.08),
        Target(
            "sync confidence against real",
            own("sync_confidence") / own("sync_confidence", REAL),
            0.85,
        ),
        Target("offset within 1 frame, share of clips", own("in_sync"), 0.9),
        Target("evaluator prefers the new sound, share", cross("prefers_new"), 0.95),
        Target("mouth motion in silence", cross("silence_motion"), None, 1.5),
        Target(
            "samples changed outside the mask",
            own("strayed") + cross("strayed"),
            None,
            0.0,
        ),
        Target("final render, times the clip's length", math.nan, None, 2.0),
        Target("draft render, times the clip's length", math.nan, None, 1.0),
    ]


def _renderer(own: Callable[..., float], adapted: bool) -> list[Target]:
    gain = own("psnr", OURS_TRUE) - own("psnr", RETRIEVAL_TRUE)
    before = own("psnr", PLAIN_TRUE) - own("psnr", RETRIEVAL_TRUE)
    return [
        *_on_both("renderer: PSNR, dB", own, "psnr", OURS_TRUE, 36.0),
        Target("renderer: PSNR over retrieval, dB", gain, 2.5),
        *_on_both("renderer: SSIM", own, "ssim", OURS_TRUE, 0.965),
        Target(
            "talker adapted to: renderer over retrieval, dB",
            gain if adapted else math.nan,
            1.5,
        ),
        Target(
            "the same without adaptation (for comparison), dB",
            before if adapted else math.nan,
            1.5,
        ),
    ]


def _on_both(
    name: str, own: Callable[..., float], figure: str, row: str, least: float
) -> list[Target]:
    """The bound on RESEARCH 1b's box, where it comes from, and on our tighter one."""
    square = figure.replace("_speech", "") + "_square"
    square += "_speech" if figure.endswith("_speech") else ""
    return [
        Target(f"{name} (60 x 60 px box of RESEARCH 1b)", own(square, row), least),
        Target(f"{name} (mouth box .8 x .52 eyes)", own(figure, row), least),
    ]
