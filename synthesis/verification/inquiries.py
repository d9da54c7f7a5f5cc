"""What somebody asked about a file, for the minutes until they have read the answer.

An inquiry lives in the cache and nowhere else. What is put there is sealed with its
ticket, which only the asker has: whoever reads the queue server, or the log it keeps on
disk, learns neither a file's name nor what was found.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from cryptography.fernet import Fernet, InvalidToken
from django.core.cache import cache

KEPT_S: Final = 900
"""How long an answer can be read again."""
WANTED_S: Final = 90
"""How long after its asker was last heard of an inquiry goes on. Browsers wake pages
that nobody looks at once a minute."""
LEFT_S: Final = 6
"""The same once the page was left, which loading it anew does too."""
BEAT_S: Final = 20
"""Without a sign of life for so long, whoever looked into the file is gone."""
WAITING, DONE, FAILED = "waiting", "done", "failed"
_TICKET = re.compile(r"[\w-]{43}", re.ASCII)


@dataclass(frozen=True)
class Inquiry:
    """name: of the file, as sent. step: waiting, a step of verification, done or
    failed. share: of the step, 0..1, left_s: seconds to its end, where known."""

    name: str
    step: str = WAITING
    share: float | None = None
    left_s: float | None = None
    result: dict[str, Any] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.step in (DONE, FAILED)


class Ticket:
    """The right to follow one inquiry, in 43 letters that nobody guesses."""

    def __init__(self, text: str) -> None:
        """Raises ValueError unless the text has a ticket's form."""
        if not _TICKET.fullmatch(text):
            raise ValueError("not a ticket")
        self.text = text
        digest = hashlib.sha512(b"lipweb-inquiry-v1\n" + text.encode()).digest()
        self._place = f"inquiry:{digest[:16].hex()}"
        self._seal = Fernet(base64.urlsafe_b64encode(digest[32:]))

    @classmethod
    def new(cls) -> Self:
        """A ticket for a new inquiry."""
        return cls(secrets.token_urlsafe(32))

    def read(self) -> Inquiry | None:
        """What became of it so far; None where there is no such inquiry any more."""
        sealed = cache.get(self._place)
        if sealed is None:
            return None
        try:
            inquiry = Inquiry(**json.loads(self._seal.decrypt(sealed)))
        except (InvalidToken, TypeError, ValueError):
            return None
        if not inquiry.is_over and cache.get(f"{self._place}:beat") is None:
            return Inquiry(inquiry.name, FAILED)
        return inquiry

    def write(self, inquiry: Inquiry) -> None:
        """Keep it for a while."""
        sealed = self._seal.encrypt(json.dumps(asdict(inquiry)).encode())
        cache.set(self._place, sealed, KEPT_S)

    def beat(self) -> None:
        """Somebody is at work on it."""
        cache.set(f"{self._place}:beat", 1, BEAT_S)

    def want(self, seconds: int = WANTED_S) -> None:
        """Somebody waits for it."""
        cache.set(f"{self._place}:wanted", 1, seconds)

    def is_wanted(self) -> bool:
        """Whether anybody still waits."""
        return cache.get(f"{self._place}:wanted") is not None
