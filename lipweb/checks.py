"""What must be right before the house opens: `manage.py check` and each start."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.x509 import load_pem_x509_certificates
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from redis import Redis
from redis.exceptions import RedisError

from synthesis.house_keys import SOCKET, certificate_trouble
from synthesis.services.labels import label_font_trouble


@register(Tags.files)
def data_folder(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    folder: Path = settings.DATA_DIR
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            "The data folder cannot be written.",
            hint="Make it writable for this user, or let LIPWEB_DATA name another.",
            id="lipweb.E001",
        )
    ]


@register(Tags.security)
def keys_folder(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """Private keys are for the owner alone: nobody else may even enter the folder."""
    folder: Path = settings.KEYS_DIR
    if not folder.exists() or not folder.stat().st_mode & 0o077:
        return []
    return [
        Error(
            "Other users of this machine can enter the keys folder.",
            hint="chmod go= on the folder keys in the data folder.",
            id="lipweb.E002",
        )
    ]


@register(Tags.security)
def secret_key(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    if len(settings.SECRET_KEY) >= 50 and len(set(settings.SECRET_KEY)) >= 5:
        return []
    return [
        Error(
            "SECRET_KEY is too short to keep sessions safe.",
            hint="Leave it out: a good one is then made and kept in the data folder.",
            id="lipweb.E003",
        )
    ]


@register(Tags.security)
def signing_pair(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """Certificate and key of the outputs' signer: both, readable, or neither."""
    given = [settings.C2PA_CERTIFICATE, settings.C2PA_PRIVATE_KEY]
    if not any(given):
        return [
            Warning(
                "Outputs are signed by this installation's own test authority, which "
                "nobody else trusts.",
                hint="Set C2PA_CERTIFICATE and C2PA_PRIVATE_KEY before anything leaves "
                "the house.",
                id="lipweb.W001",
            )
        ]
    readable = [path.removeprefix(SOCKET) for path in given]
    if all(given) and all(os.access(path, os.R_OK) for path in readable):
        return []
    return [
        Error(
            "C2PA_CERTIFICATE and C2PA_PRIVATE_KEY must both name readable files.",
            id="lipweb.E004",
        )
    ]


@register(Tags.security)
def trusted_roots(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """Without them no file's credential can be read at all."""
    found = []
    for name in ("C2PA_ROOT", "C2PA_TIMESTAMP_ROOT"):
        path = getattr(settings, name)
        try:
            if path:
                load_pem_x509_certificates(Path(path).read_bytes())
        except (OSError, ValueError):
            found.append(
                Error(
                    f"{name} must name a file of certificates (PEM).", id="lipweb.E006"
                )
            )
    return found


@register(Tags.security)
def signing_certificate(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """A certificate out of date stops every render at its very end: say so before."""
    if signing_pair(app_configs) and settings.C2PA_CERTIFICATE:
        return []  # Said already: the pair is not even there.
    trouble = certificate_trouble()
    if not trouble:
        return []
    hint = (
        "Set C2PA_CERTIFICATE and C2PA_PRIVATE_KEY to a new pair."
        if settings.C2PA_CERTIFICATE
        else "manage.py renewcertificate"
    )
    return [Warning(trouble, hint=hint, id="lipweb.W003")]


@register(Tags.files)
def label_font(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """A font that is not there would be missed only when a dub needs its letters."""
    trouble = label_font_trouble()
    return [Error(trouble, id="lipweb.E007")] if trouble else []


@register(Tags.caches)
def queue_server(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """Only a warning: manage.py has work to do before the queue runs. The embedded
    one starts with the house, so it is not missed here."""
    if settings.QUEUE_IS_EMBEDDED:
        return []
    try:
        Redis.from_url(settings.QUEUE_URL, socket_connect_timeout=2).ping()
    except (RedisError, ValueError):
        return [
            Warning(
                "The queue server that QUEUE_URL names does not answer.",
                hint="Start it, or leave QUEUE_URL out to use the embedded one.",
                id="lipweb.W002",
            )
        ]
    return []


@register(Tags.security)
def debug_pages(app_configs: Any, **options: Any) -> Sequence[CheckMessage]:
    """With DEBUG, error pages show settings and code to whoever meets them."""
    if not settings.DEBUG or settings.SITE_HOST in ("localhost", "127.0.0.1"):
        return []
    return [
        Error(
            "DEBUG is on for a site that others reach.",
            hint="Leave DEBUG out of the environment.",
            id="lipweb.E005",
        )
    ]
