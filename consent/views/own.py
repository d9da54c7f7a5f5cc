"""The actor's own page: what is asked, what was signed, what was made."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from consent.models import Actor, Status
from consent.seams import seams
from consent.services.passkeys import relying_party

STANDING = (Status.ACTIVE, Status.NOT_YET, Status.SUSPENDED, Status.COSIGNING)


def own_actor(request: HttpRequest) -> Actor:
    """Return the actor who is asking, or answer 404."""
    return get_object_or_404(Actor, user_id=request.user.pk)


def passkeys_work_at(request: HttpRequest) -> str:
    """Return the address to go to if passkeys do not work at this one, else ""."""
    site = relying_party()
    here = f"{request.scheme}://{request.get_host()}"
    return "" if here == site.origin else site.origin + request.path


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Everything asked of and signed by the actor, what waits for them first."""
    actor = own_actor(request)
    grants = actor.grants.select_related("project", "following").prefetch_related(
        "revocations", "suspensions"
    )
    asked, standing, past = [], [], []
    for grant in grants:
        if grant.status == Status.PROPOSED:
            asked.append(grant)
        elif grant.status in STANDING:
            standing.append(grant)
        else:
            past.append(grant)
    context = {
        "actor": actor,
        "asked": asked,
        "standing_grants": standing,
        "past": past,
        "outputs": seams.outputs_of(actor),
        "made": seams.made_with(actor),
        "passkeys": actor.passkeys.all(),
    }
    return render(request, "consent/home.html", context)
