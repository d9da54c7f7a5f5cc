"""The start page: what waits, and where the work is."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from consent.access import is_operator
from consent.models import Project, Role
from lipweb.models import User
from lipweb.pages.inbox import inbox_of, link_to
from lipweb.standing import Standing
from synthesis.models import Render


def home(request: HttpRequest) -> HttpResponse:
    """A visitor reads what this is; an actor goes to their consent; others work."""
    if not request.user.is_authenticated:
        return render(request, "welcome.html")
    user = request.user
    standing = Standing(user)
    consent_page = link_to("consent:home")
    works_here = standing.is_member or is_operator(user)
    if standing.is_actor and not works_here and consent_page:
        return redirect(consent_page)
    if standing.is_cosigner and not works_here:
        return redirect("consent:cosigner_home")
    page = {"waiting": inbox_of(user), "projects": project_rows(user)}
    if is_operator(user):
        page["others"] = Project.objects.exclude(memberships__user=user)
    return render(request, "home.html", page)


def project_rows(user: User) -> list[dict[str, Any]]:
    """The person's projects with their numbers and the roles the person has there."""
    projects = Project.objects.of_member(user)
    numbers = projects.annotate(
        scene_count=Count("scenes", distinct=True),
        live_count=Count(
            "scenes__dubs__renders",
            filter=Q(scenes__dubs__renders__state__in=Render.LIVE),
            distinct=True,
        ),
    ).values_list("pk", "scene_count", "live_count")
    counts = {pk: (scenes, live) for pk, scenes, live in numbers}
    roles: dict[object, list[str]] = {}
    for membership in user.memberships.all():
        label = str(Role(membership.role).label)
        roles.setdefault(membership.project_id, []).append(label)
    return [
        {
            "project": project,
            "roles": ", ".join(sorted(roles[project.pk])),
            "scene_count": counts[project.pk][0],
            "live_count": counts[project.pk][1],
            "link": link_to("synthesis:project", project_id=project.pk),
        }
        for project in projects
    ]
