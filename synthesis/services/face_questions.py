"""Faces that wait for their actor's word: which, how many, and telling the actor."""

from __future__ import annotations

from django.urls import reverse

from consent.models import Actor
from consent.services.notices import actor_tell
from synthesis.models import FaceSighting
from synthesis.services.face_confirmations import is_confirmed

Verdict = FaceSighting.Verdict


def faces_waiting(actor: Actor) -> int:
    """How many faces wait for the actor's word."""
    rows = FaceSighting.objects.filter(actor=actor).exclude(sheet_sha256="")
    return sum(is_waiting(row) for row in rows.select_related("track"))


def is_waiting(sighting: FaceSighting) -> bool:
    """Whether the actor, who can see the pictures, has yet to say whose face it is."""
    if not sighting.sheet_sha256:
        return False
    verdict = sighting.verdict_now
    if verdict == Verdict.DENIED or (verdict == Verdict.SAME and not sighting.proposed):
        return False
    return not is_confirmed(sighting)


def face_waiting_tell(sighting: FaceSighting) -> None:
    """Tell the actor that a face waits for their word: once a scene, and again only for
    a face that comes up after they have answered about others in it. Of a face that was
    recognised and proposed they are asked whether it may be remembered."""
    project = sighting.project
    if project is None or not is_waiting(sighting):
        return  # a clip that they brought themselves is before them
    place, track = f"clip-{sighting.pk}", sighting.track
    answered = 0
    if track is not None:
        scene = track.shot.scene
        rows = FaceSighting.objects.filter(
            actor=sighting.actor, track__shot__scene=scene
        ).exclude(sheet_sha256="")
        answered = sum(
            row.verdict == Verdict.DENIED or is_confirmed(row)
            for row in rows.select_related("track")
        )
        place = f"scene-{scene.pk}"
    recognised = sighting.verdict_now == Verdict.SAME
    kind = "face-proposed" if recognised else "face-waits"
    actor_tell(
        actor=sighting.actor,
        kind=kind,
        facts={"place": sighting.title, "project": project.name},
        path=reverse("synthesis:own_faces"),
        project=project,
        key=f"{kind}:{place}:{sighting.actor_id}:{answered}",
    )
