"""Limits on how often something may fail, counted in the cache that all web
processes share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.core.cache import cache
from django.http import HttpRequest


@dataclass(frozen=True)
class Limit:
    """At most so many counted events for one key until window_s after the first."""

    scope: str
    most: int
    window_s: int

    def is_reached(self, key: str) -> bool:
        return int(cache.get(self._cache_key(key), 0)) >= self.most

    def count(self, key: str) -> int:
        """Count one event and return how many there are now. Atomic: the cache adds
        the key once and increments it in the server."""
        cache_key = self._cache_key(key)
        cache.add(cache_key, 0, timeout=self.window_s)
        try:
            return int(cache.incr(cache_key))
        except ValueError:  # the window ended between the two calls
            cache.add(cache_key, 1, timeout=self.window_s)
            return 1

    def forget(self, key: str) -> None:
        cache.delete(self._cache_key(key))

    def _cache_key(self, key: str) -> str:
        # Hashed: e-mail addresses are nobody's business in the queue server.
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return f"limit:{self.scope}:{digest}"


def network_of(request: HttpRequest) -> str:
    """Where a request comes from, to count by: an IPv4 address, or the /64 of an IPv6
    one, any address of which is its owner's to use."""
    address = str(request.META.get("REMOTE_ADDR"))
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ip_network((parsed, 64), strict=False))
    return address
