"""What is signed to retire a passkey. No Django."""

from __future__ import annotations

from typing import Any, Final

from consent.canonical import sha256_hex
from consent.record import ShownText

RETIREMENT_SCHEMA: Final = "lipweb-passkey-retirement-v1"
RETIREMENT_TEMPLATE: Final = "lipweb-passkey-retirement-en-1"


def retirement_document(
    *, holder_id: str, credential: str, public_key_sha256: str, text: ShownText
) -> dict[str, Any]:
    """Return what somebody signs with one passkey of theirs to retire another.

    A key is retired once and for good, so the document needs no moment: the ledger
    says when it was signed."""
    return {
        "schema": RETIREMENT_SCHEMA,
        "holder": holder_id,
        "credential": credential,
        "public_key_sha256": public_key_sha256,
        "text": {
            "template": text.template,
            "locale": text.locale,
            "sha256": text.sha256,
        },
    }


def shown_retirement(fingerprint: str) -> tuple[ShownText, str]:
    """Return the words of retiring a passkey, and what names them in a record."""
    lines = (
        f"The passkey with the fingerprint {fingerprint} is lost, or is not yours.",
        "From now on nothing that it signs counts. What it signed before stays as it "
        "is; you can withdraw any of it with the passkey that you use now.",
        "It cannot be undone. The device can be set up again as a new passkey.",
    )
    text = "\n".join(("What you retire", *lines))
    shown = ShownText(
        template=RETIREMENT_TEMPLATE, locale="en", sha256=sha256_hex(text)
    )
    return shown, text
