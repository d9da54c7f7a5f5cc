"""What can go wrong in consent: a stable code and a sentence for the person."""

from __future__ import annotations

from typing import NamedTuple


class ConsentError(Exception):
    """Base of every refusal here. sentence is shown to the user as it stands."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class NotAllowed(ConsentError):
    """This person may not do this, or the thing is not in a state for it."""

    def __init__(self, sentence: str) -> None:
        super().__init__("not-allowed", sentence)


class RecordRefused(ConsentError):
    """A document that is not a well-formed record of this product."""

    def __init__(self, sentence: str) -> None:
        super().__init__("record-refused", sentence)


class SignatureRefused(ConsentError):
    """A passkey's answer that does not prove what it should."""

    def __init__(self, sentence: str) -> None:
        super().__init__("signature-refused", sentence)


class LedgerBroken(ConsentError):
    """The ledger is not what it was when its entries were written.

    fault says how ("changed", "removed", "inserted", "fork", "checkpoint") and entry
    the first number it shows at, where that is known."""

    def __init__(
        self, sentence: str, *, fault: str = "", entry: int | None = None
    ) -> None:
        super().__init__("ledger-broken", sentence)
        self.fault = fault
        self.entry = entry


class Failure(NamedTuple):
    """One term that is not met: a stable code, and why in words."""

    code: str
    sentence: str


class ConsentDenied(ConsentError):
    """No grant covers the use. failures names every term that is not met."""

    def __init__(self, failures: tuple[Failure, ...]) -> None:
        words = " ".join(failure.sentence for failure in failures)
        super().__init__("consent-denied", words)
        self.failures = failures
