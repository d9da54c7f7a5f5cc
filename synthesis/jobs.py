"""What workers do. Each job takes ids only; the rows hold the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from consent.errors import ConsentDenied, ConsentError
from synthesis.adapting.running import adaptation_run
from synthesis.errors import SynthesisError
from synthesis.models import (
    Adaptation,
    Deliverable,
    Dub,
    FaceSighting,
    Render,
    Scene,
    Shot,
)
from synthesis.models.runs import STOPPED_BY, RunQuerySet
from synthesis.progress import Stopped
from synthesis.recognising import (
    enrolment_measure,
    render_faces_verify,
    sighting_look,
)
from synthesis.rendering import render_finish
from synthesis.scenes.analysis import scene_analyse
from synthesis.services.adaptation import work_delete
from synthesis.services.consents import (
    adaptation_verify,
    dub_verify,
    render_verify,
)
from synthesis.services.leftovers import render_leftovers_delete
from synthesis.services.manifests import manifest_renew
from synthesis.services.renders import tracks_to_render
from synthesis.takes import curves_propose, shot_render

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
    rows = Render.objects.filter(id=render_id)
    with _claimed(rows) as found:
        if found:
            render, shot = _verified(rows), Shot.objects.get(pk=shot_id)
            render_faces_verify(render, tracks_to_render(render.dub, shot))
            shot_render(render, shot)


def finish_render(render_id: str) -> None:
    """Join the shots: composite, label, mark, encode, sign, read back."""
    rows = Render.objects.filter(id=render_id)
    with _claimed(rows) as found:
        if found:
            render = _verified(rows)
            render_faces_verify(render, tracks_to_render(render.dub))
            render_finish(render)
    if not rows.live().exists():
        render_leftovers_delete(UUID(render_id))


def adapt_actor(adaptation_id: str) -> None:
    """Learn an actor's mouth from the footage the row names; crops and checkpoints of
    a run that has ended are deleted, those of one that was killed taken up."""
    rows = Adaptation.objects.filter(id=adaptation_id)
    with _claimed(rows) as found:
        if found:
            adaptation = rows.select_related("actor", "project", "grant").get()
            adaptation_verify(adaptation)
            adaptation_run(adaptation)
    if not rows.live().exists():
        work_delete(UUID(adaptation_id))


def propose_curves(dub_id: str) -> None:
    """Work out the curves that the networks propose for a dub."""
    dub = Dub.objects.select_related("scene__project").get(id=dub_id)
    try:
        dub_verify(dub)
        curves_propose(dub)
    except (ConsentError, SynthesisError) as error:
        log.info("no curves dub=%s code=%s", dub_id, error.code)


def renew_manifest(deliverable_id: str) -> None:
    """Let a file's Content Credential say that it was released, or that consent was
    withdrawn. Where it fails, the next download tries again and says why."""
    deliverable = Deliverable.objects.select_related("render__dub").get(
        id=deliverable_id
    )
    try:
        manifest_renew(deliverable=deliverable)
    except SynthesisError as error:
        log.error(
            "manifest not updated deliverable=%s code=%s", deliverable_id, error.code
        )


def _verified(rows: QuerySet[Render]) -> Render:
    """The render, if its consent stands."""
    render = rows.select_related("dub__scene__project").get()
    render_verify(render)
    return render


def look_at_face(sighting_id: str) -> None:
    """Cut portraits of a face that somebody says is an actor's, and compare it."""
    sighting = FaceSighting.objects.filter(id=sighting_id).first()
    if sighting is not None:
        sighting_look(sighting)


def measure_face(sighting_id: str) -> None:
    """Measure a face its actor wishes remembered."""
    sighting = FaceSighting.objects.filter(id=sighting_id).first()
    if sighting is not None:
        enrolment_measure(sighting)


@contextmanager
def _claimed(rows: RunQuerySet[Any]) -> Iterator[bool]:
    """Claim a row for this worker, and say whether it is to be worked on; whatever goes
    wrong inside becomes the row's state."""
    state = rows.model.State
    rows.filter(state=state.QUEUED).update(
        state=state.RUNNING, started_at=timezone.now()
    )
    try:
        yield rows.filter(state=state.RUNNING).exists()
    except Stopped:
        log.info("stopped %s", _named(rows))
    except ConsentError as error:
        _end(rows, state.WITHDRAWN, _stopped_by(error), error.sentence)
    except SynthesisError as error:
        _end(rows, state.FAILED, error.code, error.sentence)
    except Exception:
        if not rows.live().exists():
            # Its files were taken away under it, as a withdrawal does.
            log.info("stopped %s", _named(rows))
            return
        log.exception("failed %s", _named(rows))
        _end(rows, state.FAILED, *INTERNAL)


def _stopped_by(error: ConsentError) -> str:
    """The error_code of a run that the policy refused: which term has ceased to hold,
    where that is one with a name of its own."""
    failures = error.failures if isinstance(error, ConsentDenied) else ()
    named = [STOPPED_BY[one.code] for one in failures if one.code in STOPPED_BY]
    return named[0] if named else error.code


def _named(rows: RunQuerySet[Any]) -> str:
    """For the log: render=<id>."""
    ids = rows.values_list("pk", flat=True)
    return f"{rows.model._meta.model_name}={ids.first()}"


def _end(rows: RunQuerySet[Any], state: str, code: str, sentence: str) -> None:
    rows.filter(state=rows.model.State.RUNNING).update(
        state=state,
        error_code=code,
        error_sentence=sentence,
        ended_at=timezone.now(),
    )


def _refuse_scene(scene: Scene, code: str, sentence: str) -> None:
    Scene.objects.filter(pk=scene.pk).update(
        state=Scene.State.REFUSED, error_code=code, error_sentence=sentence
    )
