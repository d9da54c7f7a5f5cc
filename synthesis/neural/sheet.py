"""The picture sheet: what the figures say, to be seen with one's own eyes.

For some clips: a row a contender, columns through the time of speech, the mouth
enlarged; under them the opening of every contender's mouth as a curve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.neural import masks, targets
from synthesis.neural.evaluate import CROSS, JUDGED, OWN, Result, Seen

COLUMNS = 8
ENLARGED = 2.5
VIEW = (-0.52, 0.56, 0.52, 1.40)
"""The part of a crop that is shown, on the canonical face: nose base to chin."""
LABEL_PX, GAP_PX, HEAD_PX, CURVES_PX = 210, 4, 52, 130
TALKING = 0.12
"""Share of the range of openings above which a mouth is talking."""
PAPER, INK, FAINT = (250, 250, 250), (30, 30, 30), (205, 205, 205)
COLOURS = {
    targets.REAL: (30, 30, 30),
    targets.OURS: (214, 39, 40),
    targets.OURS_TRUE: (245, 150, 130),
    targets.PLAIN: (200, 120, 0),
    targets.PLAIN_TRUE: (235, 190, 100),
    targets.RETRIEVAL: (31, 119, 180),
    targets.RETRIEVAL_TRUE: (140, 190, 230),
    targets.UNET: (44, 140, 44),
}
"""Of each row's curve, on every page the same."""


@dataclass(frozen=True)
class Page:
    """One clip under one sound. rows: label -> what was seen, the real one first."""

    title: str
    rows: Mapping[str, Seen]
    frames: Sequence[int]
    times_s: NDArray[np.float64]
    notes: Mapping[str, str]
    """Label -> a figure or two."""
    asked: NDArray[np.float64] | None = None
    """Opening of the mouth that spoke the other sound, where it is known."""


def pages(results: Sequence[Result], times_s: NDArray[np.float64]) -> list[Page]:
    """Return a clip's pages, own sound first, from its results with what was seen.

    The first row of each shall be the unmodified video's.
    """
    made = []
    for heard in (OWN, CROSS):
        rows = [r for r in results if r.heard == heard and r.seen is not None]
        if not rows:
            continue
        openings = rows[0].seen.openings if rows[0].seen else np.zeros(0)
        said = rows[0].said if heard == CROSS else None
        if said is not None:
            openings = np.asarray(said.real, np.float64)
        title = f"{rows[0].clip}, {heard}"
        title += f" ({rows[0].sound})" if heard == CROSS else ""
        made.append(
            Page(
                title,
                {r.row: r.seen for r in rows if r.seen is not None},
                spread_frames(openings),
                times_s,
                {r.row: _note(r) for r in rows},
                openings if said is not None else None,
            )
        )
    return made


