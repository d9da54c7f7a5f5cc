"""Telling people: into their inbox with the act itself, by mail once it is committed.

A mail names the production and what happened, and links to the page; the terms stay on
the page. No mail that fails breaks an act: it is tried again by letters_send."""

from __future__ import annotations

import logging
import smtplib
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.core.mail import send_mail
from django.db import transaction
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from consent.models import Actor, Grant, Notice, NoticeWish, Project, Role
from consent.models.notices import uses_wish_of
from consent.readers import language_of, reading_locale
from consent.services.receipt_letters import (
    MAILED,
    TRY_AGAIN_AFTER,
    TRY_AGAIN_FOR,
)

log = logging.getLogger(__name__)

OWN_ACTS: Final = {
    "signed": "grant-signed",
    "revoked": "grant-revoked",
    "suspended": "grant-suspended",
    "lifted": "suspension-lifted",
    "co-signed": "grant-cosigned",
}
"""What is confirmed to the actor, and the ledger's word for it: where a receipt is
mailed on that word (receipt_letters.MAILED), the receipt is the confirmation."""
DIGEST_HOUR: Final = 8
"""The day's uses go out together, from this hour on where the house is."""


def grant_tell(*, grant: Grant, event: str) -> None:
    """Tell whom it concerns what became of a grant: the actor of a question to them
    ("proposed"), the producers of the answer, the actor of their own act. Belongs into
    the transaction of the act."""
    path = reverse("consent:grant", args=[grant.id])
    names = {
        "project": grant.project.name,
        "company": grant.project.company,
        "actor": grant.actor.stage_name,
    }
    common: dict[str, Any] = {"facts": names, "path": path, "project": grant.project}
    if event == "proposed":
        actor_tell(actor=grant.actor, kind="asked", **common)
        return
    producers_tell(kind=event, **common)
    if event in OWN_ACTS:
        by_receipt = OWN_ACTS[event] in MAILED
        mail = Notice.Mail.NONE if by_receipt else Notice.Mail.AT_ONCE
        actor_tell(actor=grant.actor, kind=f"own-{event}", mail=mail, **common)


def actor_tell(
    *,
    actor: Actor,
    kind: str,
    facts: Mapping[str, Any],
    path: str = "",
    project: Project | None = None,
    key: str = "",
    mail: str = Notice.Mail.AT_ONCE,
) -> None:
    """Tell whoever signs for the actor; nobody while there is no login yet."""
    if actor.user_id is not None:
        _notice_make([actor.user_id], kind, facts, path, project, key, mail)


def use_tell(
    *,
    actor: Actor,
    kind: str,
    facts: Mapping[str, Any],
    path: str,
    project: Project,
    key: str,
) -> None:
    """Tell the actor of a use of their face, by mail as they wish: once a day, at once
    or not at all."""
    if actor.user is not None:
        wish = uses_wish_of(actor.user)
        _notice_make([actor.user.pk], kind, facts, path, project, key, wish)


def producers_tell(
    *,
    project: Project,
    kind: str,
    facts: Mapping[str, Any],
    path: str,
    key: str = "",
) -> None:
    """Tell every producer of the project, at once."""
    producers = project.memberships.filter(role=Role.PRODUCER)
    ids = producers.order_by("user_id").values_list("user_id", flat=True)
    _notice_make(ids, kind, facts, path, project, key, Notice.Mail.AT_ONCE)


def _notice_make(
    users: Iterable[int],
    kind: str,
    facts: Mapping[str, Any],
    path: str,
    project: Project | None,
    key: str,
    mail: str,
) -> None:
    key = key or f"{kind}:{uuid.uuid4()}"
    for user_id in users:
        notice, is_new = Notice.objects.get_or_create(
            user_id=user_id,
            key=key,
            defaults={
                "kind": kind,
                "facts": dict(facts),
                "path": path,
                "project": project,
                "mail": mail,
            },
        )
        if is_new and mail == Notice.Mail.AT_ONCE:
            transaction.on_commit(lambda notice=notice: _letter_send([notice]))  # type: ignore[misc]


