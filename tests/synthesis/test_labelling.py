"""From a project's policy and a scene's faces to the label of one file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.core.files.base import ContentFile

from consent.models import Project
from lipweb.models import User
from synthesis.labelling import face_boxes, label_of
from synthesis.media.probe import Probe
from synthesis.models import Dub, LabelPolicy, Scene, Track
from synthesis.provenance.label import Sign
from tests.synthesis.production import FRAMES, scene_made

pytestmark = pytest.mark.django_db
SIGN = Sign(320, 180)


@pytest.fixture
def dub(project: Project, producer: User) -> Dub:
    """Fifty frames of 320x180, cut at 30, a face far from every corner in each shot."""
    scene = scene_made(project, producer)
    for track in Track.objects.all():
        face_at(track, (160.0, 90.0))
    return Dub.objects.create(scene=scene, language="de", created_by=producer)


def face_at(track: Track, middle: tuple[float, float], width: float = 8) -> None:
    """A face of this width whose mouth is in its middle."""
    rng = np.random.default_rng(0)
    frames = track.end_frame - track.first_frame
    points = np.zeros((frames, 468, 3), np.float32)
    points[..., :2] = middle + rng.uniform(-width / 2, width / 2, (frames, 468, 2))
    stored = io.BytesIO()
    np.save(stored, points)
    track.landmarks.save("face.npy", ContentFile(stored.getvalue()))


def facts(dub: Dub) -> Probe:
    return Probe.from_json(dub.scene.media_facts)


def policy(dub: Dub, user: User, **fields: object) -> None:
    LabelPolicy.objects.create(project=dub.scene.project, changed_by=user, **fields)


def test_a_label_speaks_the_language_of_the_dub_from_the_first_frame_on(
    dub: Dub,
) -> None:
    shown, record = label_of(dub, facts(dub))
    assert shown.sign.text == "KI-VERÄNDERT"
    assert record["wording"] == "KI-VERÄNDERT"
    assert record["language"] == "de"
    assert record["opening_s"] is None
    assert [(one["first_frame"], one["end_frame"]) for one in record["shown"]] == [
        (0, 30),
        (30, FRAMES),
    ]
    assert all(shown.at(frame) for frame in range(FRAMES))


def test_a_corner_is_left_for_the_shot_in_which_somebodys_mouth_is_there(
    dub: Dub, producer: User
) -> None:
    policy(dub, producer, corner="bottom-right")
    box = SIGN.box("bottom-right")
    second = Track.objects.get(number=2)
    assert second.actor is None  # nobody's face in particular counts as well
    face_at(second, (box.left + 20.0, box.top + 10.0))
    _, record = label_of(dub, facts(dub))
    assert [one["place"] for one in record["shown"]] == ["bottom-right", "bottom-left"]
    assert [one["moved"] for one in record["shown"]] == [False, True]
    assert not any(one["over_mouth"] for one in record["shown"])


def test_an_opening_and_breaks_make_it_come_and_go(dub: Dub, producer: User) -> None:
    # 2 seconds of a scene of 2 are all of it: pretend that it is slower.
    slow = {**dub.scene.media_facts, "time_base": "1/1280"}
    Scene.objects.update(breaks=[40], media_facts=slow)
    dub.scene.refresh_from_db()
    policy(dub, producer, opening_s=2)
    shown, record = label_of(dub, facts(dub))
    assert record["breaks"] == [40]
    frames = [frame for frame in range(FRAMES) if shown.at(frame)]
    assert frames[0] == 0
    assert 40 in frames
    assert 39 not in frames


def test_a_face_whose_measurements_were_deleted_is_named_in_the_record(
    dub: Dub,
) -> None:
    Track.objects.filter(number=2).update(landmarks="")
    _, record = label_of(dub, facts(dub))
    assert record["unmeasured_faces"] == [2]


def test_the_mouth_has_room_below_and_is_known_between_two_sightings() -> None:
    points = np.full((5, 468, 3), np.nan, np.float32)
    for frame, x in ((0, 100.0), (4, 140.0)):
        grid = np.random.default_rng(1).uniform(-10, 10, (468, 3))
        points[frame] = grid + np.array([x, 50, 0])
    boxes = face_boxes(points, 7)
    assert boxes is not None
    middle = (boxes.mouth[:, 0] + boxes.mouth[:, 2]) / 2
    assert np.abs(middle - [100, 110, 120, 130, 140]).max() < 6
    above, below = 50 - boxes.mouth[:, 1], boxes.mouth[:, 3] - 50
    assert (below > above).all()
    assert (boxes.mouth[:, 3] >= boxes.face[:, 3]).all()


def test_a_face_that_was_never_found_is_in_nobodys_way() -> None:
    assert face_boxes(np.full((5, 468, 3), np.nan, np.float32), 0) is None
