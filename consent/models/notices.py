"""What people are told, and how they want to hear of it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import LedgerEntry
from consent.models.people import Project
from consent.notice_words import sentence_of, title_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Notices, by whether they were read or mailed."""

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at=None)

    def to_mail(self, mail: str) -> NoticeQuerySet:
        """Those that shall go by mail in this manner and have not gone yet."""
        return self.filter(mail=mail, mailed_at=None)


class Notice(models.Model):
    """One thing one person is told. It stands in their inbox, and goes by mail if mail
    says so. kind and facts make the words, at each look, in the reader's language.
    key: nobody is told of the same key twice."""

    class Mail(models.TextChoices):
        NONE = "none", _("Only in the inbox")
        AT_ONCE = "at-once", _("At once")
        DAILY = "daily", _("Once a day, together")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices"
    )
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict, help_text="names for the words")
    path = models.CharField(max_length=300, blank=True, help_text="where it leads")
    key = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.NONE)
    mailed_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="told_once")
        ]
        indexes = [
            models.Index(fields=["user", "-at"], name="an_inbox"),
            models.Index(
                fields=["mail", "at"],
                name="left_to_mail",
                condition=models.Q(mailed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"

    @property
    def title(self) -> str:
        return title_of(self.kind, self.facts)

    @property
    def sentence(self) -> str:
        return sentence_of(self.kind, self.facts)


class UnsentReceipt(models.Model):
    """A receipt that could not be mailed to an address when the ledger grew by entry.
    Kept until it goes, three days at most."""

    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="+")
    address = models.EmailField()
    since = models.DateTimeField()

    class Meta:
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "address"], name="one_late_receipt"
            )
        ]

    def __str__(self) -> str:
        return f"receipt about entry {self.entry_id}"


class NoticeWish(models.Model):
    """How a person wants to hear by mail of uses of their face, and in which language
    of anything ("": the house's). What must be answered or confirmed is always mailed,
    at once."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_wish"
    )
    uses = models.CharField(
        max_length=8, choices=Notice.Mail.choices, default=Notice.Mail.DAILY
    )
    language = models.CharField(max_length=35, blank=True)

    def __str__(self) -> str:
        return f"{self.uses} for {self.user_id}"


def uses_wish_of(user: AbstractBaseUser) -> str:
    """Return the person's wish, a Notice.Mail: once a day by default."""
    wish = NoticeWish.objects.filter(user=user.pk).first()
    return wish.uses if wish else Notice.Mail.DAILY.value
