"""Limits on request bodies that hold before anything of the body is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from synthesis.words import size_in_words

View = Callable[..., HttpResponse]
FORM_ALLOWANCE = 64 << 10


def body_at_most(limit: Callable[[], int]) -> Callable[[View], View]:
    """Refuses a body longer than limit() bytes with 413 and a sentence.

    Django's CSRF check reads the whole form before a view is asked, so it is put off
    until the length has been looked at, and made then."""

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest, *args: object, **kw: object) -> HttpResponse:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
            if length > limit() + FORM_ALLOWANCE:
                return too_large(request, limit())
            return protected(request, *args, **kw)

        return checked

    return decorate


def too_large(request: HttpRequest, limit_bytes: int) -> HttpResponse:
    """413 as JSON or as a page."""
    sentence = (
        f"This file is larger than the {size_in_words(limit_bytes)} taken here. "
        "Send a shorter or more compressed one."
    )
    body = {"code": "too-large", "sentence": sentence}
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(body, status=413)
    return render(request, "refusal.html", {"error": body}, status=413)
