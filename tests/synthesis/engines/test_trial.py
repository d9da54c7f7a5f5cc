"""Clips opened for a trial, and mouths laid in as a render lays them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthesis.composite import composite
from synthesis.engines.base import Controls, MouthPatch, ShotFace
from synthesis.engines.trial import Opened, Trial, open_material, painted, strayed
from synthesis.errors import SynthesisError
from synthesis.faces.finder import FaceFinder
from synthesis.media.frames import Planes
from tests.synthesis.talking import Picture, excerpt


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "robin"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def opened(folder: Path, finder: FaceFinder) -> Opened:
    path = excerpt(folder / "hello.mp4", 1.6)
    (folder / "hello.align").write_text("0 10000 sil\n10000 40000 bin\n")
    return open_material(path, finder, 20.0)


class Patches:
    """An engine of given patches, and a memory of what it was asked."""

    name = "patches"
    weights_sha256 = ""

    def __init__(self, patch: MouthPatch | None) -> None:
        self.patch = patch
        self.asked: list[tuple[ShotFace, Controls]] = []

    def mouths(self, face: ShotFace, controls: Controls):  # type: ignore[no-untyped-def]
        self.asked.append((face, controls))
        return (self.patch for _ in face.landmarks)


def patch(alpha: int = 255) -> MouthPatch:
    """A grey disc of 40 px in the middle of a 64 px square, at (200, 150)."""
    rgba = np.full((64, 64, 4), 128, np.uint8)
    y, x = np.mgrid[:64, :64]
    rgba[..., 3] = np.where((y - 31.5) ** 2 + (x - 31.5) ** 2 < 400, alpha, 0)
    return MouthPatch(rgba, np.array([[1.0, 0.1, 200.3], [-0.1, 1.0, 150.7]]))


def test_a_clip_is_opened_with_its_face_sound_and_words(opened: Opened) -> None:
    material = opened.material
    assert (material.name, material.talker) == ("robin-hello", "robin")
    assert material.landmarks.shape == (40, 468, 3)
    assert np.allclose(np.diff(material.times_s), 0.04)
    assert np.abs(material.sound).max() > 0.05
    assert [w.text for w in material.words or ()] == ["sil", "bin"]


def test_the_frames_can_be_read_again_and_are_nobody_elses(opened: Opened) -> None:
    first = list(opened.material.planes())
    assert len(first) == 40
    kept = first[3].y.copy()
    for planes in first:
        planes.y[:] = 0
    again = list(opened.material.planes())
    assert np.array_equal(again[3].y, kept)
    opened.reel.forget()
    assert np.array_equal(next(opened.material.planes()).y, again[0].y)


def test_only_the_first_seconds_asked_for_are_judged(
    folder: Path, finder: FaceFinder, opened: Opened
) -> None:
    short = open_material(folder / "hello.mp4", finder, 1.0).material
    assert len(short.landmarks) == 25
    assert len(list(short.planes())) == 25


def twice(picture: Picture) -> Picture:
    """Robin, and Robin again: 320 px each."""
    half = picture[:, 160:480]
    return np.concatenate([half, half], axis=1)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"change": np.zeros_like}, "no-face"),
        ({"change": twice}, "two-faces"),
        ({"gain": 0.0}, "silent"),
        ({"gain": None}, "no-sound"),
        ({"seconds": 0.7, "start_s": 1.0}, "short"),
    ],
)
def test_a_clip_that_cannot_be_judged_is_refused_with_its_reason(
    tmp_path: Path, finder: FaceFinder, spoil: dict[str, object], code: str
) -> None:
    seconds = float(spoil.pop("seconds", 1.2))  # type: ignore[arg-type]
    path = excerpt(tmp_path / "spoilt.mp4", seconds, **spoil)  # type: ignore[arg-type]
    with pytest.raises(SynthesisError) as caught:
        open_material(path, finder, 20.0)
    assert caught.value.code == code
    assert caught.value.sentence.endswith(".")


def test_a_file_that_is_no_film_is_refused(tmp_path: Path, finder: FaceFinder) -> None:
    path = tmp_path / "torn.mp4"
    path.write_bytes(b"not a film")
    with pytest.raises(SynthesisError):
        open_material(path, finder, 20.0)


def test_mouths_are_laid_in_exactly_as_a_render_does(opened: Opened) -> None:
    material = opened.material
    made = list(Trial(Patches(patch()))(material, material.sound, None))
    planes = next(material.planes())
    composite(planes, patch())
    assert len(made) == 40
    assert np.array_equal(made[0].rgb, planes.rgb())
    assert sum(frame.strayed for frame in made) == 0


def test_the_engine_is_given_sound_and_codes_and_may_leave_frames_alone(
    opened: Opened,
) -> None:
    material, engine = opened.material, Patches(None)
    codes = np.zeros((40, 12), np.float32)
    silence = np.zeros(16_000, np.float32)
    made = list(Trial(engine)(material, silence, codes))
    ((face, controls),) = engine.asked
    assert face.sound is silence
    assert controls.codes is codes
    assert np.array_equal(made[5].rgb, list(material.planes())[5].rgb())
    assert [frame.strayed for frame in made] == [0] * 40


def spoilt_by(change: Callable[[Planes], None], opened: Opened) -> int:
    before = next(opened.material.planes())
    after = before.copy()
    composite(after, patch())
    change(after)
    return strayed(before, after, patch())


def test_a_single_sample_changed_off_the_mask_is_counted(opened: Opened) -> None:
    def luma(planes: Planes) -> None:
        planes.y[10, 10] ^= 1

    def chroma(planes: Planes) -> None:
        planes.v[5, 5] ^= 1
        planes.u[170, 300] ^= 1

    assert spoilt_by(lambda planes: None, opened) == 0
    assert spoilt_by(luma, opened) == 1
    assert spoilt_by(chroma, opened) == 2


def test_a_patch_painted_for_looking_lies_where_the_render_puts_it(
    opened: Opened,
) -> None:
    planes = next(opened.material.planes())
    before = planes.rgb()
    looked_at = painted(before, patch())
    composite(planes, patch())
    apart = np.abs(looked_at.astype(int) - planes.rgb())
    # Colour is halved in a film's planes and not in the painted picture.
    assert apart.mean() < 0.1
    assert not np.array_equal(looked_at, before)
    nothing = replace(patch(), rgba=np.zeros((64, 64, 4), np.uint8))
    assert np.array_equal(painted(before, nothing), before)
    assert painted(before, None) is before
