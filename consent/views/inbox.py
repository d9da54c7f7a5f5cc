"""A person's inbox: what they were told, read and unread, and how they want mail."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.errors import NotAllowed
from consent.models import Actor, Notice
from consent.models.notices import uses_wish_of
from consent.services.notices import notice_read, notice_wish_keep, notices_read
from consent.views.grants import asker

A_PAGE = 20


@login_required
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """Everything the person was told, newest first; ?unread=1 only what is new."""
    user = asker(request)
    rows = Notice.objects.filter(user=user.pk).select_related("project")
    only_unread = request.GET.get("unread") == "1"
    unread = rows.unread().count()
    shown = rows.unread() if only_unread else rows
    context = {
        "page": Paginator(shown, A_PAGE).get_page(request.GET.get("page")),
        "kept_in_links": "unread=1&" if only_unread else "",
        "only_unread": only_unread,
        "unread": unread,
        "wish": uses_wish_of(user),
        "wishes": Notice.Mail.choices,
        "is_actor": Actor.objects.filter(user_id=user.pk).exists(),
    }
    return render(request, "consent/inbox.html", context)


@login_required
@require_GET
def notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """Go to what a notice is about; it is read from then on."""
    found = get_object_or_404(Notice, pk=notice_id, user=asker(request).pk)
    notice_read(notice=found, acting_user=asker(request))
    return redirect(found.path or "consent:inbox")


@login_required
@require_POST
def all_read(request: HttpRequest) -> HttpResponse:
    notices_read(acting_user=asker(request))
    return redirect("consent:inbox")


@login_required
@require_POST
def wish(request: HttpRequest) -> HttpResponse:
    """Keep how the person wants to hear of uses by mail."""
    uses = request.POST.get("uses", "")
    if uses not in Notice.Mail.values:
        raise NotAllowed(_("Choose one of the ways that are offered."))
    notice_wish_keep(uses=uses, acting_user=asker(request))
    messages.success(request, _("Kept."))
    return redirect("consent:inbox")
