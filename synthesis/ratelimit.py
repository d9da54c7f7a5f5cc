"""Limits on how often something may fail, counted in the cache that all web
processes share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache


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
