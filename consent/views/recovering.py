"""The producer's side of a recovery: opening it, and comparing the fingerprint."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from consent.access import require_producer
from consent.errors import NotAllowed
from consent.models import Actor, KeyRecovery
from consent.services.recovery import recovery_compare, recovery_open
from consent.views.cast import visible_project
from consent.views.grants import asker


class OpenForm(forms.Form):
    """Why somebody needs a new passkey."""

    reason = forms.CharField(
        max_length=500,
        label=gettext_lazy("What happened"),
        help_text=gettext_lazy(
            "A sentence. Every receipt of what the new passkey signs will show it."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class CompareForm(forms.Form):
    """What the actor read out."""

    channel = forms.ChoiceField(
        label=gettext_lazy("How you speak with the actor"),
        choices=[("", gettext_lazy("Choose")), *KeyRecovery.Channel.choices],
        help_text=gettext_lazy("Not by e-mail: that mailbox may be in other hands."),
    )
    fingerprint = forms.CharField(
        max_length=60,
        label=gettext_lazy("The fingerprint they read out"),
        help_text=gettext_lazy(
            "Six groups of four letters and digits, from the actor's own screen."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "mono"}),
    )


@login_required
@require_http_methods(["GET", "POST"])
def recover(request: HttpRequest, project_id: UUID, actor_id: UUID) -> HttpResponse:
    """Open a recovery, see how far it is, and say that the fingerprint was compared."""
    project = visible_project(request, project_id)
    user = asker(request)
    require_producer(user, project)
    actor = get_object_or_404(Actor.objects.cast_in(project), pk=actor_id)
    newest = actor.recoveries.select_related("passkey", "opened_by").first()
    comparing = bool(newest and newest.new_passkey and not newest.compared_at)
    form = (CompareForm if comparing else OpenForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            if comparing and newest is not None:
                recovery_compare(
                    project=project,
                    recovery=newest,
                    acting_user=user,
                    **form.cleaned_data,
                )
                messages.success(request, _("Kept. The waiting time runs from now."))
            else:
                recovery_open(
                    project=project,
                    actor=actor,
                    acting_user=user,
                    **form.cleaned_data,
                )
                messages.success(request, _("The link is on its way to the actor."))
        except NotAllowed as refusal:
            form.add_error(None, refusal.sentence)
        else:
            return redirect("consent:recover", project_id=project.id, actor_id=actor.id)
    context = {
        "project": project,
        "actor": actor,
        "recovery": newest,
        "comparing": comparing,
        "form": form,
        "hours": settings.RECOVERY_WAIT_HOURS,
    }
    status = 422 if form.errors else 200
    return render(request, "consent/recover.html", context, status=status)
