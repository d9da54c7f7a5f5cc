"""What a deliverable was made from, read where strangers' files are read.

A scene may be gigabytes long, and is somebody's upload: the native library sees it in
the sandbox only. What comes back is the ingredient's own credential and what was found
of it, which the manifest then keeps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthesis.errors import MediaRefused
from synthesis.media.sandbox import Child
from synthesis.provenance.read import TIME_LIMIT_S, child_caps

_ENTRY = "synthesis.provenance.ingredient_child:answer"
_LARGEST_ARCHIVE = 64 << 20


def ingredient_archive(
    path: Path,
    about: dict[str, Any],
    *,
    anchors: bytes,
    time_limit_s: int = TIME_LIMIT_S,
) -> bytes | None:
    """Return a file as an ingredient, for Builder.add_ingredient_from_archive; None
    where it can only go in by its hash: it is broken, or of a kind that carries no
    credential.

    about: what is said of it, its label among that. anchors: PEM roots by which its
    own credential is judged.
    """
    arguments = {"anchors": anchors.decode("ascii"), "about": about}
    try:
        with Child(_ENTRY, path, arguments, child_caps(time_limit_s)) as child:
            length = child.next_bytes(_LARGEST_ARCHIVE)
            return child.take(length) if length else None
    except MediaRefused:
        return None
