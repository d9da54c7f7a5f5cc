"""Pages of those who lead: a new project, its names, and who belongs to it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from consent.access import (
    is_operator,
    may_change_people,
    may_make_projects,
    require_may_change_people,
)
from consent.errors import ConsentError, NotAllowed
from consent.forms import MemberForm, ProjectForm
from consent.models import Membership, Project
from consent.services.people import (
    is_renamable,
    member_add,
    member_remove,
    project_create,
    project_rename,
)

FIELD_OF_CODE = {
    "address-wrong": "email",
    "already-member": "email",
    "login-closed": "email",
    "name-missing": "name",
    "name-too-long": "name",
    "name-wrong": "name",
    "role-wrong": "role",
}


@login_required
@require_http_methods(["GET", "POST"])
def project_new(request: HttpRequest) -> HttpResponse:
    """Name a new project; then on to its people."""
    user = cast(AbstractBaseUser, request.user)
    if not may_make_projects(user):
        raise Http404
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = project_create(acting_user=user, **form.cleaned_data)
        except ConsentError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, f"{made} is there, and you produce it.")
            return redirect("consent:people", project_id=made.id)
    status = 422 if form.errors else 200
    return render(request, "consent/project_new.html", {"form": form}, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def project_names(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Give a project other names, as long as no actor has read them."""
    project = project_of_people(request, project_id)
    user = cast(AbstractBaseUser, request.user)
    require_may_change_people(user, project)
    names = {"name": project.name, "company": project.company}
    form = ProjectForm(request.POST or None, initial=names)
    if request.method == "POST" and form.is_valid():
        try:
            project_rename(project=project, acting_user=user, **form.cleaned_data)
        except NotAllowed:
            raise
        except ConsentError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            messages.success(request, "The names are changed.")
            return redirect("consent:people", project_id=project.id)
    context = {"project": project, "form": form, "may": is_renamable(project)}
    status = 422 if form.errors else 200
    return render(request, "consent/project_names.html", context, status=status)


def project_of_people(request: HttpRequest, project_id: UUID) -> Project:
    """Return the project, or answer 404 to whoever is neither a member of it nor an
    operator."""
    user = cast(AbstractBaseUser, request.user)
    rows = Project.objects.all()
    if not is_operator(user):
        rows = rows.of_member(user)
    return get_object_or_404(rows, pk=project_id)


@login_required
@require_http_methods(["GET", "POST"])
def people(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Who belongs to the project; its producers and operators add people from here."""
    project = project_of_people(request, project_id)
    user = cast(AbstractBaseUser, request.user)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            new = member_add(project=project, acting_user=user, **form.cleaned_data)
        except NotAllowed:
            raise
        except ConsentError as refusal:
            form.add_error(FIELD_OF_CODE.get(refusal.code), refusal.sentence)
        else:
            messages.success(request, f"{new.user} is added and gets a mail.")
            return redirect("consent:people", project_id=project.id)
    members = project.memberships.select_related("user")
    may_change = may_change_people(user, project)
    context = {
        "project": project,
        "members": members.order_by("user__name", "user__email", "role"),
        "form": form,
        "is_member": members.filter(user_id=user.pk).exists(),
        "may_change": may_change,
        "may_rename": may_change and is_renamable(project),
    }
    status = 422 if form.errors else 200
    return render(request, "consent/people.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, project_id: UUID, membership_id: int) -> HttpResponse:
    """Ask whether to take a role from somebody, and do so."""
    project = project_of_people(request, project_id)
    user = cast(AbstractBaseUser, request.user)
    require_may_change_people(user, project)
    rows = Membership.objects.filter(project=project).select_related("user")
    membership = get_object_or_404(rows, pk=membership_id)
    context: dict[str, Any] = {"project": project, "membership": membership}
    if request.method != "POST":
        return render(request, "consent/member_remove.html", context)
    try:
        member_remove(project=project, membership=membership, acting_user=user)
    except NotAllowed:
        raise
    except ConsentError as refusal:
        context["refusal"] = refusal.sentence
        return render(request, "consent/member_remove.html", context, status=422)
    role = membership.get_role_display().lower()
    messages.success(request, f"{membership.user} is no {role} here any more.")
    if not is_operator(user) and membership.user_id == user.pk:
        return redirect("home")
    return redirect("consent:people", project_id=project.id)
