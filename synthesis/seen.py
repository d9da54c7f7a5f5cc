"""Who may see what: each function returns the object, or answers 404.

A stranger cannot tell a thing they may not see from one that does not exist. What a
member may do with it is for the services to say, by role."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django_htmx.middleware import HtmxDetails

from consent.models import Actor, Membership, Project
from synthesis import models


class MemberRequest(HttpRequest):
    """What a view behind login_required is given: its user is somebody. For types
    only."""

    user: AbstractBaseUser  # type: ignore[assignment]
    htmx: HtmxDetails


def project(request: MemberRequest, project_id: UUID) -> Project:
    return get_object_or_404(Project.objects.of_member(request.user), id=project_id)


def upload(request: MemberRequest, upload_id: UUID) -> models.Upload:
    """Seen only by the person who began it, for as long as they are a member."""
    rows = models.Upload.objects.filter(
        user=request.user.pk, project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(rows.select_related("project"), id=upload_id)


def scene(request: MemberRequest, scene_id: UUID) -> models.Scene:
    rows = models.Scene.objects.filter(
        project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(rows.select_related("project"), id=scene_id)


def track(request: MemberRequest, track_id: UUID) -> models.Track:
    rows = models.Track.objects.filter(
        shot__scene__project__in=Project.objects.of_member(request.user)
    )
    rows = rows.select_related("shot__scene__project", "actor")
    return get_object_or_404(rows, id=track_id)


def dub(request: MemberRequest, dub_id: UUID) -> models.Dub:
    rows = models.Dub.objects.filter(
        scene__project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(rows.select_related("scene__project"), id=dub_id)


def line(request: MemberRequest, line_id: UUID) -> models.Line:
    rows = models.Line.objects.filter(
        dub__scene__project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(rows.select_related("dub__scene__project"), id=line_id)


def render(request: MemberRequest, render_id: UUID) -> models.Render:
    rows = models.Render.objects.filter(
        dub__scene__project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(rows.select_related("dub__scene__project"), id=render_id)


def deliverable(request: MemberRequest, deliverable_id: UUID) -> models.Deliverable:
    rows = models.Deliverable.objects.filter(
        render__dub__scene__project__in=Project.objects.of_member(request.user)
    )
    rows = rows.select_related("render__dub__scene__project")
    return get_object_or_404(rows, id=deliverable_id)


def deliverable_with_own_face(
    request: MemberRequest, deliverable_id: UUID
) -> models.Deliverable:
    """Seen by members of its project, and by the actors whose faces are in it."""
    own = models.Deliverable.objects.filter(
        render__grants__actor__user=request.user.pk
    ) | models.Deliverable.objects.filter(
        render__dub__scene__project__memberships__user=request.user.pk
    )
    rows = own.distinct().select_related("render__dub__scene__project")
    return get_object_or_404(rows, id=deliverable_id)


def actor(request: MemberRequest, of: Project, actor_id: UUID) -> Actor:
    """Seen in a project whose cast they are in."""
    return get_object_or_404(Actor.objects.cast_in(of), id=actor_id)


def footage(request: MemberRequest, footage_id: UUID) -> models.Footage:
    rows = models.Footage.objects.filter(
        project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(rows.select_related("project", "actor"), id=footage_id)


def adaptation(request: MemberRequest, adaptation_id: UUID) -> models.Adaptation:
    rows = models.Adaptation.objects.filter(
        project__in=Project.objects.of_member(request.user)
    )
    rows = rows.select_related("project", "actor", "grant", "requested_by")
    return get_object_or_404(rows, id=adaptation_id)


def actor_model(request: MemberRequest, model_id: int) -> models.ActorModel:
    rows = models.ActorModel.objects.filter(
        grant__project__in=Project.objects.of_member(request.user)
    )
    return get_object_or_404(
        rows.select_related("grant__project", "actor"), pk=model_id
    )


def still(request: MemberRequest, still_id: UUID) -> models.ModelStill:
    rows = models.ModelStill.objects.filter(
        model__grant__project__in=Project.objects.of_member(request.user)
    )
    rows = rows.select_related("model__grant__project", "model__actor")
    return get_object_or_404(rows, id=still_id)


def roles(request: MemberRequest, of: Project) -> frozenset[str]:
    """The visitor's roles in a project, for showing only what they may do."""
    rows = Membership.objects.filter(project=of, user=request.user.pk)
    return frozenset(rows.values_list("role", flat=True))


def deliverable_of_actor(
    request: MemberRequest, deliverable_id: UUID
) -> models.Deliverable:
    """Seen by the actors whose grants it stands on."""
    rows = models.Deliverable.objects.filter(
        render__grants__actor__user_id=request.user.pk
    ).distinct()
    rows = rows.select_related("render__dub__scene__project")
    return get_object_or_404(rows, id=deliverable_id)
