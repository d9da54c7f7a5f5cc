"""What an actor signs about a face: that it is theirs, and whether it may be kept."""

from __future__ import annotations

from typing import Any, Final

from consent.canonical import canonical_bytes, sha256_hex
from consent.record import ShownText

FACE_SCHEMA: Final = "lipweb-face-confirmation-v1"
FACE_TEMPLATE: Final = "lipweb-face-confirmation-en-1"


def face_digest(*, source_sha256: str, frames: tuple[int, int], sheet: str) -> str:
    """Return the SHA-256 (hex) that names one face as it was shown: the file it is in,
    its first and past-the-last frame there, and the SHA-256 of the picture shown."""
    named = {
        "source_sha256": source_sha256,
        "first_frame": frames[0],
        "end_frame": frames[1],
        "sheet_sha256": sheet,
    }
    return sha256_hex(canonical_bytes(named))


def shown_face(title: str, *, remembers: bool) -> tuple[ShownText, str]:
    """Return the words of confirming a face, and what names them.

    title says where the face is seen, such as 'The pier, face 2'."""
    lines = [
        f"The face in the pictures shown with this, from “{title}”, is yours.",
        "Work that you have allowed may go on with this face. This allows nothing new.",
    ]
    if remembers:
        lines += [
            "It may be measured, and the numbers kept, to tell your face from others'"
            " in later shots. They are used for nothing else.",
            "You can have them deleted at any time. They are deleted when you withdraw"
            " the consent they stand on.",
        ]
    else:
        lines.append("No numbers are kept of it: this is about this face only.")
    text = "\n".join(["What you confirm", *lines])
    shown = ShownText(template=FACE_TEMPLATE, locale="en", sha256=sha256_hex(text))
    return shown, text


def face_document(
    *, actor_id: str, face_sha256: str, remembers: bool, text: ShownText
) -> dict[str, Any]:
    """Return what an actor signs to confirm one face, named by face_digest()."""
    return {
        "schema": FACE_SCHEMA,
        "actor": actor_id,
        "face_sha256": face_sha256,
        "remembers": remembers,
        "text": {
            "template": text.template,
            "locale": text.locale,
            "sha256": text.sha256,
        },
    }
