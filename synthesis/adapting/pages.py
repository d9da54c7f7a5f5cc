"""An actor's page in a project: what was learned of them, from what, and how well."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent.errors import ConsentError
from consent.models import Actor, Project, Role
from synthesis import seen
from synthesis.adapting.forms import LearnForm
from synthesis.adapting.shown import actor_shown, adaptation_shown
from synthesis.errors import SynthesisError
from synthesis.review.media import serve_stored
from synthesis.scenes.face_words import footage_told
from synthesis.scenes.forms import SentForm, first_sentence
from synthesis.scenes.uploads import upload_of_form
from synthesis.seen import MemberRequest
from synthesis.services.adaptation import (
    adaptation_cancel,
    adaptation_look_after,
    adaptation_queue,
    model_delete,
    still_open,
)
from synthesis.services.faces import reference_propose
from synthesis.services.footage import footage_add, footage_remove
from synthesis.sizelimit import body_at_most


@login_required
@require_safe
def actor(request: MemberRequest, project_id: UUID, actor_id: UUID) -> HttpResponse:
    """The whole page; for htmx its body, once a run has ended."""
    project = seen.project(request, project_id)
    found = seen.actor(request, project, actor_id)
    context = actor_shown(project, found, seen.roles(request, project))
    part = "_actor" if request.htmx else "actor"
    return render(request, f"synthesis/actors/{part}.html", context)


@login_required
@body_at_most(lambda: settings.UPLOAD_MAX_BYTES)
@require_POST
def footage_new(
    request: MemberRequest, project_id: UUID, actor_id: UUID
) -> HttpResponse:
    """Keeps an upload to learn from."""
    project = seen.project(request, project_id)
    found = seen.actor(request, project, actor_id)
    form = SentForm(request.POST)
    if not form.is_valid():
        raise SynthesisError("bad-form", first_sentence(form))
    try:
        footage_add(
            project=project,
            actor=found,
            upload=upload_of_form(request, project, form.cleaned_data["upload"]),
            acting_user=request.user,
        )
    except (ConsentError, SynthesisError) as refused:
        if refused.code == "not-allowed":
            raise
        messages.error(request, refused.sentence)
    return back_to(project, found)


@login_required
@require_POST
def footage_gone(request: MemberRequest, footage_id: UUID) -> HttpResponse:
    """Deletes footage that was uploaded to learn from."""
    footage = seen.footage(request, footage_id)
    footage_remove(footage=footage, acting_user=request.user)
    return back_to(footage.project, footage.actor)


@login_required
@require_safe
def footage_guard(request: MemberRequest, footage_id: UUID) -> HttpResponse:
    """The face guard's answer about footage, asked for while a worker looks at it."""
    footage = seen.footage(request, footage_id)
    return render(
        request, "synthesis/actors/_guard.html", {"guard": footage_told(footage)}
    )


@login_required
@require_POST
def footage_proposed(request: MemberRequest, footage_id: UUID) -> HttpResponse:
    """Asks the actor whether their face may be remembered from this footage."""
    footage = seen.footage(request, footage_id)
    reference_propose(footage=footage, acting_user=request.user)
    messages.success(
        request,
        f"{footage.actor} is asked whether later faces may be compared with the one in"
        f" “{footage}”. Nothing is remembered before they sign.",
    )
    return back_to(footage.project, footage.actor)


@login_required
@require_POST
def adaptation_new(
    request: MemberRequest, project_id: UUID, actor_id: UUID
) -> HttpResponse:
    """Queues the learning from what was ticked."""
    project = seen.project(request, project_id)
    found = seen.actor(request, project, actor_id)
    form = LearnForm(request.POST, project=project, actor=found)
    if not form.is_valid():
        raise SynthesisError("bad-form", first_sentence(form))
    adaptation_queue(
        project=project,
        actor=found,
        scenes=list(form.cleaned_data["scenes"]),
        footage=list(form.cleaned_data["footage"]),
        acting_user=request.user,
    )
    return back_to(project, found)


@login_required
@require_safe
def progress(request: MemberRequest, adaptation_id: UUID) -> HttpResponse:
    """One run, asked for each second while it lives. When it has ended the page around
    it is told."""
    found = seen.adaptation(request, adaptation_id)
    adaptation_look_after(found)
    item = adaptation_shown(found)
    can_produce = Role.PRODUCER in seen.roles(request, found.project)
    context = {"item": item, "can_produce": can_produce}
    response = render(request, "synthesis/actors/_adaptation.html", context)
    if not item["live"]:
        response["HX-Trigger"] = "adaptation-ended"
    return response


@login_required
@require_POST
def cancel(request: MemberRequest, adaptation_id: UUID) -> HttpResponse:
    """Stops a waiting or running adaptation."""
    found = seen.adaptation(request, adaptation_id)
    adaptation_cancel(adaptation=found, acting_user=request.user)
    return back_to(found.project, found.actor)


@login_required
@require_POST
def model_gone(request: MemberRequest, model_id: int) -> HttpResponse:
    """Deletes what was learned."""
    model = seen.actor_model(request, model_id)
    model_delete(model=model, acting_user=request.user)
    messages.success(request, f"What was learned of {model.actor} is deleted.")
    return back_to(model.grant.project, model.actor)


@login_required
@require_safe
def still(request: MemberRequest, still_id: UUID) -> HttpResponseBase:
    """One still of the comparison; the policy is asked each time."""
    found = seen.still(request, still_id)
    file = still_open(still=found, acting_user=request.user)
    return serve_stored(request, file, tag=str(found.id), name="still.jpg")


def back_to(project: Project, actor: Actor) -> HttpResponse:
    return redirect("synthesis:actor", project.id, actor.id)
