"""The attacks do what their names say, in real encodes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from synthesis.provenance.mark_trial.attacks import ATTACKS, Attack, brought_to, named
from synthesis.provenance.mark_trial.pictures import (
    Codec,
    Picture,
    decode,
    encode,
    from_bgr,
    grey,
    h264,
    luma_psnr,
)
from tests.synthesis.provenance.conftest import film

RATE = Fraction(25)
SIZE = (320, 180)


@pytest.fixture(scope="module")
def clip() -> list[Picture]:
    lumas = film(3, width=SIZE[0], height=SIZE[1], frames=10)
    tint = np.full((SIZE[1] // 2, SIZE[0] // 2), 150, np.uint8)
    return [Picture(luma, tint, tint) for luma in lumas]


def attack(name: str) -> Attack:
    (found,) = (one for one in ATTACKS if one.name == name)
    return found


def after(name: str, clip: list[Picture]) -> list[Picture]:
    return list(attack(name).on(clip, RATE).pictures)


def test_every_attack_has_its_own_name_and_gives_a_film_of_its_own(
    clip: list[Picture],
) -> None:
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)
    for one in ATTACKS:
        done = one.on(clip[:3], RATE)
        pictures = list(done.pictures)
        assert len(pictures) >= 2, one.name
        assert bool(done.size_bytes) == bool(one.encodes), one.name
        assert len({picture.size for picture in pictures}) == 1, one.name
        assert not any(side % 2 for side in pictures[0].size), one.name


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("scaled to 50 %", (160, 90)),
        ("scaled to 33 %", (106, 60)),
        ("50 % and back", (320, 180)),
        ("crop 25 %", (240, 136)),
        ("crop 40 %, off centre", (192, 108)),
        ("letterbox", (320, 240)),
        ("pillarbox", (428, 180)),
        ("50 %, crop 20 %, CRF 33", (128, 72)),
        ("rotation 2 deg", (320, 180)),
    ],
)
def test_sizes_come_out_as_named(
    clip: list[Picture], name: str, size: tuple[int, int]
) -> None:
    assert after(name, clip[:2])[0].size == size


def test_a_harder_encode_leaves_less(clip: list[Picture]) -> None:
    sizes, likeness = [], []
    for name in ("H.264 CRF 18", "H.264 CRF 28", "H.264 CRF 40"):
        done = attack(name).on(clip, RATE)
        last = list(done.pictures)[-1]
        sizes.append(done.size_bytes)
        likeness.append(luma_psnr(last.y, clip[-1].y))
    assert sizes == sorted(sizes, reverse=True)
    assert likeness == sorted(likeness, reverse=True)
    assert likeness[0] > 40 > 36 > likeness[-1]


def test_a_second_encode_is_made_of_the_first(clip: list[Picture]) -> None:
    once = list(decode(encode(clip, RATE, h264(28))))
    twice = after("H.264 28, twice", clip)
    again = list(decode(encode(once, RATE, h264(28))))
    assert all(np.array_equal(a.y, b.y) for a, b in zip(twice, again, strict=True))


def test_crops_take_the_part_they_name(clip: list[Picture]) -> None:
    middle = after("crop 40 %", clip)[0]
    assert luma_psnr(middle.y, clip[0].y[36:144, 64:256]) > 35
    aside = after("crop 40 %, off centre", clip)[0]
    assert luma_psnr(aside.y, clip[0].y[58:166, 29:221]) > 35


def test_mirror_shift_and_letterbox_move_the_picture(clip: list[Picture]) -> None:
    assert luma_psnr(after("mirror", clip)[0].y[:, ::-1], clip[0].y) > 35
    moved = after("shift by 7 and 5 px", clip)[0]
    assert luma_psnr(moved.y[5:, 7:], clip[0].y[:-5, :-7]) > 33
    assert moved.y[:4].max() < 30
    boxed = after("letterbox", clip)[0]
    assert luma_psnr(boxed.y[30:-30], clip[0].y) > 35
    assert boxed.y[:28].max() < 30


@pytest.mark.parametrize("name", ["rotation 1 deg", "perspective 3 %"])
def test_turned_pictures_differ_and_have_black_corners(
    clip: list[Picture], name: str
) -> None:
    turned = after(name, clip)[0]
    assert luma_psnr(turned.y, clip[0].y) < 32
    assert turned.y[0, 0] < 30


def test_light_changes_as_named(clip: list[Picture]) -> None:
    mean = clip[0].y.mean()
    assert after("brighter by 30", clip)[0].y.mean() == pytest.approx(mean + 30, abs=2)
    assert after("gamma 1.4", clip)[0].y.mean() < mean - 5
    assert after("gamma 0.7", clip)[0].y.mean() > mean + 5
    spread = clip[0].y.std()
    assert after("contrast 70 %", clip)[0].y.std() == pytest.approx(
        0.7 * spread, rel=0.1
    )
    colourless = after("grayscale", clip)[0]
    assert abs(colourless.u.mean() - 128) < 1 < abs(clip[0].u.mean() - 128)
    assert luma_psnr(colourless.y, clip[0].y) > 35


def test_noise_is_as_loud_as_named_and_new_in_every_picture() -> None:
    still = [grey(np.full((180, 320), 120, np.uint8))] * 2
    one, other = attack("noise sigma 12")._changed(still)
    assert (one.y.astype(float) - 120).std() == pytest.approx(12, rel=0.05)
    assert not np.array_equal(one.y, other.y)


def test_blur_takes_detail_and_sharpening_adds_it(clip: list[Picture]) -> None:
    def detail(picture: Picture) -> float:
        return float(np.abs(np.diff(picture.y.astype(float), axis=1)).mean())

    plain = detail(after("H.264 CRF 23", clip)[0])
    soft, softer = (detail(after(f"blur sigma {s}", clip)[0]) for s in (2, 3))
    assert softer < soft < plain < detail(after("sharpened", clip)[0])


def test_frame_rates_come_out_as_named_and_the_film_stays_as_long(
    clip: list[Picture],
) -> None:
    slow = attack("15 fps").on(clip, RATE)
    assert (slow.rate, len(list(slow.pictures))) == (15, 6)
    there_and_back = attack("30 fps, then 25").on(clip, RATE)
    assert (there_and_back.rate, len(list(there_and_back.pictures))) == (25, 10)


def test_blending_mixes_neighbours_and_dropping_does_not() -> None:
    steps = [grey(np.full((4, 4), 100 * n, np.uint8)) for n in range(3)]
    blended = brought_to(steps, Fraction(10), Fraction(20), blends=True)
    assert [p.y[0, 0] for p in blended] == [0, 50, 100, 150, 200, 200]
    dropped = brought_to(steps, Fraction(10), Fraction(20), blends=False)
    assert [p.y[0, 0] for p in dropped] == [0, 0, 100, 100, 200, 200]


def test_one_picture_is_a_film_too() -> None:
    one = [grey(np.zeros((4, 4), np.uint8))]
    assert len(list(brought_to(one, Fraction(25), Fraction(25), blends=True))) == 1


def test_no_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="no pictures"):
        encode([], RATE, Codec("any", "libx264"))


def test_attacks_are_chosen_by_a_part_of_their_names() -> None:
    assert [one.name for one in named(["hevc crf"])] == ["HEVC CRF 28"]
    assert named([]) == list(ATTACKS)
    assert named(["nothing of that name"]) == []


def test_colours_come_back_from_bgr() -> None:
    bgr = np.zeros((32, 48, 3), np.uint8)
    bgr[...] = (40, 90, 200)
    back = from_bgr(bgr).bgr().astype(int)
    assert np.abs(back - bgr).max() <= 4
