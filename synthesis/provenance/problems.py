"""What is wrong with a Content Credential, in sentences for anyone.

The codes are those of C2PA spec 2.4, section 15.2.2, and our own reader-*.
"""

from __future__ import annotations

from synthesis.words import noted as _

_SAID = {
    "signingCredential.untrusted": _(
        "The signature is sound, but nobody this server trusts vouches for the signer."
    ),
    "signingCredential.expired": _(
        "The signer's certificate has expired, and no time-stamp proves that the file"
        " was signed before that."
    ),
    "claimSignature.outsideValidity": _(
        "The file was signed at a time when the signer's certificate was not valid."
    ),
    "reader-certificate-not-yet-valid": _(
        "The signer's certificate is not valid yet: its time begins in the future."
    ),
    "signingCredential.invalid": _(
        "The signer's certificate was made for another purpose than signing Content"
        " Credentials, or not as the rules ask."
    ),
    "signingCredential.revoked": _(
        "The signer's certificate was revoked by whoever issued it."
    ),
    "claimSignature.mismatch": _(
        "The signature does not fit: the credential was changed, or signed with another"
        " key than its certificate's."
    ),
    "claimSignature.missing": _("The credential is not signed."),
    "claim.missing": _("The credential makes no claim at all."),
    "assertion.bmffHash.mismatch": _(
        "Picture, sound or structure of the file were changed after it was signed."
    ),
    "assertion.dataHash.mismatch": _("The file was changed after it was signed."),
    "assertion.hashedURI.mismatch": _(
        "What the credential says was changed after it was signed."
    ),
    "assertion.missing": _("A part of what was signed has been taken out."),
    "ingredient.manifest.mismatch": _(
        "The credential of something this was made from was changed afterwards."
    ),
    "ingredient.manifest.missing": _(
        "The credential of something this was made from is gone."
    ),
    "manifest.update.invalid": _("An addition to the credential says what it may not."),
    "reader-file-broken": _("The file is broken or cut off, so not all could be read."),
    "reader-stopped": _("Reading took more than one file may, and was stopped."),
    "reader-format-unknown": _("Files of this format carry no credential we can read."),
    "reader-remote-not-fetched": _(
        "The credential is said to lie on another server. It was not fetched, since"
        " that would tell its keeper who asks."
    ),
}


def in_words(code: str) -> str:
    """The sentence for a problem code; of one we do not know, that it is there."""
    return _SAID.get(code, _("The credential breaks a rule of its standard."))
