"""The last look at a finished file: are all three marks really on it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.label import Schedule
from synthesis.provenance.mark import detect
from synthesis.provenance.read import Credential

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class ReadBack:
    """What was found on the file itself. problems: sentences for the render's log."""

    label: bool
    mark: bool
    manifest: bool
    problems: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the render may become ready: only with all three."""
        return self.label and self.mark and self.manifest


def check_output(
    frames: Iterable[tuple[Plane, Plane, Plane]],
    *,
    label: Schedule,
    mark_key: tuple[str, bytes],
    mark_id: bytes,
    credential: Credential,
    manifest_id: str,
) -> ReadBack:
    """Check the decoded frames (y, u, v) and the credential of one finished file.

    The label must be on every frame that its schedule names, the mark must give back
    `mark_id` under the key, and the credential must hold and be the one just signed.
    Frames are streamed.
    """
    count = 0
    unlabelled: list[int] = []

    def lumas() -> Iterator[Plane]:
        nonlocal count
        for y, _, _ in frames:
            if label.lacks(count, y):
                unlabelled.append(count)
            count += 1
            yield y

    stream = lumas()
    detection = detect(stream, [mark_key])
    for _ in stream:
        pass  # detect stops when it is sure; the label is checked to the end.
    mark = detection.found and detection.id == mark_id.hex()
    manifest = (
        credential.holds
        and credential.manifest_id == manifest_id
        and mark_id.hex() in {value for _, value in credential.soft_bindings}
    )
    problems = []
    if not count:
        problems.append("The finished file has no frames.")
    if unlabelled:
        problems.append(
            f"The label is missing on {len(unlabelled)} of {count} frames, first on "
            f"frame {unlabelled[0]}."
        )
    if not mark:
        problems.append("The invisible mark cannot be read back.")
    if not manifest:
        codes = ", ".join(credential.problems) or credential.state
        problems.append(f"The Content Credential does not hold ({codes}).")
    return ReadBack(
        label=count > 0 and not unlabelled,
        mark=mark,
        manifest=manifest,
        problems=tuple(problems),
    )
