"""The invisible mark on real pictures, through a real encoder."""

from __future__ import annotations

import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from synthesis.errors import SynthesisError
from synthesis.provenance.label import Label
from synthesis.provenance.mark import Embedder, capacity_ok, detect
from synthesis.provenance.mark.lattice import flatten, to_canvas
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    MARK_KEY,
    Plane,
    film,
    recoded,
)

KEYS = [("first", MARK_KEY)]
SHARED = Path(
    os.environ.get("LIPWEB_SHARED", Path(__file__).resolve().parents[4] / "shared")
)


def marked(lumas: list[Plane], mark_id: bytes = MARK_ID) -> list[Plane]:
    height, width = lumas[0].shape
    embedder = Embedder(MARK_KEY, mark_id, width, height)
    copies = [luma.copy() for luma in lumas]
    for copy in copies:
        embedder.apply(copy)
    return copies


def psnr(one: Plane, other: Plane) -> float:
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / error))


def resized(lumas: list[Plane], factor: float) -> list[Plane]:
    how = cv2.INTER_AREA
    return [cv2.resize(y, None, fx=factor, fy=factor, interpolation=how) for y in lumas]


def cropped(lumas: list[Plane], share: float) -> list[Plane]:
    height, width = lumas[0].shape
    down, across = round(height * share / 2), round(width * share / 2)
    return [y[down : height - down, across : width - across].copy() for y in lumas]


@pytest.fixture(scope="module")
def plain() -> list[Plane]:
    return film(7)


@pytest.fixture(scope="module")
def with_mark(plain: list[Plane]) -> list[Plane]:
    return marked(plain)


def test_the_mark_gives_back_its_id_and_the_name_of_its_key(
    with_mark: list[Plane],
) -> None:
    found = detect(with_mark, [("new", b"n" * 32), ("old", MARK_KEY)])
    assert found.found
    assert found.id == MARK_ID.hex()
    assert found.key_id == "old"
    assert found.confidence > 0.9
    assert found.windows == 1


def test_the_mark_keeps_46_db_of_luma(
    plain: list[Plane], with_mark: list[Plane]
) -> None:
    assert min(map(psnr, plain, with_mark)) >= 46.0


def test_an_unmarked_film_has_no_mark(plain: list[Plane]) -> None:
    found = detect(plain, KEYS)
    assert not found.found
    assert found.id is None
    assert found.key_id is None
    assert found.confidence == 0.0


def test_another_key_finds_nothing(with_mark: list[Plane]) -> None:
    assert not detect(with_mark, [("other", b"o" * 32)]).found


def test_no_frames_and_no_keys_are_answered(with_mark: list[Plane]) -> None:
    assert not detect([], KEYS).found
    assert not detect(with_mark[:3], []).found


@pytest.mark.parametrize("level", [0, 16, 128, 235, 255])
def test_even_a_single_grey_is_no_trouble(level: int) -> None:
    flat = [np.full((360, 640), level, np.uint8)] * 12
    assert not detect(flat, KEYS).found
    again = marked(flat)
    assert detect(again, KEYS).found or level in (0, 255)


def test_flattening_black_gives_no_nan() -> None:
    black = np.zeros((360, 640), np.uint8)
    black[100:130, 200:260] = 255
    flat, spread = flatten(to_canvas(black))
    assert np.isfinite(flat).all()
    assert np.isfinite(spread).all()


def test_marking_touches_only_the_given_frame_and_needs_its_size(
    plain: list[Plane],
) -> None:
    embedder = Embedder(MARK_KEY, MARK_ID, 640, 360)
    with pytest.raises(ValueError, match="expects"):
        embedder.apply(plain[0][:100])


def test_two_runs_write_the_same_bytes(plain: list[Plane]) -> None:
    for one, other in zip(marked(plain[:3]), marked(plain[:3]), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (640, 120), (1000, 200)])
def test_a_picture_too_small_or_too_long_is_refused_in_words(
    size: tuple[int, int],
) -> None:
    assert not capacity_ok(*size)
    with pytest.raises(SynthesisError) as refusal:
        Embedder(MARK_KEY, MARK_ID, *size)
    assert refusal.value.code == "picture-too-small-for-mark"
    assert f"{size[0]}x{size[1]}" in refusal.value.sentence


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (33, 17), (500, 20)])
def test_reading_a_tiny_picture_finds_nothing_and_does_not_fail(
    size: tuple[int, int],
) -> None:
    width, height = size
    assert not detect(film(3, width=width, height=height, frames=12), KEYS).found


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Embedder(b"short", MARK_ID, 640, 360)


