"""What everything that calls the native C2PA library has in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthesis.provenance.signers import C2PA_SIGNING

EMAIL_PROTECTION, DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36"
CONSENT_LABEL = "org.lipweb.consent"
"""Our own assertion: hashes of the consent records a file stands on."""
VISIBLE_LABEL = "org.lipweb.visible-label"
"""Our own assertion: what the label on the picture says, and how long."""
HEAD_BYTES = 16
LARGEST_MANIFEST_MB = 64
CLOCKS = "lipweb:clocks"
"""The trust list of time-stamp authorities. The library (0.38.1) takes it for one of
signers too, and names it: read_child undoes that."""
LARGEST_IN_MEMORY_MB = 32
"""Beyond this the library works on a temporary file instead of in memory."""


_BRANDS = {
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"mif1": "image/heif",
}
_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/avi", b"WEBP": "image/webp"}
_MAGIC = {
    b"fLaC": "audio/flac",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}


_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----\s*", re.DOTALL
)


def _without(roots: bytes, others: bytes) -> bytes:
    """The certificates of one PEM bundle that are not in the other.

    Who may sign may tell the time as well, so that of a root in both lists the library
    would name either as what it went by, at random.
    """
    known = {b"".join(one[1].split()) for one in _CERTIFICATE.finditer(others)}
    return b"".join(
        one[0]
        for one in _CERTIFICATE.finditer(roots)
        if b"".join(one[1].split()) not in known
    )


def settings(
    anchors: bytes, *, time_anchors: bytes = b"", created: Sequence[str] = ()
) -> dict[str, Any]:
    """Settings of the library: trust `anchors` (PEM or empty) to sign and
    `time_anchors` to tell the time, reach no network.
    created: for writing, the labels of assertions that are ours, not gathered."""
    usages = (C2PA_SIGNING.dotted_string, EMAIL_PROTECTION, DOCUMENT_SIGNING)
    trust: dict[str, Any] = {"trust_config": "\n".join(usages) + "\n"}
    if anchors.strip():
        trust["user_anchors"] = anchors.decode("ascii")
    if only_clocks := _without(time_anchors, anchors):
        trust["anchors"] = [
            {
                "trust_anchors": only_clocks.decode("ascii"),
                "trust_kind": "tsa",
                "trust_uri": CLOCKS,
            }
        ]
    return {
        "version": 1,
        "verify": {
            "verify_trust": True,
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            # Whoever signs reads the file back, in the child that reads strangers'.
            "verify_after_sign": False,
        },
        "core": {
            "allowed_network_hosts": [],
            "backing_store_memory_threshold_in_mb": LARGEST_IN_MEMORY_MB,
            "max_decompressed_manifest_size_in_mb": LARGEST_MANIFEST_MB,
        },
        "trust": trust,
        "builder": {
            "thumbnail": {"enabled": False},
            "created_assertion_labels": list(created),
            # Else a stranger could put boxes into a file that stays valid.
            "bmff_hash_exclude_free_and_skip_boxes": False,
        },
    }


def media_type(path: Path) -> str | None:
    """Media type by content, if one in which the library knows where manifests are."""
    with path.open("rb") as file:
        return media_type_of(file.read(HEAD_BYTES))


def media_type_of(head: bytes) -> str | None:
    """media_type, told from a file's first HEAD_BYTES."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0"):
        return "audio/mpeg"
    return None
