"""The calls into the native library that sign, for first manifests and updates.

It is given the head of a film only, never the film: see binding.py.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import c2pa

from synthesis.errors import SynthesisError
from synthesis.provenance.binding import Binding, Film
from synthesis.provenance.native import settings
from synthesis.provenance.signers import SIGNATURE_BYTES, Signer
from synthesis.provenance.timestamps import TimestampRelay

log = logging.getLogger(__name__)

STORE_KIND = "application/c2pa"
_WITHOUT_THE_FILE = {"assertion.bmffHash.mismatch", "signingCredential.untrusted"}
Unsigned = Callable[[], c2pa.Builder]
"""Makes what is to be signed; a builder signs once, and a second try needs another."""


UnsignedFilm = Callable[[Binding], c2pa.Builder]
"""The same, with what binds it to the film."""


@contextmanager
def or_not_signed() -> Iterator[None]:
    """What goes wrong in the block is a SynthesisError `credential-not-signed`."""
    try:
        yield
    except (c2pa.C2paError, OSError, ValueError) as error:
        raise not_signed() from error


def not_signed() -> SynthesisError:
    """What is raised wherever signing fails."""
    return SynthesisError(
        "credential-not-signed",
        "The Content Credential could not be signed, so the file was not made. "
        "Check the signing certificate and the free disk space, then try again.",
    )


def film_put(
    unsigned: UnsignedFilm,
    kind: str,
    source: Path,
    target: Path,
    *,
    signer: Signer,
    time_authority: str = "",
) -> bytes:
    """film_sign from file to file: the target appears whole or not at all, and may be
    the source itself."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".signing-")
    draft = Path(name)
    try:
        with source.open("rb") as plain, os.fdopen(handle, "w+b") as signed:
            store = film_sign(
                unsigned,
                kind,
                plain,
                signed,
                signer=signer,
                time_authority=time_authority,
            )
            signed.flush()
            os.fsync(signed.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return store


def film_sign(
    unsigned: UnsignedFilm,
    kind: str,
    source: BinaryIO,
    target: BinaryIO,
    *,
    signer: Signer,
    time_authority: str = "",
) -> bytes:
    """Write `source`, an MP4 or MOV (media type `kind`), with its new manifest to
    `target`, which is empty, and return the manifest store. The film is read and
    written once, block by block: memory does not grow with its length.

    Raises ValueError, c2pa.C2paError or OSError; the target is then anything.
    """
    film = Film(source)
    head = film.head
    # A manifest is as long as another that says as much: so one that nobody signed
    # tells where everything will lie, which the real one is about.
    draft, _ = _sign(lambda: unsigned(film.blank()), kind, head, _NoKey(signer), None)
    room = len(draft) - len(head)
    binding = film.copied(target, room)
    signed, store = head_sign(
        lambda: unsigned(binding),
        kind,
        head,
        signer=signer,
        time_authority=time_authority,
    )
    if len(signed) != len(draft) or not signed.startswith(head):
        raise ValueError("the manifest needs another room than was left for it")
    target.seek(len(head))
    target.write(signed[len(head) :])
    return store


def head_sign(
    unsigned: Unsigned,
    kind: str,
    head: bytes,
    *,
    signer: Signer,
    time_authority: str = "",
) -> tuple[bytes, bytes]:
    """Sign a manifest over the first boxes of a film, and return them with it, and
    the manifest store.

    time_authority: address of an RFC 3161 authority, or "". Where it gives no usable
    time-stamp within seconds the manifest is signed without one.
    Raises c2pa.C2paError or OSError.
    """
    if time_authority:
        try:
            with TimestampRelay(time_authority) as relay:
                signed, store = _sign(unsigned, kind, head, signer, relay.address)
            if _holds(store):
                return signed, store
        except (c2pa.C2paError, OSError, ValueError):
            pass  # Perhaps not the authority's fault: the second try will show.
        log.warning("signing again without a time-stamp")
    return _sign(unsigned, kind, head, signer, None)


class _NoKey:
    """Signs with nothing, to learn how long a manifest will be."""

    def __init__(self, signer: Signer) -> None:
        self.chain_pem, self.expires = signer.chain_pem, signer.expires

    def sign(self, message: bytes) -> bytes:
        """Return what is as long as a signature."""
        return bytes(SIGNATURE_BYTES)


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
    head: bytes,
    signer: Signer,
    timestamps: str | None,
) -> tuple[bytes, bytes]:
    signed = io.BytesIO()
    native = c2pa.Signer.from_callback(
        signer.sign,
        c2pa.C2paSigningAlg.ES256,
        signer.chain_pem.decode("ascii"),
        timestamps,
    )
    with native, unsigned() as builder:
        store: bytes = builder.sign(native, kind, io.BytesIO(head), signed)
        return signed.getvalue(), store
