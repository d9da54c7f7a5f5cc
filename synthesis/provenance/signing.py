"""The one call into the native library that signs, for first manifests and updates."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import BinaryIO

import c2pa

from synthesis.provenance.native import settings
from synthesis.provenance.signers import Signer
from synthesis.provenance.timestamps import TimestampRelay

log = logging.getLogger(__name__)

STORE_KIND = "application/c2pa"
_WITHOUT_THE_FILE = {"assertion.bmffHash.mismatch", "signingCredential.untrusted"}
Unsigned = Callable[[], c2pa.Builder]
"""Makes what is to be signed; a builder signs once, and a second try needs another."""


def builder_sign(
    unsigned: Unsigned,
    kind: str,
    source: BinaryIO,
    target: BinaryIO,
    *,
    signer: Signer,
    time_authority: str = "",
) -> bytes:
    """Write `source` (media type `kind`) with its new manifest to `target`, and return
    the manifest store. Memory stays constant.

    time_authority: address of an RFC 3161 authority, or "". Where it gives no usable
    time-stamp within seconds the manifest is signed without one.
    Raises c2pa.C2paError or OSError; the target is then anything.
    """
    if time_authority:
        try:
            with TimestampRelay(time_authority) as relay:
                store = _sign(unsigned, kind, source, target, signer, relay.address)
            if _holds(store):
                return store
        except (c2pa.C2paError, OSError, ValueError):
            pass  # Perhaps not the authority's fault: the second try will show.
        log.warning("signing again without a time-stamp")
    return _sign(unsigned, kind, source, target, signer, None)


def _holds(store: bytes) -> bool:
    """Whether a new manifest would be valid with its file, which is not looked at. A
    time-stamp by a certificate that is not as C2PA wants it makes the manifest itself
    invalid, not only the time unknown."""
    context = c2pa.Context.from_dict(settings(b""))
    with c2pa.Reader(STORE_KIND, io.BytesIO(store), context=context) as reader:
        found = reader.get_validation_results() or {}
    failed = {one["code"] for one in found.get("activeManifest", {}).get("failure", ())}
    return failed <= _WITHOUT_THE_FILE


def _sign(
    unsigned: Unsigned,
    kind: str,
    source: BinaryIO,
    target: BinaryIO,
    signer: Signer,
    timestamps: str | None,
) -> bytes:
    source.seek(0)
    target.seek(0)
    target.truncate()
    native = c2pa.Signer.from_callback(
        signer.sign,
        c2pa.C2paSigningAlg.ES256,
        signer.chain_pem.decode("ascii"),
        timestamps,
    )
    with native, unsigned() as builder:
        store: bytes = builder.sign(native, kind, source, target)
        return store
