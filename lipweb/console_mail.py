"""Mail for a house without a mail server: letters on the console, enclosures by name.

Django's own would print every attached file in base64."""

from __future__ import annotations

from django.core.mail import EmailMessage
from django.core.mail.backends import console


class EmailBackend(console.EmailBackend):
    """Writes who, what and the words of each letter."""

    def write_message(self, message: EmailMessage) -> None:
        plain = EmailMessage(
            subject=message.subject,
            body=message.body,
            from_email=message.from_email,
            to=message.to,
        )
        super().write_message(plain)
        for name in [attachment[0] for attachment in message.attachments]:
            self.stream.write(f"[enclosed: {name}]\n")
