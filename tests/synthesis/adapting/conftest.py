"""Robin's demo production with a scene whose face is known, to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile

from lipweb.demo_production import Demo
from lipweb.dubbing import file_upload
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.models import (
    ActorModel,
    Adaptation,
    AdaptationPart,
    Footage,
    ModelStill,
    Scene,
    Shot,
    Track,
)
from synthesis.services.adaptation import adaptation_queue, footage_add, work_prefix
from synthesis.storage import scratch_dir
from tests.synthesis.talking import excerpt

STEPS = 2


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """For this process, and for the workers it starts."""
    monkeypatch.setenv("ADAPT_STEPS", str(STEPS))
    monkeypatch.setenv("RENDER_THREADS", "1")
    monkeypatch.setattr(settings, "ADAPT_STEPS", STEPS)
    monkeypatch.setattr(settings, "RENDER_THREADS", 1)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo scene at a quarter of its size, with its sound."""
    path = tmp_path_factory.mktemp("talking") / "talking.mp4"
    excerpt(path, 60.0)
    return path


@pytest.fixture(scope="session")
def clip_face(clip: Path) -> tuple[Probe, FaceTrack]:
    """What analysis finds in it."""
    facts = probe(clip)
    frames = (planes.rgb() for planes in read_frames(clip, facts))
    (track,) = find_tracks(frames, [(0, facts.frame_count)])
    return facts, track


@pytest.fixture
def talking(demo: Demo, clip: Path, clip_face: tuple[Probe, FaceTrack]) -> Scene:
    """The clip as an analysed scene, its face Robin's; nothing is learned yet."""
    forget(demo)
    facts, found = clip_face
    scene = Scene(
        project=demo.project,
        title="Talking",
        original_name=clip.name,
        sha256=sha256_file(clip),
        size_bytes=clip.stat().st_size,
        media_facts=facts.to_json(),
        state=Scene.State.READY,
        uploaded_by=demo.producer,
    )
    scene.file.save("scene.bin", ContentFile(clip.read_bytes()), save=True)
    shot = Shot.objects.create(
        scene=scene, index=0, first_frame=0, end_frame=facts.frame_count
    )
    track = Track(
        shot=shot,
        number=1,
        first_frame=found.start,
        end_frame=found.start + len(found.landmarks),
        actor=demo.grant.actor,
    )
    rows = scratch_dir() / "rows.npy"
    np.save(rows, found.landmarks)
    track.landmarks.save("rows.npy", ContentFile(rows.read_bytes()), save=True)
    rows.unlink()
    return scene


def forget(demo: Demo) -> None:
    """The demo comes with a model of Robin: these tests learn their own."""
    for model in ActorModel.objects.filter(actor=demo.grant.actor):
        model.file.delete(save=False)
        model.delete()


@pytest.fixture
def learn(demo: Demo) -> Callable[..., Adaptation]:
    """learn(scenes=..., footage=...) queues a run as the producer."""

    def queue(**sources: object) -> Adaptation:
        return adaptation_queue(
            project=demo.project,
            actor=demo.grant.actor,
            acting_user=demo.producer,
            **sources,  # type: ignore[arg-type]
        )

    return queue


@pytest.fixture
def bring(demo: Demo) -> Callable[[Path], Footage]:
    """bring(path) uploads footage of Robin."""

    def upload(path: Path) -> Footage:
        return footage_add(
            project=demo.project,
            actor=demo.grant.actor,
            upload=file_upload(
                project=demo.project, path=path, acting_user=demo.producer
            ),
            acting_user=demo.producer,
        )

    return upload


def nothing_is_left() -> bool:
    """No crop, checkpoint, model or still, neither as a row nor on a disk."""
    media = Path(settings.MEDIA_DIR)
    files = [
        path
        for folder in ("adaptationpart", "actormodel", "modelstill")
        for path in (media / folder).glob("*")
    ]
    left = [*files, *scratch_dir().glob("adaptation-*")]
    assert left == []
    assert not AdaptationPart.objects.exists()
    return not ActorModel.objects.exists()


@pytest.fixture(autouse=True)
def empty_media() -> Iterator[None]:
    """Files of other tests' models are not this one's."""
    yield
    for folder in ("adaptationpart", "actormodel", "modelstill"):
        for path in (Path(settings.MEDIA_DIR) / folder).glob("*"):
            path.unlink()


def model_made(run: Adaptation) -> ActorModel:
    """A finished run's model with a still, as rows and files."""
    Adaptation.objects.filter(id=run.id).update(state=Adaptation.State.READY)
    figures = {"psnr": 30.0, "sharpness": 0.5, "opening_r": 0.4}
    better = {"psnr": 33.1, "sharpness": 0.8, "opening_r": 0.3}
    model = ActorModel(
        actor=run.actor,
        grant=run.grant,
        adaptation=run,
        sha256="5a" * 32,
        sources=[
            {"name": row.title, "sha256": row.sha256, "seconds": 5.2}
            for row in run.scenes.all()
        ],
        figures={"frames": 23, "left_out": {}, "general": figures, "adapted": better},
    )
    model.file.save("model.zip", ContentFile(b"weights"))
    for kind in ModelStill.Kind.values:
        still = ModelStill(model=model, kind=kind, frame=130, at_s=5.2)
        _, jpeg = cv2.imencode(".jpg", np.full((384, 432, 3), 90, np.uint8))
        still.file.save("still.jpg", ContentFile(jpeg.tobytes()))
    return model


def parts_made(run: Adaptation) -> None:
    """What a run that was killed leaves: parts in storage, a folder on this disk."""
    for name in ("footage", "renderer.pt"):
        part = AdaptationPart(adaptation=run, name=name)
        part.file.save("file.part", ContentFile(b"crops of a face"))
    (scratch_dir() / f"{work_prefix(run.id)}killed").mkdir()
