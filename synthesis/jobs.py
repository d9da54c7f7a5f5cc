"""What workers do. Each job takes ids only; the rows hold the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from consent.errors import ConsentError
from synthesis.errors import SynthesisError
from synthesis.models import Render, Scene, Shot
from synthesis.progress import Stopped
from synthesis.rendering import render_finish, shot_render
from synthesis.scenes.analysis import scene_analyse
from synthesis.services.consents import render_verify

log = logging.getLogger(__name__)

INTERNAL = (
    "internal-error",
    "Something went wrong inside lipweb; your files are safe. Try again, and if it"
    " happens once more show this page to whoever runs lipweb.",
)


def analyse_scene(scene_id: str) -> None:
    """Probe, find shots and faces, write thumbnails and the proxy."""
    scene = Scene.objects.get(id=scene_id)
    try:
        scene_analyse(scene)
    except Stopped:
        log.info("analysis stopped scene=%s", scene_id)
    except SynthesisError as error:
        _refuse_scene(scene, error.code, error.sentence)
    except Exception:
        log.exception("analysis failed scene=%s", scene_id)
        _refuse_scene(scene, *INTERNAL)


def render_shot(render_id: str, shot_id: str) -> None:
    """Make the mouths of one shot; what is already there is kept."""
    with _running(render_id) as render:
        if render is not None:
            shot_render(render, Shot.objects.get(pk=shot_id))


def finish_render(render_id: str) -> None:
    """Join the shots: composite, label, mark, encode, sign, read back."""
    with _running(render_id) as render:
        if render is not None:
            render_finish(render)


@contextmanager
def _running(render_id: str) -> Iterator[Render | None]:
    """Claim the render; whatever goes wrong inside becomes its row's state."""
    Render.objects.filter(id=render_id, state=Render.State.QUEUED).update(
        state=Render.State.RUNNING, started_at=timezone.now()
    )
    render = (
        Render.objects.filter(id=render_id, state=Render.State.RUNNING)
        .select_related("dub__scene__project")
        .first()
    )
    try:
        if render is not None:
            render_verify(render)
        yield render
    except Stopped:
        log.info("render stopped render=%s", render_id)
    except ConsentError as error:
        _end(render_id, Render.State.WITHDRAWN, error.code, error.sentence)
    except SynthesisError as error:
        _end(render_id, Render.State.FAILED, error.code, error.sentence)
    except Exception:
        log.exception("render failed render=%s", render_id)
        _end(render_id, Render.State.FAILED, *INTERNAL)


def _end(render_id: str, state: Render.State, code: str, sentence: str) -> None:
    Render.objects.filter(id=render_id, state=Render.State.RUNNING).update(
        state=state,
        error_code=code,
        error_sentence=sentence,
        ended_at=timezone.now(),
    )


def _refuse_scene(scene: Scene, code: str, sentence: str) -> None:
    Scene.objects.filter(pk=scene.pk).update(
        state=Scene.State.REFUSED, error_code=code, error_sentence=sentence
    )
