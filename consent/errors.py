"""What can go wrong in consent: a stable code and a sentence for the person."""


class ConsentError(Exception):
    """Base of every refusal here. sentence is shown to the user as it stands."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
