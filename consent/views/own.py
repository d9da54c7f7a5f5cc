"""The actor's own page: what is asked, what was signed, what was made."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from consent.history import history_of
from consent.models import Actor, Status
from consent.seams import Output, seams
from consent.services.passkeys import relying_party

STANDING = (Status.ACTIVE, Status.NOT_YET, Status.SUSPENDED, Status.COSIGNING)
A_PAGE = 20


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
    """What waits for the actor, what they allow, and all that ever happened, newest
    first: ?production= shows one production only, ?page= goes back in time."""
    actor = own_actor(request)
    grants = actor.grants.select_related("project", "following").prefetch_related(
        "revocations", "suspensions"
    )
    projects = {grant.project_id: grant.project for grant in grants}
    named = request.GET.get("production", "")
    chosen = next((one for one in projects.values() if str(one.id) == named), None)
    events = history_of(actor, chosen.id if chosen else None)
    outputs = seams.outputs_of(actor)
    context = {
        "actor": actor,
        "asked": [one for one in grants if one.status == Status.PROPOSED],
        "standing_grants": [one for one in grants if one.status in STANDING],
        "outputs": [one for one in outputs if waits(one)],
        "page": Paginator(events, A_PAGE).get_page(request.GET.get("page")),
        "kept_in_links": f"production={chosen.id}&" if chosen else "",
        "productions": sorted(projects.values(), key=lambda project: project.name),
        "chosen": chosen,
        "passkeys": actor.passkeys.all(),
        "faces_waiting": seams.faces_waiting(actor),
    }
    return render(request, "consent/home.html", context)


def waits(output: Output) -> bool:
    """Whether the actor has still to say yes or no to a finished file."""
    standing = output.grant.status == Status.ACTIVE
    return standing and not output.is_approved and not output.returned
