"""Robin's demo production with a scene whose face is known, to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile

from lipweb.demo_production import Demo, face_confirm_as_robin
from lipweb.dubbing import file_upload
from synthesis.faces.tracks import FaceTrack
from synthesis.media.probe import Probe, probe
from synthesis.models import (
    ActorModel,
    Adaptation,
    AdaptationPart,
    FaceSighting,
    Footage,
    ModelStill,
    Scene,
    Track,
)
from synthesis.recognising import sighting_look
from synthesis.services.adaptation import adaptation_queue, work_prefix
from synthesis.services.faces import track_sight
from synthesis.services.footage import footage_add
from synthesis.storage import scratch_dir
from tests.synthesis.conftest import analysed, only_face
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
    return facts, only_face(clip, facts)


@pytest.fixture
def talking(demo: Demo, clip: Path, clip_face: tuple[Probe, FaceTrack]) -> Scene:
    """The clip as an analysed scene, its face Robin's; nothing is learned yet."""
    forget(demo)
    facts, found = clip_face
    scene = analysed(demo, clip, facts, [found], "Talking")
    track = Track.objects.get(shot__scene=scene)
    track.actor = demo.grant.actor
    track.save()
    row = track_sight(track=track, acting_user=demo.producer)
    assert row is not None
    confirmed(row)
    return scene


def confirmed(row: FaceSighting) -> None:
    """A worker looks at a face, and Robin confirms it."""
    sighting_look(row)
    face_confirm_as_robin(row)


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
