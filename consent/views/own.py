"""The actor's own pages: what is asked, what was signed, the passkeys."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.errors import SignatureRefused
from consent.history import history_of
from consent.models import Actor, PasskeyCredential, Status
from consent.readers import reading_locale, shown_locale
from consent.seams import Output, seams
from consent.services.passkeys import (
    passkey_confirm,
    passkey_confirm_options,
    passkey_enrol,
    passkey_enrol_options,
    relying_party,
)

CHALLENGE = "passkey-challenge"
STANDING = (Status.ACTIVE, Status.NOT_YET, Status.SUSPENDED)
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
            (key, json.dumps(_confirm_options(key, user)))
            for key in actor.passkeys.all()
            if not key.is_usable
        ],
        "options": json.dumps(options),
        "elsewhere": passkeys_work_at(request),
    }
    return render(request, "consent/passkeys.html", context)


def _confirm_options(key: PasskeyCredential, user: AbstractBaseUser) -> dict[str, Any]:
    return passkey_confirm_options(
        credential=key, acting_user=user, locale=reading_locale()
    )


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
        messages.info(request, _("One more step: confirm it with a passkey you have."))
        return redirect("consent:passkeys")
    messages.success(request, _("Your passkey is set up. You can sign with it now."))
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
        locale=shown_locale(request),
    )
    messages.success(request, _("Confirmed. You can sign with it now."))
    return redirect("consent:passkeys")
