"""What an actor signs about a face: that it is theirs, and whether it may be kept."""

from __future__ import annotations

from typing import Any, Final

from consent.canonical import canonical_bytes, sha256_hex
from consent.record import ShownText
from consent.record.grant import text_document
from consent.sentences.words import Section, named, one_line
from consent.tongue import tongue_of

FACE_SCHEMA: Final = "lipweb-face-confirmation-v1"
FACE_TEMPLATE: Final = "lipweb-face-confirmation-2"


def face_digest(*, source_sha256: str, frames: tuple[int, int], sheet: str) -> str:
    """Return the SHA-256 (hex) that names one face as it was shown: the file it is in,
    its first and past-the-last frame there, and the SHA-256 of the picture shown."""
    fields = {
        "source_sha256": source_sha256,
        "first_frame": frames[0],
        "end_frame": frames[1],
        "sheet_sha256": sheet,
    }
    return sha256_hex(canonical_bytes(fields))


def face_title(place: str, number: int | None, locale: str = "en") -> str:
    """Return where a face is seen, such as 'The pier, face 2'. number is that of the
    face in a scene; None where place is a clip of one face."""
    _ = tongue_of(locale)
    if number is None:
        return one_line(place)
    return _("%(scene)s, face %(number)d", scene=one_line(place), number=number)


def shown_face(
    title: str, *, remembers: bool, locale: str = "en"
) -> tuple[ShownText, str]:
    """Return the words of confirming a face, and what names them. title is the face's,
    from face_title in the same locale."""
    _ = tongue_of(locale)
    lines = [
        _(
            "The face in the pictures shown with this, from “%(title)s”, is yours.",
            title=title,
        ),
        _(
            "Work that you have allowed may go on with this face. This allows nothing "
            "new."
        ),
    ]
    if remembers:
        lines += [
            _(
                "It may be measured, and the numbers kept, to tell your face from "
                "others' in later shots. They are used for nothing else."
            ),
            _(
                "You can have them deleted at any time. They are deleted when you "
                "withdraw the consent they stand on."
            ),
        ]
    else:
        lines.append(_("No numbers are kept of it: this is about this face only."))
    section = Section(_("What you confirm"), tuple(lines))
    return named(FACE_TEMPLATE, _, (section,))


def face_document(
    *, actor_id: str, face_sha256: str, remembers: bool, text: ShownText
) -> dict[str, Any]:
    """Return what an actor signs to confirm one face, named by face_digest()."""
    return {
        "schema": FACE_SCHEMA,
        "actor": actor_id,
        "face_sha256": face_sha256,
        "remembers": remembers,
        "text": text_document(text),
    }
