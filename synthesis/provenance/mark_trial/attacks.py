"""What happens to a file on its way: encoders, editors, platforms, a filmed screen.

Every attack is made on the file as it was delivered, and ends in real encodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from synthesis.provenance.mark_trial.pictures import (
    Codec,
    Picture,
    Plane,
    cropped,
    decode,
    encode,
    even,
    h264,
    hevc,
    padded,
    palette_256,
    resized,
    scaled,
    toned,
    vp9,
    warped,
)

Change = Callable[[Picture, int], Picture]
"""What is done to one picture, given its number."""

DELIVERED = h264(16)
"""As the house delivers: see synthesis.pipeline.FINAL_ENCODE."""
USUAL = h264(23)
LEVELS = np.arange(256, dtype=np.float64)


@dataclass(frozen=True)
class Attacked:
    """pictures: decoded, in order. rate: frames a second. size_bytes: of the file that
    they were decoded from, 0 if they were not encoded again."""

    pictures: Iterator[Picture]
    rate: Fraction
    size_bytes: int


@dataclass(frozen=True)
class Attack:
    """One thing that happens to a file.

    changes: done to every picture, in order. rates: frame rates that it is brought to
    first, one after the other. encodes: one after the other, at the end.
    holds_from_s: the mark must be found in every piece as long as this.
    in_bar: whether it must; if not, the attack is shown for where the mark ends.
    """

    name: str
    changes: tuple[Change, ...] = ()
    encodes: tuple[Codec, ...] = (USUAL,)
    rates: tuple[Fraction, ...] = ()
    blends: bool = False
    holds_from_s: float = 2.0
    in_bar: bool = True

    def on(self, pictures: Iterable[Picture], rate: Fraction) -> Attacked:
        """Do it to pictures of one size, `rate` a second."""
        for wanted in self.rates:
            pictures = brought_to(pictures, rate, wanted, blends=self.blends)
            rate = wanted
        stream = self._changed(pictures)
        file = b""
        for codec in self.encodes:
            file = encode(stream, rate, codec)
            stream = decode(file)
        return Attacked(stream, rate, len(file))

    def _changed(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        for number, picture in enumerate(pictures):
            for change in self.changes:
                picture = change(picture, number)
            yield picture


def brought_to(
    pictures: Iterable[Picture], rate: Fraction, wanted: Fraction, *, blends: bool
) -> Iterator[Picture]:
    """The pictures at another rate, as long as before.

    blends: mixes the two neighbours in time; otherwise the earlier one is taken.
    """
    step, at = rate / wanted, Fraction(0)
    last: Picture | None = None
    count = 0
    for picture in pictures:
        while last is not None and at < count:
            share = float(at - (count - 1))
            yield _mixed(last, picture, share) if blends and share else last
            at += step
        last = picture
        count += 1
    while last is not None and at < count:
        yield last
        at += step


def _mixed(one: Picture, other: Picture, share: float) -> Picture:
    parts = (
        cv2.addWeighted(a, 1 - share, b, share, 0)
        for a, b in zip(one, other, strict=True)
    )
    return Picture(*(np.asarray(part, np.uint8) for part in parts))


# What is done to one picture


def scale(factor: float) -> Change:
    return lambda picture, _: scaled(picture, factor)


def crop(share: float, across: float = 0.5, down: float = 0.5) -> Change:
    """Cut `share` off width and height. across, down: how much of it left and above."""

    def change(picture: Picture, _: int) -> Picture:
        width, height = picture.size
        wide, high = even(width * (1 - share)), even(height * (1 - share))
        left, top = round((width - wide) * across), round((height - high) * down)
        return cropped(picture, left, top, wide, high)

    return change


def shift(right: int, down: int) -> Change:
    """Moved by whole pixels, black where it came from."""
    moved = np.array([[1, 0, right], [0, 1, down], [0, 0, 1]], np.float64)
    return lambda picture, _: warped(picture, moved)


def letterbox(picture: Picture, _: int) -> Picture:
    """Bars above and below, of a sixth of the height each."""
    return padded(picture, 0, even(picture.size[1] / 6))


def pillarbox(picture: Picture, _: int) -> Picture:
    """Bars left and right, of a sixth of the width each."""
    return padded(picture, even(picture.size[0] / 6), 0)


def mirror(picture: Picture, _: int) -> Picture:
    return Picture(*(np.ascontiguousarray(plane[:, ::-1]) for plane in picture))


def rotate(degrees: float) -> Change:
    def change(picture: Picture, _: int) -> Picture:
        width, height = picture.size
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        return warped(picture, np.vstack([turn, [0.0, 0.0, 1.0]]))

    return change


def perspective(share: float) -> Change:
    """The upper left and lower right corner come in by `share` of each side."""

    def change(picture: Picture, _: int) -> Picture:
        width, height = picture.size
        across, down = share * width, share * height
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        moved = [(across, down), (width, 0), (width - across, height - down)]
        moved.append((0, height))
        matrix = cv2.getPerspectiveTransform(
            np.array(corners, np.float32), np.array(moved, np.float32)
        )
        return warped(picture, np.asarray(matrix, np.float64))

    return change


def brightness(levels: float) -> Change:
    return lambda picture, _: toned(picture, LEVELS + levels)


def contrast(factor: float) -> Change:
    return lambda picture, _: toned(picture, (LEVELS - 126) * factor + 126)


def gamma(power: float) -> Change:
    """Applied within video range, 16 to 235."""
    light = np.clip((LEVELS - 16) / 219, 0, None) ** power
    return lambda picture, _: toned(picture, 16 + 219 * light)


def grayscale(picture: Picture, _: int) -> Picture:
    return Picture(picture.y, *(np.full_like(plane, 128) for plane in picture[1:]))


def colour_cast(u: int, v: int) -> Change:
    def change(picture: Picture, _: int) -> Picture:
        return Picture(picture.y, _shifted(picture.u, u), _shifted(picture.v, v))

    return change


def _shifted(plane: Plane, levels: int) -> Plane:
    return np.clip(plane.astype(np.int16) + levels, 0, 255).astype(np.uint8)


def blur(sigma_px: float) -> Change:
    """Sigma in pixels of a picture of 720 lines, and in proportion on others."""

    def change(picture: Picture, _: int) -> Picture:
        sigma = sigma_px * picture.size[1] / 720
        planes = (
            cv2.GaussianBlur(plane, (0, 0), sigma / step)
            for plane, step in zip(picture, (1, 2, 2), strict=True)
        )
        return Picture(*(np.asarray(plane, np.uint8) for plane in planes))

    return change


def sharpen(amount: float) -> Change:
    """Unsharp mask of sigma 1.5 px."""

    def change(picture: Picture, _: int) -> Picture:
        soft = cv2.GaussianBlur(picture.y, (0, 0), 1.5)
        sharp = cv2.addWeighted(picture.y, 1 + amount, soft, -amount, 0)
        return picture._replace(y=np.asarray(sharp, np.uint8))

    return change


def noise(sigma: float) -> Change:
    """Gaussian noise on the luma, in levels, new in every picture."""

    def change(picture: Picture, number: int) -> Picture:
        drawn = np.random.default_rng(number).standard_normal(
            picture.y.shape, np.float32
        )
        noisy = np.clip(np.rint(picture.y + sigma * drawn), 0, 255)
        return picture._replace(y=noisy.astype(np.uint8))

    return change


def moire(depth: float) -> Change:
    """Two slowly wandering gratings, as a camera sees them on a screen."""

    def change(picture: Picture, number: int) -> Picture:
        height, width = picture.y.shape
        x = np.arange(width, dtype=np.float32)
        y = np.arange(height, dtype=np.float32)[:, None]
        one = np.sin(0.9 * x + 0.11 * y + 0.3 * number)
        other = np.sin(0.07 * x - 0.83 * y - 0.2 * number)
        grating = 1 + depth * (one + other)
        screen = np.clip(np.rint(picture.y * grating), 0, 255)
        return picture._replace(y=screen.astype(np.uint8))

    return change


def logo_and_subtitle(picture: Picture, number: int) -> Picture:
    """A half transparent logo in a corner, and two lines that change every second."""
    y = picture.y.copy()
    height, width = y.shape
    corner = y[height // 20 : height // 7, -width // 5 : -width // 40]
    corner[...] = cv2.addWeighted(corner, 0.4, np.full_like(corner, 225), 0.6, 0)
    font, size = cv2.FONT_HERSHEY_DUPLEX, height / 720
    cv2.putText(
        y, "TV 5", (width * 33 // 40, height // 9), font, size, (40,), 2, cv2.LINE_AA
    )
    words = ("Nobody said that it would be easy,", f"and that was line {number // 25}.")
    for row, line in enumerate(words):
        (wide, _), _ = cv2.getTextSize(line, font, size, 2)
        at = ((width - wide) // 2, height * (34 + 2 * row) // 40)
        cv2.putText(y, line, at, font, size, (16,), 6, cv2.LINE_AA)
        cv2.putText(y, line, at, font, size, (235,), 2, cv2.LINE_AA)
    return picture._replace(y=y)


def gif_colours(picture: Picture, _: int) -> Picture:
    return palette_256(picture)


def to_size(width: int, height: int) -> Change:
    """Forced to a size, its shape lost."""
    return lambda picture, _: resized(picture, width, height)


FPS_15, FPS_25, FPS_30 = Fraction(15), Fraction(25), Fraction(30)

_RECORDED: tuple[Change, ...] = (
    scale(0.7),
    perspective(0.01),
    rotate(0.7),
    crop(0.08, 0.3, 0.6),
    gamma(1.15),
    colour_cast(6, 4),
    moire(0.02),
    noise(2),
)
"""A screen that is filmed: smaller, askew, cut, tinted, with moire and grain."""

ATTACKS: Sequence[Attack] = (
    Attack("as delivered", encodes=()),
    Attack("H.264 CRF 18", encodes=(h264(18),)),
    Attack("H.264 CRF 23", encodes=(h264(23),)),
    Attack("H.264 CRF 28", encodes=(h264(28),)),
    Attack("H.264 CRF 33", encodes=(h264(33),)),
    Attack("H.264 CRF 40", encodes=(h264(40),), holds_from_s=4.0),
    Attack("HEVC CRF 28", encodes=(hevc(28),)),
    Attack("VP9 CRF 36", encodes=(vp9(36),)),
    Attack("H.264 23, then HEVC 28", encodes=(h264(23), hevc(28))),
    Attack("H.264 28, twice", encodes=(h264(28), h264(28))),
    Attack("scaled to 50 %", (scale(0.5),)),
    Attack("scaled to 33 %", (scale(1 / 3),)),
    Attack("scaled to 150 %", (scale(1.5),)),
    Attack("50 % and back", (scale(0.5), scale(2.0))),
    Attack("crop 10 %", (crop(0.10),)),
    Attack("crop 10 %, off centre", (crop(0.10, 0.15, 0.9),)),
    Attack("crop 25 %", (crop(0.25),)),
    Attack("crop 25 %, off centre", (crop(0.25, 0.9, 0.2),)),
    Attack("crop 40 %", (crop(0.40),)),
    Attack("crop 40 %, off centre", (crop(0.40, 0.23, 0.81),)),
    Attack("shift by 7 and 5 px", (shift(7, 5),)),
    Attack("letterbox", (letterbox,)),
    Attack("pillarbox", (pillarbox,)),
    Attack("mirror", (mirror,)),
    Attack("rotation 1 deg", (rotate(1.0),)),
    Attack("rotation -1 deg", (rotate(-1.0),)),
    Attack("rotation 2 deg", (rotate(2.0),)),
    Attack("rotation -2 deg", (rotate(-2.0),)),
    Attack("perspective 3 %", (perspective(0.03),)),
    Attack("brighter by 30", (brightness(30),)),
    Attack("darker by 30", (brightness(-30),)),
    Attack("contrast 70 %", (contrast(0.7),)),
    Attack("contrast 130 %", (contrast(1.3),)),
    Attack("gamma 0.7", (gamma(0.7),)),
    Attack("gamma 1.4", (gamma(1.4),)),
    Attack("grayscale", (grayscale,)),
    Attack("blur sigma 2", (blur(2),)),
    Attack("blur sigma 3", (blur(3),)),
    Attack("sharpened", (sharpen(1.0),)),
    Attack("noise sigma 12", (noise(12),)),
    Attack("15 fps", rates=(FPS_15,)),
    Attack("30 fps, then 25", rates=(FPS_30, FPS_25), blends=True),
    Attack("logo and subtitle", (logo_and_subtitle,)),
    Attack(
        "filmed from a screen",
        _RECORDED,
        (h264(28),),
        rates=(FPS_30,),
        blends=True,
        holds_from_s=4.0,
    ),
    # Past the bar: to see where the mark ends.
    Attack("one second, CRF 28", encodes=(h264(28),), holds_from_s=1.0, in_bar=False),
    Attack("H.264 CRF 40, 2 s", encodes=(h264(40),), in_bar=False),
    Attack(
        "50 %, crop 20 %, CRF 33",
        (scale(0.5), crop(0.2)),
        (h264(33),),
        in_bar=False,
    ),
    Attack("33 %, CRF 33", (scale(1 / 3),), (h264(33),), in_bar=False),
    Attack("crop 55 %", (crop(0.55),), in_bar=False),
    Attack("scaled to 25 %", (scale(0.25),), in_bar=False),
    Attack("rotation 5 deg", (rotate(5.0),), in_bar=False),
    Attack("mirror, crop 25 %", (mirror, crop(0.25)), in_bar=False),
    Attack("256 colours", (gif_colours,), in_bar=False),
    Attack("pressed to 4:3", (to_size(640, 480),), in_bar=False),
)


def named(words: Iterable[str]) -> list[Attack]:
    """The attacks whose names hold any of the words; all if there are none."""
    wanted = [word.casefold() for word in words]
    return [
        attack
        for attack in ATTACKS
        if not wanted or any(word in attack.name.casefold() for word in wanted)
    ]
