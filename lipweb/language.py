"""Which language a page is in: what the person chose, or else what their browser asks
for. Pages for producers and reviewers are in English only, and are so throughout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

PRODUCERS_PAGES: Final = (
    "consent:actors",
    "consent:mandate",
    "consent:member_remove",
    "consent:people",
    "consent:project_names",
    "consent:project_new",
    "consent:propose",
)
TRANSLATED_PAGES: Final = ("own_face", "verify")
"""What the names of synthesis' pages for actors and for anybody begin with."""


class LanguageMiddleware:
    """Django's LocaleMiddleware, but for a person's own choice, and for pages that
    are in English only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(language_wanted(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> None:
        if is_english_only(request):
            # Ends with the request, as the language around it does.
            translation.activate("en")


def language_wanted(request: HttpRequest) -> str:
    """Return the language that the person chose, or their browser asks for."""
    chosen: str = getattr(request.user, "language", "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return translation.get_language_from_request(request)


def is_english_only(request: HttpRequest) -> bool:
    """Say whether a page is for people who work here, which has no translation."""
    match = request.resolver_match
    if match is None:
        return False
    if match.url_name == "home" and not match.app_name:
        return request.user.is_authenticated
    if match.app_name == "synthesis":
        return not str(match.url_name).startswith(TRANSLATED_PAGES)
    return match.view_name in PRODUCERS_PAGES


def languages_offered(request: HttpRequest) -> list[tuple[str, str]]:
    """Return code and own name of each other language that this page can be read in."""
    if is_english_only(request):
        return []
    here = translation.get_language()
    return [one for one in settings.LANGUAGES if one[0] != here]


@require_POST
def language_choose(request: HttpRequest) -> HttpResponse:
    """Keep the language somebody chose, with their login if they have one, and go
    back to the page they chose it on."""
    chosen, back = request.POST.get("language", ""), request.POST.get("next", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(back, hosts, request.is_secure())
    response = redirect(back if is_ours else "home")
    if chosen in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            request.user.language = chosen
            request.user.save(update_fields=["language"])
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
        )
    return response
