"""The one place where the apps' errors become answers a person can read."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from consent.errors import ConsentError
from synthesis.errors import SynthesisError

STATUS_OF_CODE = {"consent-denied": 403, "not-allowed": 403, "not-found": 404}


class SentenceMiddleware:
    """Turns an app's error into its sentence: JSON, a fragment or a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if not isinstance(error, ConsentError | SynthesisError):
            return None
        status = STATUS_OF_CODE.get(error.code, 400)
        if "application/json" in request.headers.get("Accept", ""):
            body = {"code": error.code, "sentence": error.sentence}
            return JsonResponse(body, status=status)
        template = "_refusal.html" if getattr(request, "htmx", None) else "refusal.html"
        return render(request, template, {"error": error}, status=status)
