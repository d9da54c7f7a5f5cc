"""What browsers cannot play, made watchable: a copy of the finished, marked file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis import house_keys
from synthesis.delivery import Delivery, not_kept
from synthesis.errors import SynthesisError
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.proxy import write_proxy
from synthesis.models import Deliverable, ViewingCopy
from synthesis.progress import Progress
from synthesis.provenance.manifest import ManifestFacts
from synthesis.provenance.mark import detect
from synthesis.provenance.read import read_credential, reading_limit_s
from synthesis.provenance.transcode import TranscodeFacts, transcode_sign


@dataclass(frozen=True)
class FinishedCopy:
    """A row that is not saved yet, and where its file lies."""

    row: ViewingCopy
    path: Path


def viewing_copy_make(
    deliverable: Deliverable,
    original: Path,
    held: Probe,
    about: ManifestFacts,
    mark_key: tuple[str, bytes],
    folder: Path,
    report: Progress,
) -> FinishedCopy:
    """Make an H.264 copy of a finished file, sign it, and read mark and credential back
    from it. held: the original, measured; about: what its manifest says.
    Raises not-read-back, credential-not-signed."""
    plain, signed = folder / "viewing.mp4", folder / "viewing-signed.mp4"
    write_proxy(
        original,
        held,
        plain,
        lambda done: report("Making the viewing copy", done, held.frame_count),
    )
    report.next_stage(held.frame_count)
    manifest = transcode_sign(
        plain,
        signed,
        facts=TranscodeFacts(
            title=about.title,
            original=original,
            original_id=deliverable.manifest_id,
            mark_id=about.mark_id,
            consent_records=about.consent_records,
            software_version=about.software_version,
        ),
        signer=house_keys.signer(),
        anchors=house_keys.anchors(),
        time_authority=house_keys.time_authority(),
    )
    plain.unlink()
    _read_back(signed, held, about.mark_id, mark_key, manifest.manifest_id, report)
    row = ViewingCopy(
        deliverable=deliverable,
        sha256=sha256_file(signed),
        size_bytes=signed.stat().st_size,
        manifest_id=manifest.manifest_id,
    )
    return FinishedCopy(row, signed)


def _read_back(
    path: Path,
    held: Probe,
    mark_id: str,
    mark_key: tuple[str, bytes],
    manifest_id: str,
    report: Progress,
) -> None:
    facts = probe(path)

    def lumas() -> Iterator[NDArray[np.uint8]]:
        for planes in read_frames(path, facts):
            report("Checking the viewing copy", planes.index + 1, facts.frame_count)
            yield planes.luma_8()

    mark = detect(lumas(), [mark_key])
    credential = read_credential(
        path, anchors=house_keys.anchors(), time_limit_s=reading_limit_s(path)
    )
    whole = facts.frame_count == held.frame_count
    holds = credential.holds and credential.manifest_id == manifest_id
    if not (whole and holds and mark.found and mark.id == mark_id):
        raise SynthesisError(
            "not-read-back",
            "The finished file was not kept, because the marks could not be read back"
            " from the copy of it that reviewers watch.",
        )


def file_told(held: Probe, scene: Probe, delivery: Delivery) -> dict[str, Any]:
    """What a finished file holds, and of its scene does not, as its row keeps it."""
    return {
        "format": str(delivery.format),
        "codec": held.codec,
        "bits": held.bits,
        "pixels": held.pix_fmt,
        "timecode": held.timecode,
        "sounds": [
            {
                "codec": sound.codec,
                "layout": sound.layout,
                "rate_hz": sound.rate_hz,
                "language": sound.language,
                "title": sound.title,
            }
            for sound in held.sounds
        ],
        "subtitles": [
            {"language": one.language, "title": one.title} for one in held.subtitles
        ],
        "not_kept": not_kept(scene, delivery),
    }