@pytest.mark.parametrize("size", [(361, 287), (359, 641), (426, 240)])
def test_odd_and_upright_sizes_carry_the_mark(size: tuple[int, int]) -> None:
    lumas = marked(film(4, width=size[0], height=size[1], frames=15))
    assert detect(lumas, KEYS).id == MARK_ID.hex()


def test_a_film_that_changes_size_half_way_is_read(with_mark: list[Plane]) -> None:
    lumas = film(9, width=320, height=240, frames=20) + with_mark
    assert detect(lumas, KEYS).id == MARK_ID.hex()


@pytest.mark.slow
@pytest.mark.parametrize("crf", [18, 23, 28])
def test_the_mark_survives_the_encoder(
    tmp_path: Path, with_mark: list[Plane], crf: int
) -> None:
    assert detect(recoded(tmp_path, with_mark, crf=crf), KEYS).id == MARK_ID.hex()


@pytest.mark.slow
def test_the_mark_survives_a_second_encode(
    tmp_path: Path, with_mark: list[Plane]
) -> None:
    once = recoded(tmp_path, with_mark, crf=23)
    assert detect(recoded(tmp_path, once, crf=28), KEYS).id == MARK_ID.hex()


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.75, 1.5])
def test_the_mark_survives_scaling(
    tmp_path: Path, with_mark: list[Plane], factor: float
) -> None:
    once = recoded(tmp_path, with_mark, crf=20)
    again = recoded(tmp_path, resized(once, factor), crf=23)
    found = detect(again, KEYS)
    assert found.id == MARK_ID.hex()
    assert found.uncropped


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.2])
def test_the_mark_survives_cropping(
    tmp_path: Path, with_mark: list[Plane], share: float
) -> None:
    once = recoded(tmp_path, with_mark, crf=20)
    again = recoded(tmp_path, cropped(once, share), crf=23)
    found = detect(again, KEYS)
    assert found.id == MARK_ID.hex()
    assert not found.uncropped


@pytest.mark.slow
def test_at_720p_the_mark_survives_halving(tmp_path: Path) -> None:
    lumas = marked(film(8, width=1280, height=720))
    once = recoded(tmp_path, lumas, crf=28)
    again = recoded(tmp_path, resized(once, 0.5), crf=23)
    assert detect(again, KEYS).id == MARK_ID.hex()


@pytest.mark.slow
def test_a_deep_search_finds_a_mirrored_and_turned_film(
    with_mark: list[Plane],
) -> None:
    turn = cv2.getRotationMatrix2D((320, 180), 1.0, 1.0)
    turned = [cv2.warpAffine(y, turn, (640, 360))[20:-20, 30:-30] for y in with_mark]
    mirrored = [y[:, ::-1].copy() for y in with_mark]
    assert detect(turned, KEYS, deep=True).id == MARK_ID.hex()
    assert detect(mirrored, KEYS, deep=True).id == MARK_ID.hex()


def test_the_label_and_the_mark_live_on_one_picture(plain: list[Plane]) -> None:
    label = Label(640, 360)
    lumas = [luma.copy() for luma in plain[:25]]
    grey = np.full((180, 320), 128, np.uint8)
    for luma in lumas:
        label.apply(luma, grey.copy(), grey.copy())
    for luma in (both := marked(lumas)):
        assert label.present(luma)
    assert detect(both, KEYS).id == MARK_ID.hex()


@pytest.mark.slow
def test_real_footage_keeps_the_mark_and_unmarked_footage_has_none(
    tmp_path: Path,
) -> None:
    clip = SHARED / "data" / "demo" / "robin.mp4"
    if not clip.exists():
        pytest.skip("the shared demo footage is not here")
    with av.open(str(clip)) as container:
        frames = [f.to_ndarray()[: f.height].copy() for f in container.decode(video=0)]
    frames = frames[:50]
    assert not detect(frames, KEYS).found
    assert detect(recoded(tmp_path, marked(frames), crf=28), KEYS).id == MARK_ID.hex()
