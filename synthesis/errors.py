"""What can go wrong in synthesis: a stable code and a sentence for the person."""


class SynthesisError(Exception):
    """Base of every refusal here. sentence is shown to the user as it stands."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class MediaRefused(SynthesisError):
    """A file that lipweb does not take, and why."""


class NotAllowed(SynthesisError):
    """The person may not do this, or the thing is not in a state for it."""
