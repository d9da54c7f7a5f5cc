"""One manifest: its claim, the claim's signature, and all that the claim hashes.

C2PA spec 2.4: claims 10, hashed URIs 8.4.2, signatures 13.2 (COSE_Sign1, RFC 9052).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import cbor2
from cryptography import x509

from consent.credential.boxes import Box, cbor_read
from consent.credential.chain import (
    certificates_read,
    root_of,
    verify_es256,
    verify_signer,
)
from consent.errors import RecordRefused, SignatureRefused

CLAIM, ASSERTIONS, SIGNATURE = "c2pa.claim.v2", "c2pa.assertions", "c2pa.signature"
ALGORITHM, CHAIN, ES256 = 1, 33, -7
COSE_SIGN1: Final = 18
_HERE: Final = "self#jumbf="
_INGREDIENT: Final = "c2pa.ingredient.v3"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest that its signer signed. assertions: what it asserts, by label; root:
    who vouches for the signer, None if nobody who is trusted."""

    id: str
    box: Box
    assertions: Mapping[str, Any]
    leaf: x509.Certificate
    root: x509.Certificate | None

    def parent(self) -> tuple[str, bytes] | None:
        """The id and the hash of the manifest that this one updates."""
        for label, said in self.assertions.items():
            is_parent = label.split("__")[0] == _INGREDIENT
            if is_parent and said.get("relationship") == "parentOf":
                named = said.get("activeManifest")
                if named is not None:
                    return str(named["url"]).rpartition("/")[2], bytes(named["hash"])
        return None


def verify_manifest(
    store: Box, name: str, *, roots: Sequence[x509.Certificate], at: datetime
) -> Manifest:
    """Return a manifest of the store, signed at or just before an aware moment. Raises
    SignatureRefused or RecordRefused at the first thing in it that does not hold."""
    try:
        return _verified(store, name, roots, at)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise RecordRefused(
            "A part of the Content Credential is not of its form."
        ) from error


def _verified(
    store: Box, name: str, roots: Sequence[x509.Certificate], at: datetime
) -> Manifest:
    box = store.child(name)
    content = box.child(CLAIM).cbor
    chain = _verify_signature(box.child(SIGNATURE).cbor, content)
    verify_signer(chain[0], at)
    claim = cbor_read(content)
    assertions = box.child(ASSERTIONS)
    _verify_hashes(claim, name, assertions)
    if claim.get("signature") not in (
        f"{_HERE}/c2pa/{name}/{SIGNATURE}",
        f"{_HERE}{SIGNATURE}",
    ):
        raise SignatureRefused("The claim names another signature.")
    return Manifest(
        id=name,
        box=box,
        assertions={
            one.label: cbor_read(one.cbor)
            for one in assertions.children
            if [kind for kind, _ in one.contents] == [b"cbor"]
        },
        leaf=chain[0],
        root=root_of(chain, roots, at),
    )


def _verify_signature(content: bytes, claim: bytes) -> list[x509.Certificate]:
    """Return the chain of who signed the claim's bytes."""
    signed = cbor_read(content)
    if not isinstance(signed, cbor2.CBORTag) or signed.tag != COSE_SIGN1:
        raise SignatureRefused("The Content Credential is signed in an unknown way.")
    protected, unprotected, payload, signature = signed.value
    said = cbor_read(protected)
    if said.get(ALGORITHM) != ES256 or payload is not None:
        raise SignatureRefused("The Content Credential is signed in an unknown way.")
    listed = said.get(CHAIN, unprotected.get(CHAIN))
    chain = certificates_read([listed] if isinstance(listed, bytes) else list(listed))
    message = cbor2.dumps(["Signature1", protected, b"", claim])
    verify_es256(chain[0], signature, message)
    return chain


def _verify_hashes(claim: Mapping[str, Any], name: str, assertions: Box) -> None:
    """Raise unless the claim names each assertion that there is, and no other."""
    if claim.get("alg", "sha256") != "sha256":
        raise SignatureRefused("The Content Credential is hashed in an unknown way.")
    listed = [*claim["created_assertions"], *claim.get("gathered_assertions", ())]
    wanted: dict[str, bytes] = {}
    for one in listed:
        label = str(one["url"]).removeprefix(_HERE).removeprefix(f"/c2pa/{name}/")
        wanted[label.removeprefix(f"{ASSERTIONS}/")] = bytes(one["hash"])
        if one.get("alg", "sha256") != "sha256":
            raise SignatureRefused("An assertion is hashed in an unknown way.")
    found = {one.label: one.sha256 for one in assertions.children}
    if len(found) != len(assertions.children) or len(wanted) != len(listed):
        raise RecordRefused("The Content Credential has an assertion twice.")
    if found != wanted:
        raise SignatureRefused(
            "What the Content Credential asserts was changed after it was signed."
        )
