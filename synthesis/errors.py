"""Everything synthesis can refuse or fail at, as errors a person can act on."""

from __future__ import annotations


class SynthesisError(Exception):
    """The root. `code` is stable kebab-case; `sentence` tells a user what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[SynthesisError], tuple[str, str]]:
        return type(self), (self.code, self.sentence)


class MediaRefused(SynthesisError):
    """A file from outside is not what it should be, or is more than we take."""


class MediaUnsafe(SynthesisError):
    """The sandbox could not be closed, so no untrusted file was opened."""


class OutputFailed(SynthesisError):
    """A file of ours could not be written; nothing half-written is left."""


class PatchesBroken(SynthesisError):
    """A shot's stored mouth patches cannot be read; the shot must be rendered anew."""


class TimecodeInvalid(SynthesisError):
    """A time code that does not exist at this frame rate, or is misspelt."""


class NotAllowed(SynthesisError):
    """The person may not do this, or the thing is not in a state for it."""
