"""Two faces in a shot: the one that speaks is taken, or none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.neural.footage import FootageError
from synthesis.neural.speaker import eyes_px, motion, speaker
from tests.synthesis.neural.talking import robin

Pictures = list[NDArray[np.uint8]]


def talks(first: int = 0) -> Pictures:
    return [picture[:, 130:510] for picture in robin(first, first + 40)[0]]


def listens() -> Pictures:
    """Head and light move a little, the mouth does not."""
    still = talks()[0]
    rng = np.random.default_rng(0)
    moved = []
    for number in range(40):
        sway = np.array(
            [[1, 0, 4 * np.sin(number / 6)], [0, 1, 2 * np.cos(number / 9)]]
        )
        picture = cv2.warpAffine(
            still, sway, (380, 360), borderMode=cv2.BORDER_REPLICATE
        )
        noise = rng.normal(0, 2, picture.shape)
        moved.append(np.clip(picture + noise, 0, 255).astype(np.uint8))
    return moved


def smaller(pictures: Pictures) -> Pictures:
    """The same at two fifths of the size, in the middle of as large a picture."""
    made = []
    for picture in pictures:
        canvas = np.full_like(picture, 40)
        canvas[108:252, 114:266] = cv2.resize(picture, (152, 144))
        made.append(canvas)
    return made


def beside(left: Pictures, right: Pictures) -> list[FaceTrack]:
    pictures = [np.hstack(pair) for pair in zip(left, right, strict=True)]
    tracks = list(find_tracks(iter(pictures), [(0, len(pictures))]))
    assert len(tracks) == 2
    return tracks


def middle_x(track: FaceTrack) -> float:
    return float(np.nanmean(track.landmarks[:, :, 0]))


def test_the_face_whose_mouth_moves_is_taken_beside_one_that_listens() -> None:
    assert middle_x(speaker(beside(listens(), talks()), "a.mp4")) > 380
    assert middle_x(speaker(beside(talks(), listens()), "a.mp4")) < 380


def test_a_small_speaker_is_taken_before_a_large_listener() -> None:
    tracks = beside(listens(), smaller(talks()))
    assert min(map(eyes_px, tracks)) * 2 < max(map(eyes_px, tracks))
    assert middle_x(speaker(tracks, "a.mp4")) > 380


def test_two_who_both_speak_are_left_out() -> None:
    with pytest.raises(FootageError, match="shows 2 faces") as caught:
        speaker(beside(talks(), talks(60)), "a.mp4")
    assert caught.value.code == "two-faces"


def test_a_face_found_again_later_is_no_second_face() -> None:
    (track,) = find_tracks(iter(talks()), [(0, 40)])
    later = FaceTrack(0, 100, track.landmarks, 100, track.covered)
    assert speaker([track, later], "a.mp4") is track


def test_nobody_speaks_with_a_still_mouth() -> None:
    (track,) = find_tracks(iter(listens()), [(0, 40)])
    (talking,) = find_tracks(iter(talks()), [(0, 40)])
    assert motion(track) * 2 < motion(talking)
    with pytest.raises(FootageError, match="does not move"):
        speaker([track], "a.mp4")
