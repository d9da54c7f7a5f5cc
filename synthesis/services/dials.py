"""What a supervisor asks of a dub's mouths, kept until the next render."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

from consent.models import Role
from synthesis.dials import Dials
from synthesis.errors import NotAllowed
from synthesis.models import Dub, ProposedCurve, Scene
from synthesis.queue import enqueue_on_commit, is_over
from synthesis.reuse import curve_key
from synthesis.services.access import require_role
from synthesis.services.consents import dub_verify
from synthesis.services.renders import dials_standing, tracks_to_render


def dub_dials_set(*, dub: Dub, dials: Dials, acting_user: AbstractBaseUser) -> None:
    """Keep the dials with the dub; a render under way is not touched by it. Raises
    BadControl, which says in words what cannot be."""
    require_role(project=dub.scene.project, user=acting_user, role=Role.PRODUCER)
    if dub.scene.state != Scene.State.READY:
        raise NotAllowed("scene-not-ready", "The scene is not analysed yet.")
    dub.dials = dials_standing(dub, dials.to_json()).to_json()
    dub.save(update_fields=["dials"])


def dub_curves_ask(*, dub: Dub, acting_user: AbstractBaseUser) -> None:
    """Have a worker find out what the networks propose. It listens with what was
    learned of the actor, so the policy is asked as for a render."""
    require_role(project=dub.scene.project, user=acting_user, role=Role.PRODUCER)
    dub_verify(dub)
    if not are_curves_under_way(dub):
        enqueue_on_commit("propose_curves", str(dub.id), job_id=_curves_job(dub))


def are_curves_under_way(dub: Dub) -> bool:
    """Say whether a worker is at it, or will be."""
    return not is_over((_curves_job(dub),))


def curves_known(dub: Dub) -> dict[int, ProposedCurve]:
    """What the networks propose for each face, by its number; only what still holds
    for the sound and the networks of today."""
    kept = {curve.track_id: curve for curve in dub.proposed_curves.all()}
    return {
        track.number: kept[track.id]
        for track in tracks_to_render(dub)
        if track.id in kept and kept[track.id].key == curve_key(dub, track)
    }


def _curves_job(dub: Dub) -> str:
    return f"curves-{dub.id}"
