"""The actor's own pages: what is asked, what was signed, the passkeys."""

from __future__ import annotations

import json
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from consent.errors import SignatureRefused
from consent.models import Actor, Status
from consent.seams import seams
from consent.services.passkeys import (
    passkey_confirm,
    passkey_confirm_options,
    passkey_enrol,
    passkey_enrol_options,
    relying_party,
)

CHALLENGE = "passkey-challenge"


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
        elif grant.status in (Status.ACTIVE, Status.NOT_YET, Status.SUSPENDED):
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
        "faces_waiting": seams.faces_waiting(actor),
    }
    return render(request, "consent/home.html", context)


@login_required
@require_GET
def passkeys(request: HttpRequest) -> HttpResponse:
    """The actor's passkeys, and a way to add one."""
    actor = own_actor(request)
    user = cast(AbstractBaseUser, request.user)
    options = passkey_enrol_options(actor=actor, acting_user=user)
    request.session[CHALLENGE] = options["challenge"]
    context = {
        "actor": actor,
        "passkeys": actor.passkeys.all(),
        "unconfirmed": [
            (key, json.dumps(passkey_confirm_options(credential=key, acting_user=user)))
            for key in actor.passkeys.all()
            if not key.is_usable
        ],
        "options": json.dumps(options),
        "elsewhere": passkeys_work_at(request),
    }
    return render(request, "consent/passkeys.html", context)


@login_required
@require_POST
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Enrol what the browser's authenticator answered."""
    actor = own_actor(request)
    challenge = request.session.pop(CHALLENGE, None)
    if challenge is None:
        raise SignatureRefused("This page was used already. Go back and try again.")
    credential = passkey_enrol(
        actor=actor,
        response=request.POST.get("response", ""),
        challenge=challenge,
        acting_user=cast(AbstractBaseUser, request.user),
    )
    if not credential.is_usable:
        messages.info(request, "One more step: confirm it with a passkey you have.")
        return redirect("consent:passkeys")
    messages.success(request, "Your passkey is set up. You can sign with it now.")
    return redirect("consent:home")


@login_required
@require_POST
def passkey_vouch(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    """Confirm a further passkey with one that the actor has used before."""
    credential = get_object_or_404(own_actor(request).passkeys, pk=passkey_id)
    passkey_confirm(
        credential=credential,
        assertion=request.POST.get("response", ""),
        acting_user=cast(AbstractBaseUser, request.user),
    )
    messages.success(request, "Confirmed. You can sign with it now.")
    return redirect("consent:passkeys")
