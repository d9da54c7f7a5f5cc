"""A re-render makes only what has changed, on the demo scene cut into two shots."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from django.core.files.base import ContentFile
from numpy.typing import NDArray

from lipweb.demo_production import SCENE, Demo, demo_people
from synthesis.dials import Dials, Range
from synthesis.engines.base import OPENING, Controls, KeyPoint, MouthPatch, ShotFace
from synthesis.engines.native import NativeEngine
from synthesis.faces.abstention import LeftAlone
from synthesis.faces.tracks import find_tracks
from synthesis.jobs import propose_curves, render_shot
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.models import Dub, Line, ProposedCurve, Render, Scene, Shot, Track
from synthesis.neural.lipcode import CODE_SIZE, mouth_shapes, rest_shape
from synthesis.patches import patches_open
from synthesis.performance.kept import lip_code_in_use
from synthesis.pipeline import Take
from synthesis.reuse import take_key
from synthesis.services.dials import curves_known, dub_dials_set
from synthesis.services.renders import render_cancel, render_queue
from synthesis.services.scenes import dub_create
from synthesis.storage import local_path
from synthesis.takes import shown_codes
from tests.synthesis.conftest import new_line, robin_confirms

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CUT, END = 8, 13
Marks = NDArray[np.float32]


@pytest.fixture(scope="module")
def landmarks() -> list[Marks]:
    """Of the demo scene's first frames, as if there was a cut between."""
    facts = probe(SCENE)
    frames = (planes.rgb() for planes in read_frames(SCENE, facts, 0, END))
    return [track.landmarks for track in find_tracks(frames, [(0, CUT), (CUT, END)])]


@pytest.fixture
def dub(demo: Demo, demo_facts: Probe, landmarks: list[Marks]) -> Dub:
    """Two shots, Robin's face in both, one Spanish line through them."""
    scene = Scene(
        project=demo.project,
        title="Hello",
        original_name="robin.mp4",
        sha256=sha256_file(SCENE),
        size_bytes=SCENE.stat().st_size,
        media_facts=demo_facts.to_json(),
        state=Scene.State.READY,
        uploaded_by=demo.producer,
    )
    scene.file.save("scene.bin", ContentFile(SCENE.read_bytes()), save=True)
    for index, (first, end) in enumerate([(0, CUT), (CUT, END)]):
        shot = Shot.objects.create(
            scene=scene, index=index, first_frame=first, end_frame=end
        )
        track = Track(
            shot=shot,
            number=index + 1,
            first_frame=first,
            end_frame=end,
            actor=demo.grant.actor,
        )
        file = io.BytesIO()
        np.save(file, landmarks[index])
        track.landmarks.save("marks.npy", ContentFile(file.getvalue()))
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    new_line(demo, dub)
    robin_confirms(demo, scene)
    return dub


