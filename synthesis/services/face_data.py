"""What is kept of faces for making mouths, and forgetting one actor's on their word.

Each kind is a consent.seams.FaceStore, so that the actor's own page shows and empties
all of them. A face in a scene is known to be an actor's only where somebody said so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from consent.models import Actor
from consent.seams import FaceStore
from synthesis.models import (
    ActorModel,
    Adaptation,
    AdaptationPart,
    FaceEnrolment,
    FaceSighting,
    Footage,
    ProposedCurve,
    Render,
    Track,
    TrackRender,
)
from synthesis.services.adaptation import adaptations_end, models_delete
from synthesis.services.faces import face_forget, sighting_delete
from synthesis.services.footage import footage_delete
from synthesis.services.measured import FORGOTTEN
from synthesis.services.renders import renders_end


def _measured(actor: Actor) -> QuerySet[Track]:
    return Track.objects.filter(actor=actor).filter(~Q(landmarks="") | ~Q(thumbnail=""))


def _measured_forget(actor: Actor, acting_user: AbstractBaseUser) -> int:
    """Landmarks and portraits of every face said to be the actor's. What is being made
    with them ends first."""
    renders_end(
        Render.objects.filter(dub__scene__shots__tracks__actor=actor).distinct(),
        state=Render.State.CANCELLED,
        code=FORGOTTEN,
        sentence=f"{actor} had their face data deleted while this was being made."
        " Nothing was written.",
    )
    tracks = list(_measured(actor))
    files = [file for row in tracks for file in (row.landmarks, row.thumbnail)]
    drop_on_commit(files)
    Track.objects.filter(pk__in=[row.pk for row in tracks]).update(
        landmarks="", thumbnail=""
    )
    return len(tracks)


def _mouths(actor: Actor) -> QuerySet[TrackRender]:
    return TrackRender.objects.filter(track__actor=actor)


def _mouths_forget(actor: Actor, acting_user: AbstractBaseUser) -> int:
    """Mouths kept beside finished files, the curves they moved on, and proposals."""
    curves = ProposedCurve.objects.filter(track__actor=actor)
    count = _mouths(actor).count() + curves.count()
    curves.delete()
    _mouths(actor).delete()  # their files go with them: synthesis.apps
    return count


def _learned_count(actor: Actor) -> int:
    parts = AdaptationPart.objects.filter(adaptation__actor=actor)
    return ActorModel.objects.filter(actor=actor).count() + parts.count()


def _learned_forget(actor: Actor, acting_user: AbstractBaseUser) -> int:
    count = _learned_count(actor)
    adaptations_end(
        Adaptation.objects.filter(actor=actor),
        state=Adaptation.State.CANCELLED,
        code=FORGOTTEN,
        sentence=f"{actor} had their face data deleted while this was being learned."
        " Nothing was kept.",
    )
    models_delete(
        ActorModel.objects.filter(actor=actor), why=FORGOTTEN, acting_user=acting_user
    )
    return count


def _footage_forget(actor: Actor, acting_user: AbstractBaseUser) -> int:
    rows = list(Footage.objects.filter(actor=actor))
    footage_delete(rows)
    return len(rows)


def _known_count(actor: Actor) -> int:
    sightings = FaceSighting.objects.filter(actor=actor).count()
    return sightings + FaceEnrolment.objects.filter(actor=actor).count()


def _known_forget(actor: Actor, acting_user: AbstractBaseUser) -> int:
    """Numbers the face guard compares with, and the portraits it cut. The faces in
    scenes then wait to be looked at anew: see services.faces."""
    count = _known_count(actor)
    face_forget(actor=actor, why=FORGOTTEN, acting_user=acting_user)
    for sighting in FaceSighting.objects.filter(actor=actor):
        sighting_delete(sighting)
    return count


def drop_on_commit(files: Iterable[FieldFile]) -> None:
    """Delete stored files once this transaction has committed."""
    wanted = [(file.storage, file.name) for file in files if file.name]

    def drop() -> None:
        for storage, name in wanted:
            storage.delete(name)

    transaction.on_commit(drop)


STORES: Final = (
    FaceStore(
        code="known",
        title=lambda: _("What your face looks like, as numbers and as portraits"),
        what_for=lambda: _("To notice when somebody else's face is said to be yours."),
        count=_known_count,
        forget=_known_forget,
    ),
    FaceStore(
        code="learned",
        title=lambda: _("How your mouth moves, as networks learned it"),
        what_for=lambda: _("To draw your mouth better than that of somebody unknown."),
        count=_learned_count,
        forget=_learned_forget,
    ),
    FaceStore(
        code="footage",
        title=lambda: _("Film of you that was brought only to learn from"),
        what_for=lambda: _("The networks learned from it."),
        count=lambda actor: Footage.objects.filter(actor=actor).count(),
        forget=_footage_forget,
    ),
    FaceStore(
        code="measured",
        title=lambda: _("Where your face is in a shot, point by point, and a portrait"),
        what_for=lambda: _("To find your mouth in the picture, frame by frame."),
        count=lambda actor: _measured(actor).count(),
        forget=_measured_forget,
    ),
    FaceStore(
        code="mouths",
        title=lambda: _("Mouths that were drawn for you, and how they moved"),
        what_for=lambda: _("To make a further version without drawing all again."),
        count=lambda actor: (
            _mouths(actor).count()
            + ProposedCurve.objects.filter(track__actor=actor).count()
        ),
        forget=_mouths_forget,
    ),
)
