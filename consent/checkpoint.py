"""Signed checkpoints: the house's word on how its ledger stands at one size.

The form is that of transparency logs (C2SP tlog-checkpoint and signed-note): origin,
size and root on a line each, an empty line, and signatures; a witness may add its own
signature line later. Keys are Ed25519, written as C2SP note keys. No Django.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from consent.encoding import base64_bytes, base64_text
from consent.errors import LedgerBroken, RecordRefused

ED25519: Final = b"\x01"
PRIVATE: Final = "PRIVATE+KEY+"
_SIGNATURE_LINE: Final = "— "
_LARGEST_NOTE: Final = 65_536


@dataclass(frozen=True, kw_only=True)
class LedgerKey:
    """The public key of a ledger, with the name (origin) it signs under."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        fits = (
            self.name and not set(self.name) & set("+ \t\n\r") and self.name.isascii()
        )
        if not fits or len(self.public) != 32:
            raise RecordRefused("This is not the key of a ledger.")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of the hash that signature lines name the key by."""
        named = self.name.encode() + b"\n" + ED25519 + self.public
        return hashlib.sha256(named).digest()[:4]

    @property
    def text(self) -> str:
        """The key as it is published: name+id+base64."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(ED25519 + self.public)}"

    @property
    def fingerprint(self) -> str:
        """The start of the key's SHA-256 in groups, to be read out on a telephone."""
        digest = hashlib.sha256(self.public).hexdigest()
        return " ".join(digest[at : at + 4] for at in range(0, 24, 4))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a published key; RecordRefused if it is none, or misspelt."""
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        content = base64_bytes(encoded)
        key = cls(name=name, public=content[1:])
        if key.text != text:
            raise RecordRefused("This is not the key of a ledger.")
        return key


@dataclass(frozen=True, kw_only=True)
class LedgerSigner:
    """The private key of a ledger."""

    key: LedgerKey
    seed: bytes = field(repr=False)

    @classmethod
    def new(cls, name: str) -> Self:
        return cls._of_seed(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what text wrote; RecordRefused if it was not a signer's."""
        parts = text.strip().removeprefix(PRIVATE).split("+", 2)
        content = base64_bytes(parts[2]) if len(parts) == 3 else b""
        if not text.startswith(PRIVATE) or len(content) != 33:
            raise RecordRefused("This is not the private key of a ledger.")
        return cls._of_seed(parts[0], content[1:])

    @classmethod
    def _of_seed(cls, name: str, seed: bytes) -> Self:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes_raw()
        return cls(key=LedgerKey(name=name, public=public), seed=seed)

    @property
    def text(self) -> str:
        """The private key, for a file of mode 0600."""
        encoded = base64_text(ED25519 + self.seed)
        return f"{PRIVATE}{self.key.name}+{self.key.key_id.hex()}+{encoded}"

    def sign(self, body: bytes) -> bytes:
        """Return the 64-byte signature over body."""
        return Ed25519PrivateKey.from_private_bytes(self.seed).sign(body)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A ledger's size and 32-byte root, under the name of its key."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed, its last line end included."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"


def checkpoint_sign(*, size: int, root: bytes, signer: LedgerSigner) -> str:
    """Return the signed note that says: at this size the root was this."""
    checkpoint = Checkpoint(origin=signer.key.name, size=size, root=root)
    stamp = signer.key.key_id + signer.sign(checkpoint.body.encode())
    line = f"{_SIGNATURE_LINE}{signer.key.name} {base64_text(stamp)}\n"
    return f"{checkpoint.body}\n{line}"


def checkpoint_read(note: str) -> Checkpoint:
    """Read a note without looking at its signatures; RecordRefused if it is none."""
    body, gap, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if len(note) > _LARGEST_NOTE or not gap or len(lines) != 3:
        raise RecordRefused("This is not a ledger's checkpoint.")
    size = int(lines[1]) if lines[1].isascii() and lines[1].isdigit() else -1
    checkpoint = Checkpoint(origin=lines[0], size=size, root=base64_bytes(lines[2]))
    whole = checkpoint.body == body + "\n" and len(checkpoint.root) == 32
    signed = [line.startswith(_SIGNATURE_LINE) for line in signatures.splitlines()]
    if not whole or not signed or not all(signed) or not note.endswith("\n"):
        raise RecordRefused("This is not a ledger's checkpoint.")
    return checkpoint


def verify_checkpoint(note: str, key: LedgerKey) -> Checkpoint:
    """Return the checkpoint if the key signed it. Raises LedgerBroken if it did not,
    RecordRefused if the note is none. Other signers' lines are passed over."""
    checkpoint = checkpoint_read(note)
    if checkpoint.origin != key.name:
        raise LedgerBroken("The checkpoint is of another ledger.")
    for line in note.partition("\n\n")[2].splitlines():
        name, _, encoded = line.removeprefix(_SIGNATURE_LINE).partition(" ")
        if name == key.name and _signed(checkpoint, base64_bytes(encoded), key):
            return checkpoint
    raise LedgerBroken("The checkpoint is not signed with the ledger's key.")


def _signed(checkpoint: Checkpoint, stamp: bytes, key: LedgerKey) -> bool:
    if stamp[:4] != key.key_id:
        return False
    public = Ed25519PublicKey.from_public_bytes(key.public)
    try:
        public.verify(stamp[4:], checkpoint.body.encode())
    except InvalidSignature:
        return False
    return True
