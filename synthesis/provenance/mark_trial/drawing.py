"""The table as a picture: a figure in every cell, and a colour beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from synthesis.provenance.mark_trial.marks import OURS
from synthesis.provenance.mark_trial.table import Column, Findings, sentences

ROW_PX, CELL_PX, HEAD_PX, EDGE_PX, LABEL_PX = 27, 84, 64, 24, 232
PAPER, INK, FAINT = "#ffffff", "#16181d", "#5d636e"
ALL, SOME, NONE, NOT_TRIED = "#b9e3c0", "#fbe3a1", "#f4b6ac", "#eef0f3"


def draw(findings: Findings, path: Path) -> None:
    """Write the table and the sentences below it as a PNG."""
    columns = findings.columns()
    attacks = findings.attacks
    rows = [attack for attack in attacks if attack.in_bar]
    past = [attack for attack in attacks if not attack.in_bar]
    width = max(2 * EDGE_PX + LABEL_PX + CELL_PX * len(columns) + 12, 900)
    below = [
        line
        for sentence in sentences(findings)
        for line in textwrap.wrap(sentence, (width - 2 * EDGE_PX) // 7)
    ]
    height = 2 * EDGE_PX + HEAD_PX + ROW_PX * (len(attacks) + bool(past) + 2)
    height += 21 * len(below)
    image = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(image)
    _write(pen, EDGE_PX, EDGE_PX, "The invisible mark after each attack", INK, 20)
    said = "Pieces in which the id was read, of all pieces of that length"
    _write(pen, EDGE_PX, EDGE_PX + 26, said, FAINT, 14)
    y = EDGE_PX + 40
    for place, column in enumerate(columns):
        _head(pen, _left(place, columns), y, column)
    y += HEAD_PX
    for attack in [*rows, None, *past] if past else rows:
        if attack is None:
            _write(pen, EDGE_PX, y + 7, "past the bar", FAINT, 14)
            y += ROW_PX
            continue
        label = f"{attack.name}  ·  {attack.holds_from_s:.0f} s"
        _write(pen, EDGE_PX, y + 5, label, INK, 14)
        for place, column in enumerate(columns):
            count = findings.count(attack.name, column)
            must = attack.in_bar and column.in_bar
            _cell(pen, _left(place, columns), y, count, must=must)
        y += ROW_PX
    y += ROW_PX // 2
    for line in below:
        _write(pen, EDGE_PX, y, line, INK, 14)
        y += 21
    image.save(path)


def _left(place: int, columns: list[Column]) -> int:
    """A gap sets the library apart from ours."""
    ours = sum(column.mark == OURS for column in columns)
    return EDGE_PX + LABEL_PX + place * CELL_PX + (12 if place >= ours else 0)


def _head(pen: ImageDraw.ImageDraw, x: int, y: int, column: Column) -> None:
    free = column.mark == OURS and not column.in_bar
    title = column.title + ("*" if free else "")
    of = f"{column.size[1]} lines" if column.mark == OURS else ", ".join(column.clips)
    words = [*textwrap.wrap(title, 11)[:2], *textwrap.wrap(of, 11)[:1]]
    for row, word in enumerate(words):
        at = y + HEAD_PX - 6 - 18 * (len(words) - row)
        last = row == len(words) - 1
        _write(pen, x + 4, at, word, FAINT if last else INK, 13)


def _cell(
    pen: ImageDraw.ImageDraw,
    x: int,
    y: int,
    count: tuple[int, int] | None,
    *,
    must: bool,
) -> None:
    box = (x + 1, y + 1, x + CELL_PX - 2, y + ROW_PX - 2)
    if count is None:
        pen.rectangle(box, NOT_TRIED)
        return
    found, pieces = count
    colour = ALL if found == pieces else SOME if found else NONE
    pen.rectangle(box, colour)
    words = f"{found}/{pieces}" + (" !" if must and found < pieces else "")
    wide = pen.textlength(words, _font(14))
    _write(pen, round(x + (CELL_PX - wide) / 2), y + 5, words, INK, 14)


def _write(
    pen: ImageDraw.ImageDraw, x: int, y: int, words: str, ink: str, size_px: int
) -> None:
    pen.text((x, y), words, ink, _font(size_px))


def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)
