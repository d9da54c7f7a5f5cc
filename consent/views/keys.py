"""One's own passkeys: adding, confirming and retiring them, and a way back when every
one is lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from consent.errors import SignatureRefused
from consent.models import Actor, Cosigner, PasskeyCredential
from consent.models.passkeys import Holder
from consent.readers import reading_locale, shown_locale
from consent.sentences import Section, sections_of
from consent.services.passkeys import (
    passkey_confirm,
    passkey_confirm_options,
    passkey_enrol,
    passkey_enrol_options,
)
from consent.services.recovery import recovery_enrol, recovery_read
from consent.services.retirement import (
    is_retirable,
    passkey_retire,
    passkey_retire_options,
    retirement_of,
)
from consent.views.grants import asker
from consent.views.own import passkeys_work_at

CHALLENGE = "passkey-challenge"


@dataclass(frozen=True)
class OwnKey:
    """A key as its holder's page shows it. Each of the two options is empty where the
    key cannot be confirmed, or retired, now."""

    key: PasskeyCredential
    confirm_options: str
    retire_options: str
    retiring: tuple[Section, ...]


def own_holder(request: HttpRequest) -> Holder:
    """Return the actor, or else the co-signer, who is asking, or answer 404."""
    user_id = asker(request).pk
    found: Holder | None = Actor.objects.filter(user_id=user_id).first()
    found = found or Cosigner.objects.filter(user_id=user_id).first()
    if found is None:
        raise Http404
    return found


def home_of(holder: Holder) -> str:
    """The name of the page where the holder finds what waits for them."""
    return "consent:home" if isinstance(holder, Actor) else "consent:cosigner_home"


def challenge_taken(request: HttpRequest) -> str:
    """Return the challenge that the last page asked for; it is good for one answer."""
    challenge = request.session.pop(CHALLENGE, None)
    if challenge is None:
        raise SignatureRefused("This page was used already. Go back and try again.")
    return str(challenge)


def enrol_options(request: HttpRequest, holder: Holder) -> str:
    """Return the creation options for this page, whose challenge is then awaited."""
    options = passkey_enrol_options(holder=holder, acting_user=asker(request))
    request.session[CHALLENGE] = options["challenge"]
    return json.dumps(options)


@login_required
@require_GET
def passkeys(request: HttpRequest) -> HttpResponse:
    """One's passkeys, and a way to add, to confirm and to retire one."""
    holder = own_holder(request)
    keys = holder.passkeys.select_related("recovery", "retirement", "confirmation")
    context = {
        "holder": holder,
        "home": home_of(holder),
        "keys": [_own_key(request, key) for key in keys],
        "options": enrol_options(request, holder),
        "elsewhere": passkeys_work_at(request),
    }
    return render(request, "consent/passkeys.html", context)


def _own_key(request: HttpRequest, key: PasskeyCredential) -> OwnKey:
    user, locale = asker(request), reading_locale()
    confirm: dict[str, Any] | None = None
    retire: dict[str, Any] | None = None
    if not key.is_confirmed and not key.is_retired:
        confirm = passkey_confirm_options(
            credential=key, acting_user=user, locale=locale
        )
    if is_retirable(key):
        retire = passkey_retire_options(credential=key, acting_user=user, locale=locale)
    return OwnKey(
        key=key,
        confirm_options=json.dumps(confirm) if confirm else "",
        retire_options=json.dumps(retire) if retire else "",
        retiring=sections_of(retirement_of(key, locale).shown_text) if retire else (),
    )


@login_required
@require_POST
def passkey_add(request: HttpRequest) -> HttpResponse:
    """Enrol what the browser's authenticator answered."""
    holder = own_holder(request)
    credential = passkey_enrol(
        holder=holder,
        response=request.POST.get("response", ""),
        challenge=challenge_taken(request),
        acting_user=asker(request),
    )
    if not credential.is_usable:
        messages.info(request, _("One more step: confirm it with a passkey you have."))
        return redirect("consent:passkeys")
    messages.success(request, _("Your passkey is set up. You can sign with it now."))
    return redirect(home_of(holder))


@login_required
@require_POST
def passkey_vouch(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    """Confirm a further passkey with one that was used before."""
    passkey_confirm(
        credential=get_object_or_404(own_holder(request).passkeys, pk=passkey_id),
        assertion=request.POST.get("response", ""),
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, _("Confirmed. You can sign with it now."))
    return redirect("consent:passkeys")


@login_required
@require_POST
def retire(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    """Retire a lost passkey with another one."""
    passkey_retire(
        credential=get_object_or_404(own_holder(request).passkeys, pk=passkey_id),
        assertion=request.POST.get("response", ""),
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, _("Retired. Nothing that it signs from now on counts."))
    return redirect("consent:passkeys")


@login_required
@require_http_methods(["GET", "POST"])
def recovery(request: HttpRequest, token: str) -> HttpResponse:
    """The actor's side of a recovery: what it is worth, and the new passkey."""
    user = asker(request)
    if request.method == "POST":
        recovery_enrol(
            token=token,
            response=request.POST.get("response", ""),
            challenge=challenge_taken(request),
            acting_user=user,
        )
        said = _("The new passkey is there. You can withdraw and suspend with it now.")
        messages.success(request, said)
        return redirect("consent:passkeys")
    opened = recovery_read(token=token, acting_user=user)
    context = {
        "recovery": opened,
        "options": enrol_options(request, opened.actor),
        "hours": settings.RECOVERY_WAIT_HOURS,
        "producer": opened.opened_by,
    }
    return render(request, "consent/recovery.html", context)
