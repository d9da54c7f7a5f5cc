"""The label in the picture: whether it can be read, and whether it is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthesis.errors import SynthesisError
from synthesis.provenance.label import CORNERS, LEAST_CAPITALS, PLACES, Box, Label
from synthesis.provenance.label.wording import WORDINGS
from tests.synthesis.provenance.conftest import Plane, film, recoded


def grey_planes(
    width: int, height: int, level: int, *, halved: bool = True
) -> tuple[Plane, Plane, Plane]:
    small = ((height + 1) // 2, (width + 1) // 2) if halved else (height, width)
    return (
        np.full((height, width), level, np.uint8),
        np.full(small, 90, np.uint8),
        np.full(small, 160, np.uint8),
    )


SIZES = [(426, 240), (640, 360), (1920, 1080), (1080, 1920), (1920, 804), (3840, 2160)]


def grounds(width: int, height: int) -> list[Plane]:
    """Black, grey, white, noise, and stripes of the width of a letter's stroke."""
    noise = np.random.default_rng(0).integers(16, 236, (height, width), dtype=np.uint8)
    stroke = max(height // 100, 1)
    stripes = 16 + 219 * (np.indices((height, width)).sum(axis=0) // stroke % 2)
    flat = [np.full((height, width), level, np.uint8) for level in (16, 60, 128, 235)]
    return [*flat, noise, stripes.astype(np.uint8)]


def luminance(level: float) -> float:
    """Relative luminance (WCAG 2.2) of a luma level 16..235."""
    light = (level - 16) / 219
    return light / 12.92 if light <= 0.04045 else ((light + 0.055) / 1.055) ** 2.4


def contrast(ink: float, plate: float) -> float:
    return (luminance(ink) + 0.05) / (luminance(plate) + 0.05)


@pytest.mark.parametrize("size", SIZES)
def test_letters_stand_out_seven_to_one_whatever_is_below(
    size: tuple[int, int],
) -> None:
    """Even the darkest core of a letter against the lightest spot of the plate."""
    label = Label(*size)
    for y in grounds(*size):
        label.apply(y, *grey_planes(*size, 0)[1:])
        box = label.box
        inside = y[box.top : box.bottom, box.left : box.right]
        letters, plate = label._ink > 0.999, (label._ink == 0) & (label._keep < 0.21)
        assert letters.sum() > 50
        assert contrast(inside[letters].min(), inside[plate].max()) >= 7


@pytest.mark.parametrize(("transfer", "white_nits"), [("pq", 10_000), ("hlg", 1_000)])
def test_on_hdr_the_ink_is_as_light_as_paper_and_as_clear(
    transfer: str, white_nits: float
) -> None:
    label = Label(640, 360, transfer=transfer)
    for level in (64, 940):
        y = np.full((360, 640), level, np.uint16)
        label.apply(y, *(np.full((180, 320), 512, np.uint16) for _ in range(2)))
        box = label.box
        inside = y[box.top : box.bottom, box.left : box.right]
        ink = nits(transfer, (int(inside[label._ink > 0.999].max()) - 64) / 876)
        plate = inside[(label._ink == 0) & (label._keep < 0.21)].max()
        ground = nits(transfer, (int(plate) - 64) / 876)
        assert 190 <= ink <= 210
        # WCAG's flare term, with 203 cd/m2 as its white.
        assert (ink / 203 + 0.05) / (ground / 203 + 0.05) >= 7


def nits(transfer: str, signal: float) -> float:
    """Light of a signal 0..1 on the display it is made for (ITU-R BT.2100)."""
    if transfer == "pq":
        root = max(signal, 0) ** (1 / 78.84375)
        top, under = max(root - 0.8359375, 0), 18.8515625 - 18.6875 * root
        return float(10_000 * (top / under) ** (1 / 0.1593017578125))
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = signal**2 / 3 if signal <= 0.5 else (np.exp((signal - c) / a) + b) / 12
    return float(1_000 * scene**1.2)


@pytest.mark.parametrize("full_range", [False, True])
def test_ten_bits_look_as_eight_do(full_range: bool) -> None:
    label = Label(640, 360, full_range=full_range)
    unit = 1023 / 255 if full_range else 4.0
    eight = grey_planes(640, 360, 100)
    ten = tuple(np.round(plane * unit).astype(np.uint16) for plane in eight)
    label.apply(*eight)
    label.apply(*ten)
    for small, large in zip(eight, ten, strict=True):
        assert large.dtype == np.uint16
        assert np.abs(large / unit - small).max() <= 1
    assert label.present(ten[0])


@pytest.mark.parametrize("shape", [(180, 320), (360, 320), (360, 640)])
def test_colour_is_taken_out_under_the_label_in_every_layout(
    shape: tuple[int, int],
) -> None:
    """4:2:0, 4:2:2 and 4:4:4."""
    label = Label(640, 360, place="bottom-right")
    y = np.full((360, 640), 100, np.uint8)
    u, v = np.full(shape, 40, np.uint8), np.full(shape, 220, np.uint8)
    label.apply(y, u, v)
    down, across = 360 // shape[0], 640 // shape[1]
    box = label.box
    rows = slice(box.top // down, box.bottom // down)
    columns = slice(box.left // across, box.right // across)
    for plane, before in ((u, 40), (v, 220)):
        assert np.abs(plane[rows, columns].astype(int) - 128).mean() < 25
        plane[rows, columns] = before
        assert (plane == before).all()


def test_nothing_outside_the_box_is_touched() -> None:
    planes = grey_planes(640, 360, 100)
    before = [plane.copy() for plane in planes]
    label = Label(640, 360)
    label.apply(*planes)
    for scale, plane, old in zip((1, 2, 2), planes, before, strict=True):
        changed = plane != old
        box = label.box
        changed[
            box.top // scale : -(-box.bottom // scale),
            box.left // scale : -(-box.right // scale),
        ] = False
        assert not changed.any()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "text", ["MODIFIED", "ИИ", "Made by AI", "ИЗМЕНЕНО ИИ", "ИИ ии"]
)
def test_letters_are_at_least_five_percent_of_the_short_side(
    size: tuple[int, int], text: str
) -> None:
    """GB 45438-2025, in the smallest that is ever drawn."""
    y, u, v = grey_planes(*size, 16)
    Label(*size, text=text, capitals=LEAST_CAPITALS).apply(y, u, v)
    bright_rows = np.flatnonzero((y > 128).any(axis=1))
    assert bright_rows[-1] - bright_rows[0] + 1 >= 0.05 * min(size)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("language", ["en", "de", "tr", "el", "fi"])
@pytest.mark.parametrize("size", SIZES)
def test_every_place_is_inside_the_title_safe_area(
    size: tuple[int, int], language: str, place: str
) -> None:
    box = Label(*size, text=WORDINGS[language], place=place).box
    assert box.left >= round(0.05 * size[0])
    assert box.top >= round(0.05 * size[1])
    assert box.right <= size[0] - round(0.05 * size[0])
    assert box.bottom <= size[1] - round(0.05 * size[1])


def test_the_label_stands_inside_the_picture_between_black_bars() -> None:
    scope = Box(0, 138, 1920, 942)  # 2.39:1 in 16:9
    for place in PLACES:
        box = Label(1920, 1080, place=place, active=scope).box
        assert box.top >= 138 + 40
        assert box.bottom <= 942 - 40


def test_a_wording_too_long_for_the_picture_is_refused_not_shrunk() -> None:
    with pytest.raises(SynthesisError) as refused:
        Label(360, 640, text="KI-KINOPRODUKTIONSGESELLSCHAFTSERZEUGNIS")
    assert refused.value.code == "label-does-not-fit"
    assert "Shorten it" in refused.value.sentence


@pytest.mark.parametrize(
    "size", [(1, 1), (2, 1), (3, 5), (16, 16), (17, 33), (1, 400), (641, 359)]
)
@pytest.mark.parametrize("halved", [True, False])
def test_any_size_and_both_colour_layouts_are_drawn_without_error(
    size: tuple[int, int], halved: bool
) -> None:
    planes = grey_planes(*size, 100, halved=halved)
    for corner in CORNERS:
        Label(*size, place=corner).apply(*planes)


def test_a_full_range_label_uses_darker_and_brighter_levels() -> None:
    narrow, full = grey_planes(640, 360, 100), grey_planes(640, 360, 100)
    Label(640, 360).apply(*narrow)
    Label(640, 360, full_range=True).apply(*full)
    assert full[0].max() > narrow[0].max()
    assert full[0].min() < narrow[0].min()


def test_a_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="another size"):
        Label(640, 360).apply(*grey_planes(320, 180, 100))


@pytest.mark.parametrize("crf", [18, 28, 33])
def test_the_label_is_seen_after_encoding_and_not_where_it_is_not(
    tmp_path: Path, crf: int
) -> None:
    plain = film(5, frames=6)
    labelled = [plane.copy() for plane in plain]
    label = Label(640, 360)
    for y in labelled:
        label.apply(y, *grey_planes(640, 360, 0)[1:])
    assert all(label.present(y) for y in recoded(tmp_path, labelled, crf=crf))
    assert not any(label.present(y) for y in recoded(tmp_path, plain, crf=crf))


def test_other_words_in_the_same_place_are_not_taken_for_the_label() -> None:
    y, u, v = grey_planes(640, 360, 100)
    Label(640, 360, text="HELLO WORLD").apply(y, u, v)
    assert not Label(640, 360).present(y)


def test_noise_and_stripes_are_not_taken_for_the_label() -> None:
    label = Label(640, 360)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 360, 640), dtype=np.uint8)
    assert not any(label.present(y) for y in noise)
    for period in range(2, 40):
        stripes = np.tile(np.arange(640) // period % 2 * 200, (360, 1)).astype(np.uint8)
        assert not label.present(stripes)
        assert not label.present(np.full((360, 640), period * 6, np.uint8))


def test_boxes_that_only_touch_do_not_meet() -> None:
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 20, 10))
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 20, 20))
