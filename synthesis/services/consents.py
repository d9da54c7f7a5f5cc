"""The one place where synthesis puts its question to the consent policy."""

from __future__ import annotations

from django.utils import timezone

from consent.models import Actor, Grant
from consent.policy import Use, verify, verify_grant
from synthesis.errors import NotAllowed
from synthesis.models import Dub, Render


def dub_verify(dub: Dub) -> list[Grant]:
    """Return the grants that this dub may be rendered on now, one an actor who speaks
    in it. Raises ConsentDenied with every failed term in words. Nothing is cached."""
    actors = Actor.objects.filter(lines__dub=dub).distinct().order_by("id")
    grants = [verify(use_of(dub, actor)) for actor in actors]
    if not grants:
        raise NotAllowed("no-lines", "Nobody speaks in this dub yet. Add a line first.")
    return grants


def render_verify(render: Render) -> list[Grant]:
    """Return the grants the render was queued on, if each still allows it now. A grant
    withdrawn since closes the render for good, whatever was signed later."""
    grants = list(render.grants.select_related("actor").order_by("id"))
    for grant in grants:
        verify_grant(grant, use_of(render.dub, grant.actor))
    if not grants:
        raise NotAllowed("no-grant", "This render stands on no grant.")
    return grants


def use_of(dub: Dub, actor: Actor) -> Use:
    """The use a dub makes of an actor's face, at this moment."""
    project = dub.scene.project
    return Use(
        actor_id=actor.id,
        project_id=project.id,
        scene_sha256=dub.scene.sha256,
        language=dub.language,
        purpose="inference",
        territory=project.territory,
        medium=project.medium,
        moment=timezone.now(),
    )
