"""What is wrong with a Content Credential, in sentences for anyone.

The codes are those of C2PA spec 2.4, section 15.2.2, and our own reader-*.
"""

from __future__ import annotations

_SAID = {
    "signingCredential.untrusted": (
        "The signature is sound, but nobody this server trusts vouches for the signer."
    ),
    "signingCredential.expired": (
        "The signer's certificate has expired, and no time-stamp proves that the file"
        " was signed before that."
    ),
    "claimSignature.outsideValidity": (
        "The file was signed at a time when the signer's certificate was not valid."
    ),
    "reader-certificate-not-yet-valid": (
        "The signer's certificate is not valid yet: its time begins in the future."
    ),
    "signingCredential.invalid": (
        "The signer's certificate was made for another purpose than signing Content"
        " Credentials, or not as the rules ask."
    ),
    "signingCredential.revoked": (
        "The signer's certificate was revoked by whoever issued it."
    ),
    "claimSignature.mismatch": (
        "The signature does not fit: the credential was changed, or signed with another"
        " key than its certificate's."
    ),
    "claimSignature.missing": "The credential is not signed.",
    "claim.missing": "The credential makes no claim at all.",
    "assertion.bmffHash.mismatch": (
        "Picture, sound or structure of the file were changed after it was signed."
    ),
    "assertion.dataHash.mismatch": "The file was changed after it was signed.",
    "assertion.hashedURI.mismatch": (
        "What the credential says was changed after it was signed."
    ),
    "assertion.missing": "A part of what was signed has been taken out.",
    "ingredient.manifest.mismatch": (
        "The credential of something this was made from was changed afterwards."
    ),
    "ingredient.manifest.missing": (
        "The credential of something this was made from is gone."
    ),
    "manifest.update.invalid": "An addition to the credential says what it may not.",
    "reader-file-broken": "The file is broken or cut off, so not all could be read.",
    "reader-stopped": "Reading took more than one file may, and was stopped.",
    "reader-format-unknown": "Files of this format carry no credential we can read.",
    "reader-remote-not-fetched": (
        "The credential is said to lie on another server. It was not fetched, since"
        " that would tell its keeper who asks."
    ),
}


def in_words(code: str) -> str:
    """The sentence for a problem code; of one we do not know, that it is there."""
    return _SAID.get(code, "The credential breaks a rule of its standard.")
