"""Actors' passkeys, and the columns of whatever is signed with one."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from webauthn.helpers import base64url_to_bytes

from consent.authenticator import SOFTWARE_AAGUID
from consent.canonical import sha256_hex
from consent.encoding import base64_text
from consent.errors import SignatureRefused
from consent.models.people import Actor, Cosigner
from consent.passkeys import Assertion

Holder: TypeAlias = Actor | Cosigner
"""Whoever has passkeys."""


def _base64(text: str) -> str:
    """Base64 for addresses, as browsers answer, in its one usual spelling."""
    return base64_text(base64url_to_bytes(text))


class KeyRecovery(models.Model):
    """How somebody who lost every passkey comes to a new one, on the house's word.

    Opened by a producer, who says why; passkey is what the actor then enrolled by the
    link in their mailbox; compared_at, _by and channel say when, by whom and how its
    fingerprint was compared. From grants_from on it may sign new consents; withdraw
    it may at once."""

    class Channel(models.TextChoices):
        TELEPHONE = "telephone", _("By telephone")
        VIDEO = "video", _("In a video call")
        IN_PERSON = "in-person", _("Face to face")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(
        Actor, on_delete=models.PROTECT, related_name="recoveries"
    )
    reason = models.TextField(help_text="as every receipt of the new key will show it")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(auto_now_add=True)
    channel = models.CharField(max_length=12, choices=Channel.choices, blank=True)
    compared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    compared_at = models.DateTimeField(null=True, blank=True)
    grants_from = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return f"recovery for {self.actor}"

    @property
    def new_passkey(self) -> PasskeyCredential | None:
        """The key that was enrolled under it, or None so far."""
        return getattr(self, "passkey", None)


class PasskeyQuerySet(models.QuerySet["PasskeyCredential"]):
    """Keys, by what they may do."""

    def usable(self, moment: datetime | None = None) -> PasskeyQuerySet:
        """Those that may sign anything at moment (now): first keys, what another key
        confirmed, and what came by recovery once its waiting time is over."""
        confirmed = models.Q(confirmation__signed_at__isnull=False)
        recovered = models.Q(recovery__grants_from__lte=moment or timezone.now())
        allowed = models.Q(is_first=True) | confirmed | recovered
        return self.filter(allowed, retirement=None)

    def withdrawing(self) -> PasskeyQuerySet:
        """Those that may revoke and suspend: any that came by recovery too, at once."""
        confirmed = models.Q(confirmation__signed_at__isnull=False)
        allowed = models.Q(is_first=True) | confirmed | ~models.Q(recovery=None)
        return self.filter(allowed, retirement=None)


class PasskeyCredential(models.Model):
    """One enrolled key of one person: an actor, or who co-signs. is_first says that
    there was no other key yet that could have confirmed it; every later one must be
    confirmed, or come by recovery. rp_id and origin are where it was enrolled:
    signatures are checked against them even if the house moves to another address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(
        Actor,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passkeys",
    )
    cosigner = models.ForeignKey(
        Cosigner,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passkeys",
    )
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(help_text="COSE key")
    sign_count = models.BigIntegerField(default=0)
    registration = models.JSONField(help_text="the authenticator's answer, as it came")
    aaguid = models.CharField(max_length=36)
    rp_id = models.CharField(max_length=253)
    origin = models.CharField(max_length=270)
    is_first = models.BooleanField()
    recovery = models.OneToOneField(
        KeyRecovery,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="passkey",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PasskeyQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actor__isnull=True, cosigner__isnull=False)
                | models.Q(actor__isnull=False, cosigner__isnull=True),
                name="one_holder_a_passkey",
            )
        ]

    def __str__(self) -> str:
        return f"passkey {self.fingerprint}"

    @property
    def holder(self) -> Holder:
        """Whose key it is."""
        holder = self.actor or self.cosigner
        if holder is None:
            raise SignatureRefused("This passkey is nobody's.")
        return holder

    @property
    def public_key_sha256(self) -> str:
        return sha256_hex(bytes(self.public_key))

    @property
    def fingerprint(self) -> str:
        """The start of the key's hash in groups, to be read out on a telephone."""
        return " ".join(self.public_key_sha256[at : at + 4] for at in range(0, 24, 4))

    @property
    def registration_parts(self) -> dict[str, str]:
        """The authenticator's answer as receipts carry it, both parts in base64;
        SignatureRefused if somebody changed the row into what is none."""
        try:
            answer = self.registration["response"]
            return {
                "client_data_json": _base64(answer["clientDataJSON"]),
                "attestation_object": _base64(answer["attestationObject"]),
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            sentence = "The passkey's registration is not what it was."
            raise SignatureRefused(sentence) from error

    @property
    def is_retired(self) -> bool:
        return hasattr(self, "retirement")

    @property
    def is_confirmed(self) -> bool:
        """Whether another key of the same person, or none being there, let it in."""
        return self.is_first or hasattr(self, "confirmation")

    @property
    def is_usable(self) -> bool:
        """Whether it may sign anything now."""
        if self.is_retired or self.is_confirmed:
            return not self.is_retired
        until = self.waits_until
        return until is not None and until <= timezone.now()

    @property
    def is_withdrawing(self) -> bool:
        """Whether it may revoke and suspend now."""
        known = self.is_confirmed or self.recovery_id is not None
        return known and not self.is_retired

    @property
    def waits_until(self) -> datetime | None:
        """From when a key that came by recovery may sign new consents; None for every
        other key, and while its fingerprint was not compared."""
        return self.recovery.grants_from if self.recovery else None

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


class PasskeyRetirement(SignedDocument):
    """The holder's word, by another key of theirs, that a key counts no more."""

    passkey = models.OneToOneField(
        PasskeyCredential, on_delete=models.PROTECT, related_name="retirement"
    )

    def __str__(self) -> str:
        return f"retirement of {self.passkey}"
