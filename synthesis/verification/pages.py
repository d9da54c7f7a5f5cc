"""The public pages that say of any file what it is. No account, nothing kept.

The file is sent, and its sender led to a page of its own under a ticket, which tells
how far it is and then the verdict. Programs are answered the same in JSON.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from synthesis.errors import SynthesisError
from synthesis.ratelimit import Limit, network_of
from synthesis.sizelimit import FORM_ALLOWANCE
from synthesis.verification.inquiries import FAILED, LEFT_S, Inquiry, Ticket
from synthesis.verification.looking import inquiry_begin
from synthesis.verification.nameless import NamelessUpload
from synthesis.verification.words import STEPS, told
from synthesis.words import size_in_words

FILES = Limit("verify", most=20, window_s=600)
RETRY_AFTER_S = 1
HEARD_OUT_S = 10.0
LONGEST_NAME = 120

View = Callable[..., HttpResponse]


def limited(view: View) -> View:
    """Refuses who asks too often, and bodies that are too long, before anything of a
    body is read: Django's CSRF check reads all of it, so it is made after that."""
    protected = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def asked(request: HttpRequest) -> HttpResponse:
        if request.method == "POST":
            if FILES.count(network_of(request)) > FILES.most:
                return hung_up(request, "too-often")
            length = int(request.META.get("CONTENT_LENGTH") or 0)
            if length > settings.VERIFY_MAX_BYTES + FORM_ALLOWANCE:
                return hung_up(request, "too-large")
            taker = NamelessUpload(request, settings.VERIFY_MAX_BYTES)
            request.upload_handlers = [taker]
        return protected(request)

    return asked


@limited
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Takes a file and leads to the page of its inquiry: by a redirect, or by an
    address in JSON for those who ask for that."""
    if request.method != "POST":
        return page(request)
    file = request.FILES.get("file")
    taker = request.upload_handlers[0]
    if isinstance(taker, NamelessUpload) and taker.refusal:
        return refused(request, taker.refusal)
    if file is None or not file.size or file.file is None:
        return refused(request, "no-file")
    try:
        ticket = inquiry_begin(file.file, shown_name(file.name or ""))
    except SynthesisError as error:
        return refused(request, error.code)
    address = reverse("synthesis:verify_answer", args=[ticket.text])
    if wants_json(request):
        return going_on(request, ticket, Inquiry(""))
    return redirect(address)


@never_cache
@require_http_methods(["GET", "HEAD"])
def verify_answer(request: HttpRequest, ticket: str) -> HttpResponse:
    """How far an inquiry is, or its verdict: as a page, as the fragment that such a
    page asks for, or as JSON."""
    asked = ticket_of(ticket)
    inquiry = asked.read() if asked else None
    if asked is None or inquiry is None:
        return refused(request, "gone")
    asked.want()
    if inquiry.step == FAILED:
        return refused(request, "failed")
    if not inquiry.is_over:
        return going_on(request, asked, inquiry)
    assert inquiry.result is not None  # noqa: S101 - it is over and has not failed
    if wants_json(request):
        return JsonResponse(inquiry.result)
    context = {"result": inquiry.result, "name": inquiry.name, **told(inquiry.result)}
    if is_fragment(request):
        return render(request, "synthesis/verification/_result.html", context)
    return page(request, **context)


@require_POST
def verify_leave(request: HttpRequest, ticket: str) -> HttpResponse:
    """The asker went away, or says that the answer is not wanted: unless the page is
    asked for again at once, looking into the file ends."""
    asked = ticket_of(ticket)
    if asked is not None:
        asked.want(LEFT_S)
    return redirect("synthesis:verify")


def going_on(request: HttpRequest, ticket: Ticket, inquiry: Inquiry) -> HttpResponse:
    """What is said while there is no answer yet."""
    address = reverse("synthesis:verify_answer", args=[ticket.text])
    if wants_json(request):
        url = request.build_absolute_uri(address)
        body = {"address": url, "step": inquiry.step, "share": inquiry.share}
        headers = {"Location": url, "Retry-After": str(RETRY_AFTER_S)}
        return JsonResponse(body, status=202, headers=headers)
    context: dict[str, Any] = {
        "looking": inquiry,
        "name": inquiry.name,
        "stage": _(STEPS[inquiry.step]),
        "address": address,
        "leave": reverse("synthesis:verify_leave", args=[ticket.text]),
    }
    if is_fragment(request):
        return render(request, "synthesis/verification/_looking.html", context)
    return page(request, **context)


def refused(request: HttpRequest, code: str) -> HttpResponse:
    """The page with a sentence on what to do instead, or that as JSON."""
    status, sentence = refusal(code)
    if wants_json(request):
        return JsonResponse({"code": code, "sentence": sentence}, status=status)
    if is_fragment(request):
        context = {"refusal": sentence}
        return render(request, "synthesis/verification/_refused.html", context)
    return page(request, status, refusal=sentence)


def hung_up(request: HttpRequest, code: str) -> HttpResponse:
    """refused, for a body that is not wanted. It is heard for a while and forgotten:
    a browser that is cut off while it sends shows none of our words."""
    ends = time.monotonic() + HEARD_OUT_S
    while time.monotonic() < ends and request.read(1 << 20):
        pass
    return refused(request, code)


def refusal(code: str) -> tuple[int, str]:
    """The HTTP status and the sentence of each refusal."""
    most = size_in_words(settings.VERIFY_MAX_BYTES)
    return {
        "too-often": (
            429,
            _("Many files came from your address just now. Wait ten minutes."),
        ),
        "too-large": (
            413,
            _(
                "This file is larger than the %(most)s taken here. Send a clip of it:"
                " any two seconds or more of the picture will do."
            )
            % {"most": most},
        ),
        "no-file": (400, _("Choose a file that is not empty first.")),
        "no-room": (
            503,
            _("There is no room for this file just now. Try again in some minutes."),
        ),
        "busy": (
            503,
            _("Many files are being looked into just now. Try again in some minutes."),
        ),
        "gone": (
            410,
            _("This answer is deleted, as the file is. Send the file again to ask."),
        ),
        "failed": (
            503,
            _(
                "Looking into this file was broken off. Send it again; if that happens"
                " once more, send a shorter clip of it."
            ),
        ),
    }[code]


def page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    """The page, whatever it shows."""
    context["max_bytes"] = settings.VERIFY_MAX_BYTES
    template = "synthesis/verification/verify.html"
    return render(request, template, context, status=status)


def ticket_of(text: str) -> Ticket | None:
    """The ticket, if it has the form of one."""
    try:
        return Ticket(text)
    except ValueError:
        return None


def shown_name(name: str) -> str:
    """A file's name fit to be shown: its last part, printable, not too long."""
    last = PurePath(name).name
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME]


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks."""
    return "application/json" in request.headers.get("Accept", "")


def is_fragment(request: HttpRequest) -> bool:
    """Whether a page asks for a part of itself."""
    return bool(getattr(request, "htmx", False))