@pytest.fixture
def drawn_frames(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames each call of the engine was given, as they come."""
    counts: list[int] = []
    mouths = NativeEngine.mouths

    def counted(
        engine: NativeEngine, face: ShotFace, controls: Controls
    ) -> Iterator[MouthPatch | None]:
        counts.append(len(face.landmarks))
        return mouths(engine, face, controls)

    monkeypatch.setattr(NativeEngine, "mouths", counted)
    return counts


def made(demo: Demo, dub: Dub, tier: str = "draft", **dials: object) -> Render:
    """A version of the dub with these dials, its shots done by the worker's jobs."""
    dub_dials_set(dub=dub, dials=Dials(**dials), acting_user=demo.producer)  # type: ignore[arg-type]
    render = render_queue(dub=dub, acting_user=demo.producer, tier=tier)
    for shot in dub.scene.shots.all():
        render_shot(str(render.id), str(shot.pk))
    render.refresh_from_db()
    return render


def files(render: Render) -> list[str]:
    """Where the mouths of each shot are kept."""
    return [row.patches.name for row in render.track_renders.all()]


def test_only_the_shot_whose_range_changed_is_drawn_again(
    demo: Demo, dub: Dub, drawn_frames: list[int]
) -> None:
    first = made(demo, dub)
    assert drawn_frames == [CUT, END - CUT]
    second = made(demo, dub, ranges=(Range(10, 12, intensity=0.5),))
    assert drawn_frames == [CUT, END - CUT, END - CUT]
    assert files(second)[0] == files(first)[0]
    assert files(second)[1] != files(first)[1]
    third = made(demo, dub)
    assert len(drawn_frames) == 3
    assert files(third) == files(first)


def test_a_range_that_ends_at_the_cut_leaves_the_next_shot_alone(
    demo: Demo, dub: Dub, drawn_frames: list[int]
) -> None:
    made(demo, dub)
    made(demo, dub, ranges=(Range(0, CUT, offset_frames=2.0),))
    assert drawn_frames == [CUT, END - CUT, CUT]


def test_a_draft_and_a_final_version_share_nothing(demo: Demo, dub: Dub) -> None:
    draft, final = made(demo, dub), made(demo, dub, tier="final")
    assert not set(files(final)) & set(files(draft))


def test_everything_that_decides_pixels_is_in_the_key(demo: Demo, dub: Dub) -> None:
    render = render_queue(dub=dub, acting_user=demo.producer)
    track = Track.objects.get(number=1)
    keys = [take_key(render, track)]
    Line.objects.update(sha256="3" * 64)
    keys.append(take_key(render, track))
    Line.objects.update(first_frame=3)
    keys.append(take_key(render, track))
    track.actor.learned_models.update(sha256="4" * 64)  # type: ignore[union-attr]
    keys.append(take_key(render, track))
    track.left_alone = [LeftAlone(3, 9, "covered").to_json()]
    keys.append(take_key(render, track))
    render.controls = {"points": {"1": [[3, OPENING, 1.0]]}}
    keys.append(take_key(render, track))
    assert len(set(keys)) == len(keys)
    render.controls = {"points": {"1": [[3, OPENING, 1.0]], "2": [[9, OPENING, 1.0]]}}
    assert take_key(render, track) == keys[-1]


def test_a_line_that_is_not_heard_in_a_shot_does_not_touch_it(
    demo: Demo, dub: Dub
) -> None:
    render = render_queue(dub=dub, acting_user=demo.producer)
    track = Track.objects.get(number=1)
    before = take_key(render, track)
    heard = dub.lines.get()
    Line.objects.create(
        dub=dub,
        actor=heard.actor,
        original_name="later.wav",
        sha256="5" * 64,
        first_frame=100,
        sound_facts=heard.sound_facts,
    )
    assert take_key(render, track) == before


def test_what_was_made_on_a_withdrawn_grant_never_comes_back(
    demo: Demo, dub: Dub, revoke: Callable[[], None], drawn_frames: list[int]
) -> None:
    made(demo, dub)
    revoke()
    again = demo_people()
    assert again.grant != demo.grant
    made(again, dub)
    assert drawn_frames == [CUT, END - CUT] * 2


def test_mouths_that_could_be_shared_are_not_without_consent(
    demo: Demo, dub: Dub, revoke: Callable[[], None]
) -> None:
    made(demo, dub)
    render = render_queue(dub=dub, acting_user=demo.producer)
    revoke()
    for shot in dub.scene.shots.all():
        render_shot(str(render.id), str(shot.pk))
    assert not render.track_renders.exists()


def test_mouths_whose_file_is_gone_are_drawn_anew(
    demo: Demo, dub: Dub, drawn_frames: list[int]
) -> None:
    first = made(demo, dub)
    row = first.track_renders.first()
    assert row is not None
    row.patches.storage.delete(row.patches.name)
    made(demo, dub)
    assert drawn_frames == [CUT, END - CUT, CUT]


@pytest.mark.django_db(transaction=True)
def test_a_deleted_version_leaves_the_mouths_that_another_shares(
    demo: Demo, dub: Dub
) -> None:
    first = made(demo, dub)
    render_cancel(render=first, acting_user=demo.producer)
    second = made(demo, dub, ranges=(Range(10, 12, intensity=0.5),))
    (shared, own), (_, other) = files(first), files(second)
    storage = first.track_renders.all()[0].patches.storage
    first.delete()
    assert storage.exists(shared)
    assert not storage.exists(own)
    assert storage.exists(other)
    second.delete()
    assert not storage.exists(shared)


def test_what_is_reported_as_left_alone_is_what_has_no_new_mouth(
    demo: Demo, dub: Dub
) -> None:
    covered = LeftAlone(3, 6, "covered")
    Track.objects.filter(number=1).update(left_alone=[covered.to_json()])
    render = made(demo, dub, ranges=(Range(9, 11, as_filmed=True),))
    rows = list(render.track_renders.all())
    assert rows[0].left_alone == [covered.to_json()]
    assert rows[1].left_alone == [LeftAlone(9, 11, "asked").to_json()]
    for row, alone in zip(rows, [{3, 4, 5}, {9, 10}], strict=True):
        with local_path(row.patches) as path, patches_open(path) as patches:
            kept = range(patches.start, patches.stop)
            assert {frame for frame in kept if patches[frame] is None} == alone
            near = patches[min(alone) - 1]
            assert near is not None
            assert 0 < near.rgba[..., 3].max() <= 52  # a fifth: it fades


def test_a_worker_stores_what_the_network_proposes(demo: Demo, dub: Dub) -> None:
    propose_curves(str(dub.id))
    curves = curves_known(dub)
    assert sorted(curves) == [1, 2]
    assert len(curves[1].values["opening"]) == CUT
    assert np.ptp(curves[1].values["opening"]) > 0.1
    before = set(ProposedCurve.objects.values_list("id", flat=True))
    propose_curves(str(dub.id))
    assert set(ProposedCurve.objects.values_list("id", flat=True)) == before


def test_a_drawn_point_moves_the_mouth_of_the_render(demo: Demo, dub: Dub) -> None:
    def mouth(render: Render) -> NDArray[np.int64]:
        row = render.track_renders.all()[0]
        with local_path(row.patches) as path, patches_open(path) as patches:
            patch = patches[5]
        assert patch is not None
        return patch.rgba[..., :3].astype(np.int64)

    shut = made(demo, dub, points={1: (KeyPoint(5, OPENING, 0.0),)})
    wide = made(demo, dub, points={1: (KeyPoint(5, OPENING, 3.0),)})
    assert np.abs(mouth(wide) - mouth(shut)).mean() > 2


def test_kept_codes_are_the_filmed_mouths_where_it_was_left_as_filmed(
    landmarks: list[Marks], tmp_path: Path
) -> None:
    marks = landmarks[0]
    left = np.zeros(len(marks), bool)
    take = Take(0, len(marks), marks, tmp_path, as_filmed=left)
    asked = np.full((len(marks), CODE_SIZE), 7, np.float32)
    assert np.array_equal(shown_codes(asked, take), asked)
    left[4:] = True
    shown = shown_codes(asked, take)
    shapes = mouth_shapes(marks)
    filmed = lip_code_in_use()[0].encode(shapes, rest_shape(shapes))
    assert shown[4:] == pytest.approx(filmed[4:], abs=1e-4)
    # Before it, the one fades into the other, as the pictures do.
    share = (asked[:4] - shown[:4]) / (asked[:4] - filmed[:4])
    assert share.mean(1) == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=0.01)
