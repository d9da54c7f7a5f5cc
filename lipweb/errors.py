"""The one place where errors become answers a person can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext
from django_htmx.http import HttpResponseClientRedirect

from consent.errors import ConsentError
from synthesis.errors import SynthesisError

STATUS_OF_CODE = {
    "consent-denied": 403,
    "not-allowed": 403,
    "not-approved": 403,
    "draft-not-releasable": 403,
    "not-found": 404,
}


@dataclass(frozen=True)
class Refusal:
    """What a page says instead of doing what was asked."""

    code: str
    title: str
    sentence: str


BAD_REQUEST = Refusal(
    "bad-request",
    "This could not be read",
    "Your browser sent something this page does not understand. Go back, load the "
    "page again and repeat what you did.",
)
FORBIDDEN = Refusal(
    "not-allowed",
    "Not open to you",
    "Your login does not open this page. Ask the producer of the project to add you, "
    "or sign in with another login.",
)
NOT_FOUND = Refusal(
    "not-found",
    "Nothing here",
    "There is no such page, or your login does not open it. Check the address, or "
    "start again from the start page.",
)
CSRF = Refusal(
    "form-expired",
    "The form was too old",
    "Nothing was changed. Go back, load the page again and send the form once more. "
    "Cookies must be allowed for this site.",
)
SERVER_ERROR = Refusal(
    "server-error",
    "Something broke on our side",
    "What you sent may not have been kept. Try again in a minute; if it stays so, "
    "tell the operator when it happened and what you did.",
)


def refused(request: HttpRequest, error: Refusal, status: int) -> HttpResponse:
    """The refusal in the form the caller reads: JSON, htmx fragment, page; in the
    language of the page, where it knows the sentence."""
    title, sentence = gettext(error.title), gettext(error.sentence)
    error = replace(error, title=title, sentence=sentence)
    if "application/json" in request.headers.get("Accept", ""):
        body = {"code": error.code, "sentence": error.sentence}
        return JsonResponse(body, status=status)
    if request.headers.get("HX-Request") == "true":
        response = render(request, "_refusal.html", {"error": error}, status=status)
        # Whatever the fragment was meant for stays; the sentence goes to #status.
        response["HX-Retarget"] = "#status"
        response["HX-Reswap"] = "innerHTML"
        return response
    return render(request, "refusal.html", {"error": error}, status=status)


class SentenceMiddleware:
    """Turns an app's error into its sentence, and a login asked for by a fragment
    into a login for the whole page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "htmx", None) and response.status_code == 302:
            login = resolve_url(settings.LOGIN_URL)
            if urlsplit(response["Location"]).path == login:
                return HttpResponseClientRedirect(login)
        return response

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if not isinstance(error, ConsentError | SynthesisError):
            return None
        refusal = Refusal(error.code, "This was not done", error.sentence)
        return refused(request, refusal, STATUS_OF_CODE.get(error.code, 400))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, BAD_REQUEST, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, FORBIDDEN, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(request, NOT_FOUND, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return refused(request, CSRF, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Made without the database or the queue, one of which may be what broke."""
    if request.headers.get("HX-Request") == "true" or (
        "application/json" in request.headers.get("Accept", "")
    ):
        return refused(request, SERVER_ERROR, 500)
    return render(request, "500.html", {"error": SERVER_ERROR}, status=500)
