"""The producer's pages: a production's actors, inviting them, asking for grants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from consent.access import is_producer, require_producer
from consent.errors import NotAllowed, RecordRefused
from consent.forms import InviteForm, MandateForm, ProposeForm, day_start
from consent.models import Actor, Cosigner, Grant, Project
from consent.services.actors import actor_invite
from consent.services.cosigning import cosigner_named
from consent.services.grants import grant_propose
from consent.services.mandates import mandate_record


def visible_project(request: HttpRequest, project_id: UUID) -> Project:
    """Return the project, or answer 404 to whoever is no member of it."""
    user = cast(AbstractBaseUser, request.user)
    return get_object_or_404(Project.objects.of_member(user), pk=project_id)


@login_required
@require_http_methods(["GET", "POST"])
def actors(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """The cast with where their grants stand; a producer invites from here."""
    project = visible_project(request, project_id)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = cast(AbstractBaseUser, request.user)
        casting = actor_invite(project=project, acting_user=user, **form.cleaned_data)
        messages.success(request, f"The invitation is on its way to {casting.email}.")
        return redirect("consent:actors", project_id=project.id)
    grants = Grant.objects.filter(project=project).select_related("following")
    grants = grants.prefetch_related("revocations", "suspensions")
    castings = project.castings.select_related("actor").prefetch_related(
        Prefetch("actor__grants", queryset=grants, to_attr="asked"), "actor__passkeys"
    )
    context = {
        "project": project,
        "castings": castings,
        "form": form,
        "may_invite": is_producer(request.user, project),
    }
    status = 422 if form.errors else 200
    return render(request, "consent/actors.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def mandate(request: HttpRequest, project_id: UUID, actor_id: UUID) -> HttpResponse:
    """Who signs for an actor who does not sign themselves."""
    project = visible_project(request, project_id)
    user = cast(AbstractBaseUser, request.user)
    require_producer(user, project)
    actor = get_object_or_404(Actor.objects.cast_in(project), pk=actor_id)
    form = MandateForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        last_day = fields.pop("last_day")
        try:
            mandate_record(
                project=project,
                actor=actor,
                starts_at=day_start(fields.pop("first_day")),
                ends_at=day_start(last_day + timedelta(days=1)),
                acting_user=user,
                **fields,
            )
        except (NotAllowed, RecordRefused) as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "Kept. Each new question names who signs.")
            return redirect("consent:actors", project_id=project.id)
    context = {
        "project": project,
        "actor": actor,
        "form": form,
        "mandates": actor.mandates.all(),
    }
    status = 422 if form.errors else 200
    return render(request, "consent/mandate.html", context, status=status)


def previous_version(
    request: HttpRequest, project: Project, actor: Actor
) -> Grant | None:
    """Return the version that ?after= names and a new question would replace."""
    named = request.GET.get("after", "")
    try:
        grant_id = UUID(named)
    except ValueError:
        return None
    return get_object_or_404(Grant, pk=grant_id, project=project, actor=actor)


def _cosigner(actor: Actor, typed: dict[str, Any]) -> Cosigner | None:
    if not typed["cosigner_email"]:
        return None
    return cosigner_named(
        actor=actor,
        role=typed["cosigner_role"],
        name=typed["cosigner_name"],
        email=typed["cosigner_email"],
    )


@login_required
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, project_id: UUID, actor_id: UUID) -> HttpResponse:
    """A form for what to ask of one actor; then the grant in the actor's words."""
    project = visible_project(request, project_id)
    user = cast(AbstractBaseUser, request.user)
    require_producer(user, project)
    actor = get_object_or_404(Actor.objects.cast_in(project), pk=actor_id)
    previous = previous_version(request, project, actor)
    answering = previous.document.terms if previous else None
    form = ProposeForm(
        request.POST or None,
        request.FILES or None,
        project=project,
        answering=answering,
    )
    if request.method == "POST" and form.is_valid():
        grant = grant_propose(
            project=project,
            actor=actor,
            terms=form.cleaned_data["terms"],
            previous=previous,
            cosigner=_cosigner(actor, form.cleaned_data),
            acting_user=user,
        )
        messages.success(request, f"{actor} is asked. This is what they read.")
        return redirect("consent:grant", grant_id=grant.id)
    context = {
        "project": project,
        "actor": actor,
        "form": form,
        "previous": previous,
    }
    status = 422 if form.errors else 200
    return render(request, "consent/propose.html", context, status=status)
