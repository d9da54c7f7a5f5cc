"""The invisible mark on real pictures, through a real encoder."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from synthesis.errors import SynthesisError
from synthesis.provenance.label import Label
from synthesis.provenance.mark import Detection, Embedder, capacity_ok, detect
from synthesis.provenance.mark.detection import decode_waves
from synthesis.provenance.mark.lattice import (
    CARRIERS,
    flatten,
    lattice_for,
    to_canvas,
)
from synthesis.provenance.mark_trial.attacks import ATTACKS
from synthesis.provenance.mark_trial.pictures import grey
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


def test_a_plane_of_other_numbers_is_refused(plain: list[Plane]) -> None:
    embedder = Embedder(MARK_KEY, MARK_ID, 640, 360)
    with pytest.raises(ValueError, match="uint8 or uint16"):
        embedder.apply(plain[0].astype(np.float32))


def test_ten_bits_carry_the_same_mark(plain: list[Plane]) -> None:
    embedder = Embedder(MARK_KEY, MARK_ID, 640, 360)
    wide = [4 * luma.astype(np.uint16) + 1 for luma in plain[:15]]
    wide[0][:40, :40], wide[0][:40, 40:80] = 1023, 0
    copies = [luma.copy() for luma in wide]
    for copy in copies:
        embedder.apply(copy)
    assert copies[0].max() <= 1023
    error = np.mean(
        [np.mean((a / 4 - b / 4) ** 2) for a, b in zip(wide, copies, strict=True)]
    )
    assert 46.0 <= 10 * np.log10(255**2 / error) <= 50.0
    eight = [(copy >> 2).astype(np.uint8) for copy in copies]
    assert detect(eight, KEYS).id == MARK_ID.hex()


def test_ten_bits_take_steps_finer_than_eight(plain: list[Plane]) -> None:
    wide = 4 * plain[0].astype(np.uint16)
    embedder = Embedder(MARK_KEY, MARK_ID, 640, 360)
    embedder.apply(wide)
    assert set(np.unique(wide % 4)) == {0, 1, 2, 3}


def test_a_mark_is_found_under_any_of_the_keys_there_have_been(
    with_mark: list[Plane],
) -> None:
    others = [(f"year {n}", bytes([n]) * 32) for n in range(1, 5)]
    for place in (0, 2, 4):
        keys = [*others[:place], ("ours", MARK_KEY), *others[place:]]
        cut = [luma[20:-20, 40:-20] for luma in with_mark]
        assert detect(with_mark, keys).key_id == "ours"
        assert detect(cut, keys).key_id == "ours"


def test_thirty_strange_keys_find_nothing_in_marked_or_unmarked_film(
    plain: list[Plane], with_mark: list[Plane]
) -> None:
    strange = [(str(n), bytes([n]) * 16) for n in range(100, 130)]
    assert not detect(plain[:20], strange).found
    assert not detect(with_mark[:20], strange).found


def test_noise_of_every_kind_is_never_decoded() -> None:
    """Some hundred decodes forced on carriers of pictures that hold no mark."""
    rng = np.random.default_rng(5)
    for number in range(300):
        waves = rng.normal(0, 1, (2, len(CARRIERS)))
        key = rng.bytes(32)
        lattice = lattice_for(key)
        # Pilots as a perfect alignment would show them: the decode always happens.
        waves = waves[0] + 1j * waves[1]
        waves[lattice.pilots] = np.exp(1j * lattice.phases[lattice.pilots])
        assert decode_waves(waves, lattice, str(number), key) is None


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


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> list[Plane]:
    """Three seconds of 720p, marked and encoded as the house delivers."""
    lumas = marked(film(8, width=1280, height=720, frames=75))
    return recoded(tmp_path_factory.mktemp("delivered"), lumas, crf=16)


def outcome(lumas: list[Plane], name: str) -> Detection:
    """What is found after an attack of the bench, on 50 frames at most."""
    (attack,) = (one for one in ATTACKS if one.name == name)
    attacked = attack.on([grey(luma) for luma in lumas[:50]], Fraction(25))
    return detect([picture.y for picture in attacked.pictures], KEYS)


@pytest.mark.slow
def test_every_two_seconds_of_an_encoded_film_hold_the_mark(
    tmp_path: Path, delivered: list[Plane]
) -> None:
    lumas = recoded(tmp_path, delivered, crf=33)
    for start in range(0, 26, 5):
        assert detect(lumas[start : start + 50], KEYS).id == MARK_ID.hex(), start


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "H.264 CRF 33",
        "HEVC CRF 28",
        "H.264 28, twice",
        "scaled to 33 %",
        "scaled to 150 %",
        "brighter by 30",
        "contrast 70 %",
        "gamma 1.4",
        "grayscale",
        "blur sigma 2",
        "noise sigma 12",
        "15 fps",
        "logo and subtitle",
    ],
)
def test_what_leaves_the_frame_in_place_leaves_the_mark_as_written(
    delivered: list[Plane], name: str
) -> None:
    found = outcome(delivered, name)
    assert found.id == MARK_ID.hex()
    assert found.uncropped


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "crop 10 %, off centre",
        "crop 40 %, off centre",
        "letterbox",
        "pillarbox",
        "mirror",
        "rotation 2 deg",
        "rotation -2 deg",
        "perspective 3 %",
        "filmed from a screen",
    ],
)
def test_what_moves_the_picture_is_followed_and_told(
    delivered: list[Plane], name: str
) -> None:
    found = outcome(delivered, name)
    assert found.id == MARK_ID.hex()
    assert not found.uncropped


@pytest.mark.slow
def test_a_small_shift_is_followed(delivered: list[Plane]) -> None:
    assert outcome(delivered, "shift by 7 and 5 px").id == MARK_ID.hex()


@pytest.mark.slow
def test_a_crop_is_found_where_texture_outshouts_the_lattice() -> None:
    drawn = np.random.default_rng(3).normal(0, 1, (720, 1280)).astype(np.float32)
    hair = cv2.GaussianBlur(drawn, (0, 0), 3)
    hair *= 5 / hair.std()
    plain = film(3, width=1280, height=720)
    lumas = marked([np.clip(y + hair, 16, 235).astype(np.uint8) for y in plain])
    assert outcome(lumas, "crop 40 %").id == MARK_ID.hex()


@pytest.mark.slow
def test_four_seconds_tell_more_than_two(
    tmp_path: Path, delivered: list[Plane]
) -> None:
    lumas = recoded(tmp_path, delivered + delivered[24::-1], crf=40)
    assert detect(lumas, KEYS).id == MARK_ID.hex()


@pytest.mark.slow
def test_a_squeezed_film_is_found(with_mark: list[Plane]) -> None:
    squeezed = [cv2.resize(y, (560, 360)) for y in with_mark]
    assert detect(squeezed, KEYS).id == MARK_ID.hex()


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.1, 0.2])
def test_a_small_picture_survives_cropping(
    tmp_path: Path, with_mark: list[Plane], share: float
) -> None:
    once = recoded(tmp_path, with_mark, crf=20)
    again = recoded(tmp_path, cropped(once, share), crf=23)
    found = detect(again, KEYS)
    assert found.id == MARK_ID.hex()
    assert not found.uncropped


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