def spread_frames(openings: NDArray[np.float64]) -> list[int]:
    """Return COLUMNS frame numbers, ascending, through the talking.

    Evenly from the first to the last talking frame, every second one moved to the
    most open frame nearby.
    """
    talking = np.flatnonzero(
        openings > openings.min() + TALKING * max(float(np.ptp(openings)), 1e-6)
    )
    first, last = (talking[0], talking[-1]) if len(talking) else (0, len(openings) - 1)
    marks = np.linspace(first, last, COLUMNS).round().astype(int)
    # Less than half a column's way, or two columns could show one frame.
    reach = int(max(0, last - first) // (2 * COLUMNS))
    chosen = []
    for number, at in enumerate(marks.tolist()):
        near = np.arange(max(first, at - reach), min(last, at + reach) + 1)
        chosen.append(int(near[openings[near].argmax()]) if number % 2 else at)
    return chosen


def draw_sheet(every: Sequence[Page]) -> NDArray[np.uint8]:
    """Return RGB uint8 (H, W, 3): every page under the one before."""
    parts = [_page(page) for page in every]
    width = max((p.shape[1] for p in parts), default=400)
    padded = [_padded(p, width) for p in parts]
    return np.concatenate(padded) if padded else _blank(HEAD_PX, width)


def _page(page: Page) -> NDArray[np.uint8]:
    left, top, right, bottom = masks.box_px(VIEW, JUDGED)
    width, height = (round(s * ENLARGED) for s in (right - left, bottom - top))
    across = LABEL_PX + COLUMNS * (width + GAP_PX)
    head = _blank(HEAD_PX, across)
    _write(head, page.title, (8, 20), 0.55, thick=2)
    for column, frame in enumerate(page.frames):
        x = LABEL_PX + column * (width + GAP_PX)
        at_s = page.times_s[min(frame, len(page.times_s) - 1)]
        _write(head, f"{at_s:.2f} s", (x + 4, HEAD_PX - 8), 0.4)
    strips = [head]
    for label, seen in page.rows.items():
        strip = _blank(height + GAP_PX, across)
        colour = COLOURS.get(label, FAINT)
        cv2.rectangle(strip, (0, 0), (5, height), colour, -1)
        _write(strip, label, (12, 22), 0.45)
        for line, note in enumerate(page.notes.get(label, "").split("\n")):
            _write(strip, note, (12, 46 + 19 * line), 0.4, colour=(90, 90, 90))
        for column, frame in enumerate(page.frames):
            view = seen.crops[min(frame, len(seen.crops) - 1), top:bottom, left:right]
            large = cv2.resize(view, (width, height), interpolation=cv2.INTER_CUBIC)
            x = LABEL_PX + column * (width + GAP_PX)
            strip[:height, x : x + width] = large
        strips.append(strip)
    return np.concatenate([*strips, _curves(page, across)])


def _curves(page: Page, across: int) -> NDArray[np.uint8]:
    """Opening over time, every row's; grey lines where the columns above stand."""
    chart = _blank(CURVES_PX + 2 * GAP_PX, across)
    _write(chart, "mouth opening", (12, 22), 0.45)
    _write(chart, "in eye distances", (12, 40), 0.4, colour=(90, 90, 90))
    curves = [(seen.openings, label) for label, seen in page.rows.items()]
    most = max(float(c.max()) for c, _ in curves)
    if page.asked is not None:
        most = max(most, float(page.asked.max()))
        _write(chart, "dashes: the mouth that", (12, 64), 0.4, colour=(90, 90, 90))
        _write(chart, "spoke the new sound", (12, 82), 0.4, colour=(90, 90, 90))
    count = len(curves[0][0])
    x = np.linspace(LABEL_PX, across - 8, count)
    for frame in page.frames:
        at = round(float(x[min(frame, count - 1)]))
        cv2.line(chart, (at, 4), (at, CURVES_PX), FAINT, 1)
    _write(chart, f"{most:.2f}", (LABEL_PX - 40, 14), 0.38)
    _write(chart, "0", (LABEL_PX - 14, CURVES_PX), 0.38)

    def line(values: NDArray[np.float64]) -> NDArray[np.int32]:
        y = CURVES_PX - 4 - values / max(most, 1e-6) * (CURVES_PX - 12)
        return np.round(np.stack([x[: len(y)], y], 1)).astype(np.int32)

    if page.asked is not None:
        points = line(page.asked)
        for a, b in zip(points[:-1:2], points[1::2], strict=False):
            cv2.line(chart, a.tolist(), b.tolist(), INK, 2, cv2.LINE_AA)
    # The real mouth last: over the others.
    for values, label in reversed(curves):
        colour = COLOURS.get(label, FAINT)
        thick = 2 if label in (targets.REAL, targets.OURS) else 1
        cv2.polylines(chart, [line(values)], False, colour, thick, cv2.LINE_AA)
    return chart


def _note(result: Result) -> str:
    found = result.figures
    if result.heard == OWN:
        parts = [("PSNR {:.1f} dB", "psnr"), ("sharp {:.2f}", "sharpness")]
        parts += [("opening r {:.2f}", "opening_r")]
    else:
        parts = [("r to this sound {:.2f}", "opening_r")]
        parts += [("r to the old {:.2f}", "opening_r_old"), ("seam {:.2f}", "seam")]
    return "\n".join(
        text.format(found[name])
        for text, name in parts
        if name in found and not np.isnan(found[name])
    )


def _write(
    picture: NDArray[np.uint8],
    text: str,
    at: tuple[int, int],
    size: float,
    *,
    colour: tuple[int, int, int] = INK,
    thick: int = 1,
) -> None:
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, text, at, font, size, colour, thick, cv2.LINE_AA)


def _blank(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), PAPER, np.uint8)


def _padded(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    side = _blank(picture.shape[0], width - picture.shape[1])
    return np.concatenate([picture, side], axis=1)
