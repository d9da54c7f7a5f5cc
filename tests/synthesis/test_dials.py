"""A dub's dials: kept as JSON, refused in words, cut to one face of one shot."""

from __future__ import annotations

from typing import Any

import pytest

from synthesis.dials import BadControl, Dials, FaceSpan, Range
from synthesis.engines.base import OPENING, WIDTH, Controls, KeyPoint, Stretch

FACES = [FaceSpan(1, 0, 30), FaceSpan(2, 30, 50)]
FRAMES = 50


def checked(**fields: Any) -> Dials:
    return Dials(**fields).checked(FRAMES, FACES)


def refused(**fields: Any) -> str:
    with pytest.raises(BadControl) as refusal:
        checked(**fields)
    assert refusal.value.sentence.endswith(".")
    return refusal.value.code


def test_dials_come_back_from_json_as_they_went() -> None:
    dials = Dials(
        1.5,
        0.8,
        (Range(3, 9, 1, -2.0, 0.5), Range(31, 40, as_filmed=True)),
        {2: (KeyPoint(33, WIDTH, -1.25),)},
    )
    assert Dials.from_json(dials.to_json()) == dials


def test_neutral_dials_are_an_empty_object() -> None:
    assert Dials().to_json() == {}
    assert Dials.from_json({}) == Dials()


def test_what_two_early_versions_kept_is_still_read() -> None:
    old = Dials.from_json({"offset_frames": 2.0, "intensity": 0.5})
    assert (old.offset_frames, old.intensity) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("bad-control", {"offset_frames": 26}),
        ("bad-control", {"intensity": float("nan")}),
        ("bad-control", {"ranges": (Range(0, 5, intensity=2.0),)}),
        ("bad-control", {"points": {1: (KeyPoint(3, OPENING, 4.1),)}}),
        ("range-outside", {"ranges": (Range(0, 51),)}),
        ("range-outside", {"ranges": (Range(-1, 5),)}),
        ("range-empty", {"ranges": (Range(5, 5),)}),
        ("no-such-face", {"ranges": (Range(0, 5, face=3),)}),
        ("no-such-face", {"points": {3: (KeyPoint(3, OPENING, 1.0),)}}),
        ("ranges-overlap", {"ranges": (Range(0, 9), Range(8, 12))}),
        ("ranges-overlap", {"ranges": (Range(0, 9, face=1), Range(8, 12))}),
        ("point-outside", {"points": {2: (KeyPoint(3, OPENING, 1.0),)}}),
        ("point-twice", {"points": {1: (KeyPoint(3, 0, 1.0), KeyPoint(3, 0, 2.0))}}),
        ("too-many-ranges", {"ranges": (Range(0, 1),) * 101}),
    ],
)
def test_what_cannot_be_met_is_refused(code: str, fields: dict[str, Any]) -> None:
    assert refused(**fields) == code


def test_ranges_of_two_faces_may_overlap() -> None:
    checked(ranges=(Range(25, 35, face=1), Range(25, 35, face=2)))


def test_a_face_is_told_only_what_touches_its_frames() -> None:
    dials = Dials(
        ranges=(Range(0, 30, None, 3.0), Range(40, 45, 2, 0.0, 0.5)),
        points={1: (KeyPoint(4, OPENING, 1.0),), 2: (KeyPoint(31, WIDTH, 2.0),)},
    )
    assert dials.for_face(FACES[0]) == Controls(
        stretches=(Stretch(0, 30, 3.0, 1.0),), points=(KeyPoint(4, OPENING, 1.0),)
    )
    assert dials.for_face(FACES[1]) == Controls(
        stretches=(Stretch(10, 15, 0.0, 0.5),), points=(KeyPoint(1, WIDTH, 2.0),)
    )


def test_a_range_across_a_cut_is_cut_for_each_face() -> None:
    dials = Dials(ranges=(Range(25, 35, offset_frames=1.0),))
    assert dials.for_face(FACES[0]).stretches == (Stretch(25, 30, 1.0, 1.0),)
    assert dials.for_face(FACES[1]).stretches == (Stretch(0, 5, 1.0, 1.0),)


def test_left_as_filmed_is_a_mask_and_no_stretch() -> None:
    dials = Dials(ranges=(Range(28, 33, as_filmed=True),))
    assert dials.for_face(FACES[0]) == Controls()
    assert dials.as_filmed(FACES[0]).nonzero()[0].tolist() == [28, 29]
    assert dials.as_filmed(FACES[1]).nonzero()[0].tolist() == [0, 1, 2]


def test_what_was_meant_for_a_face_that_no_longer_speaks_is_left_out() -> None:
    dials = Dials(
        ranges=(Range(0, 5), Range(31, 35, face=2)),
        points={2: (KeyPoint(31, WIDTH, 2.0),)},
    )
    assert dials.only(FACES[:1]) == Dials(ranges=(Range(0, 5),))
