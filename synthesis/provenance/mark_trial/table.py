"""What was found, as lines of text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from synthesis.provenance.fingerprint import ALIKE
from synthesis.provenance.mark_trial.attacks import Attack, named
from synthesis.provenance.mark_trial.falsely import FalseFinds
from synthesis.provenance.mark_trial.likeness import Strangers
from synthesis.provenance.mark_trial.marks import HOW_TO_GET_IT, OURS
from synthesis.provenance.mark_trial.speed import SIZE, Speed
from synthesis.provenance.mark_trial.trial import Cell, Delivered, failures

NO_LIBRARY = (
    "No comparison: the package invisible-watermark is not installed here. It is "
    f"wanted for this table only; to have it: {HOW_TO_GET_IT}"
)


@dataclass
class Findings:
    """All that a run found. films: what was attacked, with every mark."""

    films: Sequence[Delivered] = ()
    cells: Sequence[Cell] = ()
    speeds: Sequence[Speed] = ()
    false_finds: FalseFinds | None = None
    strangers: Strangers | None = None
    has_library: bool = False
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def failures(self) -> list[Cell]:
        """Cells of our mark that had to hold and did not."""
        return failures(self.cells, self.films)

    @property
    def tried(self) -> bool:
        """Whether any attack in the bar was made on any film in it."""
        in_bar = any(column.in_bar for column in self.columns())
        return in_bar and any(attack.in_bar for attack in self.attacks)

    @property
    def false_answers(self) -> int:
        """Marks that were taken for proven and were not there, anywhere in the run."""
        looked = self.false_finds.found if self.false_finds else 0
        return looked + sum(cell.false for cell in self.cells)

    def as_json(self) -> dict[str, Any]:
        return {
            "about": self.about,
            "attacks": [_attack_json(one) for one in self.attacks],
            "films": [_film_json(film) for film in self.films],
            "cells": [asdict(cell) for cell in self.cells],
            "failures": [asdict(cell) for cell in self.failures],
            "speeds": [asdict(speed) for speed in self.speeds],
            "false_finds": asdict(self.false_finds) if self.false_finds else None,
            "fingerprint": {
                "alike_from": ALIKE,
                "strangers": asdict(self.strangers) if self.strangers else None,
            },
        }

    @property
    def copies(self) -> list[tuple[float, Cell]]:
        """What the bar is about, by the likeness of fingerprints, the least first."""
        in_bar = {film.clip for film in self.films if film.in_bar}
        barred = {attack.name for attack in self.attacks if attack.in_bar}
        cells = [
            (cell.alike, cell)
            for cell in self.cells
            if cell.alike is not None and cell.clip in in_bar and cell.attack in barred
        ]
        return sorted(cells, key=lambda one: one[0])

    @property
    def attacks(self) -> list[Attack]:
        """The attacks that were made, in their usual order."""
        made = {cell.attack for cell in self.cells}
        return [attack for attack in named([]) if attack.name in made]

    def columns(self) -> list[Column]:
        """Ours, film by film; then each method of the library, its films together."""
        ours = [film for film in self.films if film.mark and film.mark.name == OURS]
        columns = [
            Column(film.clip, OURS, (film.clip,), film.in_bar, film.size)
            for film in ours
        ]
        others = dict.fromkeys(
            film.mark.name for film in self.films if film.mark and film not in ours
        )
        for name in others:
            films = [
                film for film in self.films if film.mark and film.mark.name == name
            ]
            clips = tuple(film.clip for film in films)
            columns.append(Column(name, name, clips, False, films[0].size))
        return columns

    def count(self, attack: str, column: Column) -> tuple[int, int] | None:
        """(pieces read, pieces) of a row and a column; None where none was tried."""
        cells = [
            cell
            for cell in self.cells
            if (cell.attack, cell.mark) == (attack, column.mark)
            and cell.clip in column.clips
        ]
        if not cells:
            return None
        return sum(cell.found for cell in cells), sum(cell.pieces for cell in cells)


@dataclass(frozen=True)
class Column:
    """title: said above it. clips: films whose pieces are added up in it."""

    title: str
    mark: str
    clips: tuple[str, ...]
    in_bar: bool
    size: tuple[int, int]


def _attack_json(attack: Attack) -> dict[str, Any]:
    return {
        "name": attack.name,
        "holds_from_s": attack.holds_from_s,
        "in_bar": attack.in_bar,
    }


def _film_json(film: Delivered) -> dict[str, Any]:
    return {
        "clip": film.clip,
        "mark": film.mark.name if film.mark else None,
        "size": film.size,
        "rate": str(film.rate),
        "in_bar": film.in_bar,
        "psnr_db": round(film.psnr_db, 2),
        "colour_psnr_db": round(film.colour_psnr_db, 2),
    }


def lines(findings: Findings) -> Iterator[str]:
    """The whole answer as text, at most about as wide as there are films."""
    yield from _table(findings)
    yield ""
    yield from sentences(findings)


def _table(findings: Findings) -> Iterator[str]:
    columns = findings.columns()
    attacks = findings.attacks
    widths = [max(len(_heading(column)), 7) for column in columns]
    label = max((len(attack.name) for attack in attacks), default=0) + 2
    heads = [
        _heading(column).rjust(width)
        for column, width in zip(columns, widths, strict=True)
    ]
    yield "Pieces in which the id was read, of all pieces of that length"
    yield ""
    yield "attack".ljust(label) + "from  " + "  ".join(heads)
    for in_bar in (True, False):
        rows = [attack for attack in attacks if attack.in_bar == in_bar]
        if rows and not in_bar:
            yield "past the bar:"
        for attack in rows:
            figures = [
                _figure(findings.count(attack.name, column), attack, column).rjust(wide)
                for column, wide in zip(columns, widths, strict=True)
            ]
            length = f"{attack.holds_from_s:.0f} s".ljust(6)
            yield attack.name.ljust(label) + length + "  ".join(figures)


def _heading(column: Column) -> str:
    free = column.mark == OURS and not column.in_bar
    return column.title + ("*" if free else "")


def _figure(count: tuple[int, int] | None, attack: Attack, column: Column) -> str:
    if count is None:
        return "-"
    missed = attack.in_bar and column.in_bar and count[0] < count[1]
    return f"{count[0]}/{count[1]}" + ("!" if missed else "")


def sentences(findings: Findings) -> Iterator[str]:
    """What the table does not hold: likeness, speed, false finds, the comparison."""
    if any(not column.in_bar for column in findings.columns()):
        yield "* shown to see where the mark ends; the bar is about people."
    marks = dict.fromkeys(film.mark.name for film in findings.films if film.mark)
    for name in marks:
        films = [
            film for film in findings.films if film.mark and film.mark.name == name
        ]
        luma = [film.psnr_db for film in films]
        colour = [film.colour_psnr_db for film in films]
        yield (
            f"{name}: PSNR {_range(luma)} dB of luma, {_range(colour)} dB of colour,"
            " before encoding."
        )
    for speed in findings.speeds:
        yield (
            f"{speed.mark}: {SIZE[1]} lines, one core: writes "
            f"{1000 / speed.write_ms:.0f} frames a second, reads "
            f"{1000 / speed.read_ms:.0f}; {speed.write_ms:.1f} and {speed.read_ms:.1f} "
            f"ms a frame, {speed.write_factor:.2f} and {speed.read_factor:.2f} times a "
            f"fast encode ({speed.encode_ms:.1f} ms)."
        )
    if findings.false_finds:
        looked = findings.false_finds
        yield (
            f"False finds: {looked.found} in {looked.trials} decodes of unmarked film "
            f"and of marked film under other keys ({looked.questions} pairs of piece "
            f"and key, {looked.seconds:.0f} s)."
        )
    yield from _fingerprints(findings)
    if not findings.has_library:
        yield NO_LIBRARY
    yield from _ending(findings)


def _fingerprints(findings: Findings) -> Iterator[str]:
    copies = findings.copies
    if not copies:
        return
    (least, cell), missed = copies[0], sum(alike < ALIKE for alike, _ in copies)
    yield (
        f"Fingerprint, alike from {ALIKE:.2f}: of {len(copies)} attacked pieces "
        f"{missed} are taken for another film (least {least:.2f}: {cell.attack} on "
        f"{cell.clip}; median {copies[len(copies) // 2][0]:.2f})."
    )
    if findings.strangers is None:
        return
    for what, alike in (
        ("other moments of the same film", findings.strangers.moments),
        ("pairs of different films", findings.strangers.films),
    ):
        if alike:
            taken = sum(one >= ALIKE for one in alike)
            yield (
                f"Fingerprint: of {len(alike)} {what} {taken} are taken for copies "
                f"(most {max(alike):.2f}, median {sorted(alike)[len(alike) // 2]:.2f})."
            )


def _ending(findings: Findings) -> Iterator[str]:
    missed = findings.failures
    for cell in missed:
        yield f"MISSED: {cell.attack} on {cell.clip}, {cell.found} of {cell.pieces}."
    if findings.false_answers:
        yield f"FALSE: a mark was found {findings.false_answers} times where it is not."
    if not findings.tried:
        yield "Nothing that the bar is about was tried, so nothing is shown to hold."
    elif not missed and not findings.false_answers:
        yield "Everything in the bar holds."


def _range(figures: Sequence[float]) -> str:
    low, high = min(figures), max(figures)
    return (
        f"{low:.1f}" if low == high or high - low < 0.05 else f"{low:.1f} to {high:.1f}"
    )
