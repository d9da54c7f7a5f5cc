"""The C2PA Soft Binding Resolution API 1.0, for software that found a mark.

C2PA spec 2.4, "Soft Binding API"; what it takes and answers is described in
static/synthesis/soft-binding.openapi.json. No account, nothing kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from synthesis.errors import SynthesisError
from synthesis.provenance.mark import ALGORITHM
from synthesis.ratelimit import Limit, network_of
from synthesis.services.lookup import binding_resolve, content_resolve, manifest_store
from synthesis.verification.looking import a_turn, busy
from synthesis.verification.nameless import nameless_file, path_of
from synthesis.verification.pages import FILES

QUERIES: Final = Limit("lookup", most=300, window_s=600)
LARGEST_QUERY: Final = 4096
MOST_RESULTS: Final = 10
STATUS: Final = {
    "no-such-manifest": 404,
    "not-a-video": 415,
    "too-large": 413,
    "busy": 503,
}
DESCRIPTION: Final = "static/synthesis/soft-binding.openapi.json"
_BLOCK = 1 << 20

View = Callable[..., HttpResponse]


def answered(
    method: tuple[str, ...], limit: Limit, largest: Callable[[], int]
) -> Callable[[View], View]:
    """For programs: no cookie and so no CSRF, refusals as JSON, limits before work."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @require_http_methods(list(method))
        @wraps(view)
        def asked(request: HttpRequest, *args: str, **kw: str) -> HttpResponse:
            if limit.count(network_of(request)) > limit.most:
                return refusal(429, "too-often", "Too many questions. Wait a while.")
            if int(request.META.get("CONTENT_LENGTH") or 0) > largest():
                return refusal(413, "too-large", "This is larger than is taken here.")
            try:
                return view(request, *args, **kw)
            except SynthesisError as error:
                status = STATUS.get(error.code, 400)
                return refusal(status, error.code, error.sentence)

        return asked

    return decorate


def refusal(status: int, code: str, sentence: str) -> JsonResponse:
    """A refusal as every path of the interface words it."""
    return JsonResponse({"code": code, "sentence": sentence}, status=status)


@answered(("GET", "HEAD", "POST"), QUERIES, lambda: LARGEST_QUERY)
def by_binding(request: HttpRequest) -> HttpResponse:
    """Manifests by a mark that the caller has read."""
    most = most_results(request)
    asked = query_body(request) if request.method == "POST" else request.GET.dict()
    algorithm, value = asked.get("alg"), asked.get("value")
    if not isinstance(algorithm, str) or not isinstance(value, str):
        raise SynthesisError("bad-query", "Both alg and value are needed, as text.")
    found = binding_resolve(algorithm=algorithm, value=value)
    return matches(found[:most])


@answered(("POST",), FILES, lambda: int(settings.VERIFY_MAX_BYTES))
def by_content(request: HttpRequest) -> HttpResponse:
    """Manifests by a video in the body, whose mark is read here."""
    most = most_results(request)
    kind = str(request.content_type)
    if not kind.startswith("video/") and kind != "application/mp4":
        raise SynthesisError("not-a-video", "Only videos carry a mark: send video/*.")
    with nameless_file() as copy, a_turn() as mine:
        if not mine:
            raise busy()
        while block := request.read(_BLOCK):
            copy.write(block)
        copy.flush()
        found = content_resolve(
            path=path_of(copy), algorithm=request.GET.get("alg", "")
        )
    return matches(found[:most])


@answered(("GET", "HEAD"), QUERIES, lambda: LARGEST_QUERY)
def manifest(request: HttpRequest, manifest_id: str) -> HttpResponse:
    """The newest manifest store that the manifest is part of."""
    asked = request.GET.get("returnActiveManifest", "false")
    if asked not in ("true", "false"):
        raise SynthesisError("bad-query", "returnActiveManifest is true or false.")
    store = manifest_store(manifest_id=manifest_id, only_active=asked == "true")
    answer = HttpResponse(store, content_type="application/c2pa")
    answer["Cache-Control"] = "no-store"  # a withdrawal must show at once
    return answer


@answered(("GET", "HEAD"), QUERIES, lambda: LARGEST_QUERY)
def algorithms(request: HttpRequest) -> HttpResponse:
    """The soft binding algorithms that are read here."""
    return JsonResponse({"watermarks": [{"alg": ALGORITHM}], "fingerprints": []})


@answered(("GET", "HEAD"), QUERIES, lambda: LARGEST_QUERY)
def description(request: HttpRequest) -> HttpResponse:
    """The interface in OpenAPI 3, with this server's address in it."""
    told = json.loads((Path(settings.BASE_DIR) / DESCRIPTION).read_text("utf-8"))
    base = request.build_absolute_uri(request.path).rpartition("/")[0]
    return JsonResponse(told | {"servers": [{"url": base}]})


def most_results(request: HttpRequest) -> int:
    """maxResults of the query, at least one, and no more than we ever answer."""
    text = request.GET.get("maxResults", str(MOST_RESULTS))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise SynthesisError("bad-query", "maxResults is a whole number from 1 on.")
    return min(int(text), MOST_RESULTS)


def query_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body."""
    try:
        asked = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise SynthesisError("bad-query", "The body is not JSON.") from error
    if not isinstance(asked, dict):
        raise SynthesisError("bad-query", "The body is not a JSON object.")
    return asked


def matches(ids: list[str]) -> JsonResponse:
    """Manifests as the specification lists them."""
    return JsonResponse({"matches": [{"manifestId": one} for one in ids]})
