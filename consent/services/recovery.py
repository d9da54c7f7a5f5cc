"""A new passkey for an actor who lost every one they had.

Nothing can prove here that the same person comes back: the house says so. So each step
is logged as what it is, everybody concerned is told at once, and the new key has to
wait before it may sign anything new. Withdraw and suspend it may from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core import signing
from django.db import transaction
from django.utils import timezone

from consent.access import require_producer, require_self
from consent.canonical import sha256_hex
from consent.errors import ConsentError, NotAllowed
from consent.models import Actor, KeyRecovery, PasskeyCredential, Project
from consent.record import instant
from consent.services.key_notices import key_notice_on_commit, recovery_notice_on_commit
from consent.services.ledger import ledger_append
from consent.services.passkeys import passkey_enrol

RECOVERY_SALT: Final = "consent.recovery"
RECOVERY_DAYS: Final = 7
SHORTEST_REASON: Final = 10


@transaction.atomic
def recovery_open(
    *, project: Project, actor: Actor, reason: str, acting_user: AbstractBaseUser
) -> KeyRecovery:
    """Open the way to a new passkey for an actor of the cast, and mail them the link.

    reason goes into every receipt of what the new key signs. An older recovery that
    was not used is closed by it. Raises NotAllowed for anybody but a producer, and for
    an actor who never had a passkey or a login."""
    require_producer(acting_user, project)
    if not actor.castings.filter(project=project).exists():
        raise NotAllowed("Invite the actor to this production first.")
    actor = Actor.objects.select_for_update().get(pk=actor.pk)
    if actor.user_id is None or not actor.passkeys.exists():
        raise NotAllowed("They never had a passkey: they set up their first by login.")
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON:
        raise NotAllowed("Say why, in a sentence: every receipt will show it.")
    recovery = KeyRecovery.objects.create(
        actor=actor, reason=reason, opened_by_id=acting_user.pk
    )
    ledger_append(
        kind="recovery-opened",
        subject=str(actor.id),
        payload={
            "actor": str(actor.id),
            "recovery": str(recovery.id),
            "reason_sha256": sha256_hex(reason),
        },
        acting_user=acting_user,
    )
    recovery_notice_on_commit(recovery=recovery, link_token=recovery_token(recovery))
    return recovery


def recovery_token(recovery: KeyRecovery) -> str:
    """Return the signed token that the link in the actor's mailbox carries."""
    return signing.dumps(str(recovery.id), salt=RECOVERY_SALT)


def recovery_read(*, token: str, acting_user: AbstractBaseUser) -> KeyRecovery:
    """Return the open recovery a token was made for. Raises ConsentError for one that
    is not ours, too old, used, or replaced by a newer one; NotAllowed for a login that
    is not the actor's."""
    try:
        found = signing.loads(token, salt=RECOVERY_SALT, max_age=RECOVERY_DAYS * 86_400)
    except signing.BadSignature as error:
        raise _invalid() from error
    recovery = KeyRecovery.objects.select_related("actor").get(pk=UUID(found))
    require_self(acting_user, recovery.actor)
    newest = recovery.actor.recoveries.order_by("-opened_at").first()
    if recovery.new_passkey is not None or newest != recovery:
        raise _invalid()
    return recovery


@transaction.atomic
def recovery_enrol(
    *,
    token: str,
    response: str | Mapping[str, Any],
    challenge: str,
    acting_user: AbstractBaseUser,
) -> PasskeyCredential:
    """Keep the actor's new passkey. It may withdraw and suspend at once; for anything
    else its fingerprint must be compared and the waiting time be over."""
    recovery = recovery_read(token=token, acting_user=acting_user)
    # Two tabs with one link: the second waits here and then finds it used.
    KeyRecovery.objects.select_for_update().get(pk=recovery.pk)
    recovery = recovery_read(token=token, acting_user=acting_user)
    credential = passkey_enrol(
        holder=recovery.actor,
        response=response,
        challenge=challenge,
        acting_user=acting_user,
        recovery=recovery,
    )
    key_notice_on_commit(credential=credential, event="came by recovery")
    return credential


@transaction.atomic
def recovery_compare(
    *,
    project: Project,
    recovery: KeyRecovery,
    fingerprint: str,
    channel: str,
    acting_user: AbstractBaseUser,
) -> KeyRecovery:
    """Keep that a producer heard the new key's fingerprint from the actor themselves.

    fingerprint is what the producer typed while the actor read it out; only one that
    fits is taken. From then on the waiting time runs (RECOVERY_WAIT_HOURS)."""
    require_producer(acting_user, project)
    rows = KeyRecovery.objects.select_for_update(of=("self",))
    recovery = rows.get(pk=recovery.pk)
    if not recovery.actor.castings.filter(project=project).exists():
        raise NotAllowed("That actor belongs to another production.")
    credential = recovery.new_passkey
    if credential is None or credential.is_retired or recovery.compared_at:
        raise NotAllowed("There is no new passkey whose fingerprint is to be compared.")
    if channel not in KeyRecovery.Channel.values:
        raise NotAllowed("Say how you spoke with the actor.")
    if _letters(fingerprint) != _letters(credential.fingerprint):
        raise NotAllowed(
            "That is not the new passkey's fingerprint. Have the actor read it out "
            "again. If it still differs, somebody else may have set up this passkey."
        )
    now = timezone.now()
    recovery.channel, recovery.compared_by_id = channel, acting_user.pk
    recovery.compared_at = now
    recovery.grants_from = now.replace(microsecond=0) + timedelta(
        hours=settings.RECOVERY_WAIT_HOURS
    )
    recovery.save()
    ledger_append(
        kind="passkey-recovered",
        subject=str(credential.id),
        payload={
            "actor": str(recovery.actor_id),
            "recovery": str(recovery.id),
            "public_key_sha256": credential.public_key_sha256,
            "channel": channel,
            "grants_from": instant(recovery.grants_from),
        },
        acting_user=acting_user,
    )
    key_notice_on_commit(credential=credential, event="was compared")
    return recovery


def _letters(fingerprint: str) -> str:
    return "".join(fingerprint.lower().split())


def _invalid() -> ConsentError:
    return ConsentError(
        "recovery-invalid",
        "This link does not work any more. Ask the production for a new one.",
    )