def notice_read(*, notice: Notice, acting_user: AbstractBaseUser) -> None:
    """Mark a notice of one's own as read, from its first reading on."""
    rows = Notice.objects.filter(pk=notice.pk, user_id=acting_user.pk, read_at=None)
    rows.update(read_at=timezone.now())


def notices_read(*, acting_user: AbstractBaseUser) -> int:
    """Mark all of one's own as read; return how many were not."""
    rows = Notice.objects.filter(user_id=acting_user.pk).unread()
    return rows.update(read_at=timezone.now())


def notice_wish_keep(*, uses: str, acting_user: AbstractBaseUser) -> None:
    """Keep how the person wants to hear of uses, a Notice.Mail."""
    NoticeWish.objects.update_or_create(
        user_id=acting_user.pk, defaults={"uses": Notice.Mail(uses)}
    )


def letters_send(*, now: datetime | None = None) -> int:
    """Mail what is left: letters that could not go when it happened, for three days,
    and the uses of the day, each person's in one letter, once a day from DIGEST_HOUR
    where the house is. Returns how many letters went."""
    now = now or timezone.now()
    late = Notice.objects.to_mail(Notice.Mail.AT_ONCE)
    late = late.filter(at__gt=now - TRY_AGAIN_FOR, at__lt=now - TRY_AGAIN_AFTER)
    sent = sum(_letter_send([notice]) for notice in late.select_related("user"))
    here = timezone.localtime(now)
    if here.hour < DIGEST_HOUR:
        return sent
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    pending = Notice.objects.to_mail(Notice.Mail.DAILY)
    had_theirs = Notice.objects.filter(
        mail=Notice.Mail.DAILY, mailed_at__gte=midnight, mailed_at__lte=now
    )
    ids = pending.exclude(user__in=had_theirs.values("user")).values_list("user")
    for user_id in {user_id for (user_id,) in ids}:
        mine = pending.filter(user_id=user_id).select_related("user")
        sent += _letter_send(list(mine.order_by("at")), now=now)
    return sent


def _letter_send(notices: list[Notice], *, now: datetime | None = None) -> bool:
    """Mail notices of one person in one letter; say whether it went. They are claimed
    first: two workers never send the same."""
    claimed = _claim(notices, now or timezone.now())
    if not claimed:
        return False
    user: Any = get_user_model().objects.get(pk=claimed[0].user_id)
    try:
        with translation.override(language_of(user)):
            subject, message = _subject(claimed), _body(claimed)
        send_mail(
            subject=subject,
            message=message,
            from_email=None,
            recipient_list=[user.email],
        )
    except (OSError, smtplib.SMTPException, ValueError):
        # The act stands whether or not a mail server answers; the inbox shows it.
        # ValueError: a name with a line break in it, which no header may hold.
        log.exception("letter not sent notices=%s", [str(n.pk) for n in claimed])
        Notice.objects.filter(pk__in=[n.pk for n in claimed]).update(mailed_at=None)
        return False
    return True


@transaction.atomic
def _claim(notices: list[Notice], now: datetime) -> list[Notice]:
    rows = Notice.objects.select_for_update().filter(mailed_at=None)
    rows = rows.filter(pk__in=[notice.pk for notice in notices]).order_by("at")
    claimed = list(rows)
    Notice.objects.filter(pk__in=[n.pk for n in claimed]).update(mailed_at=now)
    return claimed


@receiver(user_logged_in)
def language_keep(user: AbstractBaseUser, **_: Any) -> None:
    """Write letters in the language in which the person last came in, unless they
    have chosen one."""
    NoticeWish.objects.update_or_create(
        user_id=user.pk, defaults={"language": reading_locale()}
    )


def _subject(notices: list[Notice]) -> str:
    if len(notices) == 1:
        return notices[0].title
    count = len(notices)
    words = ngettext("Your face: %(count)d use", "Your face: %(count)d uses", count)
    return words % {"count": count}


def _body(notices: list[Notice]) -> str:
    if len(notices) > 1:
        lead = gettext("What was done with your face since the last letter:")
    else:
        lead = ""
    return render_to_string(
        "consent/notice.txt",
        {
            "lead": lead,
            "notices": notices,
            "site": settings.SITE_URL,
            "inbox": settings.SITE_URL + reverse("consent:inbox"),
        },
    )
