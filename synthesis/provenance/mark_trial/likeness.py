"""How well the fingerprint tells copies of a film from what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from synthesis.provenance.fingerprint import similarity
from synthesis.provenance.mark_trial.attacks import USUAL
from synthesis.provenance.mark_trial.clips import title
from synthesis.provenance.mark_trial.pictures import decode, encode
from synthesis.provenance.mark_trial.trial import Delivered, Say, taken

PIECE_S = 2.0


@dataclass(frozen=True)
class Strangers:
    """Similarities of what is not the film that the mark says it is.

    moments: of two other seconds of the same film, hence of the same person in the
    same place, with the rest of it. films: of two seconds of another film; where one's
    own footage holds several takes of a person, those are among them.
    """

    moments: tuple[float, ...]
    films: tuple[float, ...]


def compare(films: Sequence[Delivered], say: Say) -> Strangers:
    """Each film's first two seconds, encoded once more, with all that is not them."""
    moments, others = [], []
    for number, film in enumerate(films):
        count = round(PIECE_S * film.rate)
        pictures = film.pictures()
        again = decode(encode(islice(pictures, count), film.rate, USUAL))
        piece = taken(list(again), film.rate)
        rest = list(pictures)
        if len(rest) >= count:
            moments.append(similarity(taken(rest, film.rate), piece))
        others += [
            similarity(other.kept, piece)
            for other in films
            if title(other.clip) != title(film.clip)
        ]
        say(number + 1, len(films))
    return Strangers(tuple(moments), tuple(others))
