"""What every template may use."""

from typing import Any

from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Nothing yet but the page's own path, for marking the current place."""
    return {"here": request.path}
