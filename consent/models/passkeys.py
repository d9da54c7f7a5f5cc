"""Actors' passkeys, and the columns of whatever is signed with one."""

from __future__ import annotations

import uuid

from django.db import models

from consent.authenticator import SOFTWARE_AAGUID
from consent.canonical import sha256_hex
from consent.models.people import Actor
from consent.passkeys import Assertion


class PasskeyQuerySet(models.QuerySet["PasskeyCredential"]):
    """Keys, by what they may do."""

    def usable(self) -> PasskeyQuerySet:
        """Those that may sign: an actor's first, and what another key confirmed."""
        confirmed = models.Q(confirmation__signed_at__isnull=False)
        return self.filter(models.Q(is_first=True) | confirmed)


class PasskeyCredential(models.Model):
    """One enrolled key of one actor. is_first says that there was no other key yet
    that could have confirmed it; every later one must be confirmed. rp_id and origin
    are where it was enrolled: signatures are checked against them even if the house
    moves to another address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="passkeys")
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(help_text="COSE key")
    sign_count = models.BigIntegerField(default=0)
    registration = models.JSONField(help_text="the authenticator's answer, as it came")
    aaguid = models.CharField(max_length=36)
    rp_id = models.CharField(max_length=253)
    origin = models.CharField(max_length=270)
    is_first = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PasskeyQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"passkey {self.fingerprint}"

    @property
    def public_key_sha256(self) -> str:
        return sha256_hex(bytes(self.public_key))

    @property
    def fingerprint(self) -> str:
        """The start of the key's hash in groups, to be read out on a telephone."""
        return " ".join(self.public_key_sha256[at : at + 4] for at in range(0, 24, 4))

    @property
    def is_usable(self) -> bool:
        return self.is_first or hasattr(self, "confirmation")

    @property
    def is_software(self) -> bool:
        return self.aaguid == str(SOFTWARE_AAGUID)


class SignedDocument(models.Model):
    """A canonical document, the words shown with it, and a passkey's signature."""

    canonical = models.BinaryField(help_text="RFC 8785 bytes of what is signed")
    shown_text = models.TextField()
    credential = models.ForeignKey(
        PasskeyCredential,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    authenticator_data = models.BinaryField(null=True, blank=True)
    client_data_json = models.BinaryField(null=True, blank=True)
    signature = models.BinaryField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def canonical_sha256(self) -> str:
        return sha256_hex(bytes(self.canonical))

    @property
    def assertion(self) -> Assertion | None:
        """The stored answer of the passkey, or None while nothing is signed."""
        if self.credential is None or self.signature is None:
            return None
        return Assertion(
            credential_id=bytes(self.credential.credential_id),
            authenticator_data=bytes(self.authenticator_data or b""),
            client_data_json=bytes(self.client_data_json or b""),
            signature=bytes(self.signature),
        )


class PasskeyConfirmation(SignedDocument):
    """The actor's word, by a key they already had, that a further key is theirs."""

    passkey = models.OneToOneField(
        PasskeyCredential, on_delete=models.PROTECT, related_name="confirmation"
    )

    def __str__(self) -> str:
        return f"confirmation of {self.passkey}"
