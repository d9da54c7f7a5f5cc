"""Whether the house runs: for the operator, a load balancer, and the launcher."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import django_rq
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError
from rq import Worker

log = logging.getLogger(__name__)


def health(request: HttpRequest) -> JsonResponse:
    """Each part as JSON; 503 if one that every job needs is missing. States only:
    no names, paths or addresses, since anybody may ask."""
    parts = {
        "database": checked(database_state),
        "queue": checked(queue_state),
        "worker": checked(worker_state),
        "weights": checked(weights_state),
        "keys": checked(keys_state),
    }
    is_well = all(part["ok"] for part in parts.values())
    answer = {"ok": is_well, **parts}
    response = JsonResponse(answer, status=200 if is_well else 503)
    response["Cache-Control"] = "no-store"
    return response


def checked(state: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return state()
    except (DatabaseError, RedisError, OSError) as error:
        log.warning("health-failed part=%s error=%s", state.__name__, type(error))
        return {"ok": False}


def database_state() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True, "vendor": connection.vendor}


def queue_state() -> dict[str, Any]:
    queue = django_rq.get_queue("default")
    queue.connection.ping()
    return {
        "ok": True,
        "waiting": queue.count,
        "failed": queue.failed_job_registry.count,
    }


def worker_state() -> dict[str, Any]:
    """A worker that died is listed until its key ends: the heartbeat tells."""
    workers = Worker.all(connection=django_rq.get_connection("default"))
    beats = [w.last_heartbeat for w in workers if w.last_heartbeat]
    if not beats:
        return {"ok": False, "count": len(workers), "heartbeat_age_s": None}
    # RQ gives aware or naive UTC by version.
    newest = max(b if b.tzinfo else b.replace(tzinfo=UTC) for b in beats)
    age_s = round((datetime.now(UTC) - newest).total_seconds(), 1)
    return {"ok": age_s < 60, "count": len(workers), "heartbeat_age_s": age_s}


def weights_state() -> dict[str, Any]:
    """The networks that come with the repository."""
    files = list((settings.BASE_DIR / "synthesis").glob("**/*.safetensors"))
    return {"ok": bool(files), "files": len(files)}


def keys_state() -> dict[str, Any]:
    """The keys folder is there and closed to everybody else."""
    mode = settings.KEYS_DIR.stat().st_mode & 0o077
    return {"ok": mode == 0}
