"""How often an address may ask something dear of us."""

from __future__ import annotations

import time

from django.core.cache import cache
from django.http import HttpRequest


def is_within_limit(
    request: HttpRequest, scope: str, *, limit: int, window_s: int
) -> bool:
    """Counts this request; False once the address has asked more than limit times in
    the present window of window_s seconds. Kept in the shared cache, so that it holds
    across web processes."""
    window = int(time.time()) // window_s
    key = f"limit:{scope}:{request.META.get('REMOTE_ADDR', '')}:{window}"
    cache.add(key, 0, timeout=window_s)
    try:
        return int(cache.incr(key)) <= limit
    except ValueError:  # the window ended between the two calls
        return True
