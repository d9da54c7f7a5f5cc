"""From an actor's scenes and footage, read in the sandbox, to crops to train on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthesis.adapting.work import FOOTAGE, STEPS, look, part_keep, reporter
from synthesis.errors import SynthesisError
from synthesis.faces.tracks import find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe
from synthesis.media.shots import find_shots
from synthesis.media.sound import scene_origin_s, sound_mono_16k
from synthesis.models import Adaptation, Footage, Scene, Track
from synthesis.neural.adapt import EVERY_PART
from synthesis.neural.footage import FootageError
from synthesis.neural.listening import voiced_s
from synthesis.neural.own_footage import Plan, Stretch, only_face, plan
from synthesis.neural.pieces import MIN_VOICED_S
from synthesis.neural.prepare import open_folder, write_clip, write_json
from synthesis.recognising import learned_faces_verify
from synthesis.services.faces import Seen
from synthesis.services.measured import landmarks_open
from synthesis.storage import local_path

LEAST_SPEECH_S = 2.0

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Source:
    """One file to learn from: a scene, whose faces were named, or footage uploaded for
    this, in which only the actor may be seen."""

    row: Scene | Footage
    name: str


def sources_of(adaptation: Adaptation) -> list[Source]:
    scenes = adaptation.scenes.order_by("uploaded_at")
    footage = adaptation.footage.order_by("uploaded_at")
    return [
        *(Source(scene, scene.title) for scene in scenes),
        *(Source(row, row.original_name) for row in footage),
    ]


def said_in(adaptation: Adaptation, row: Scene | Footage) -> list[Seen]:
    """What is said to show the actor's face in a source."""
    if isinstance(row, Footage):
        return [row]
    tracks = Track.objects.filter(shot__scene=row, actor=adaptation.actor)
    return list(tracks.select_related("actor").order_by("first_frame"))


def footage_prepare(
    adaptation: Adaptation, sources: list[Source], out: Path
) -> dict[str, Any]:
    """Cut the crops to train on into out, once; return what is known of them."""
    facts_file = out / "facts.json"
    if not facts_file.exists():
        refused: dict[int, FootageError] = {}
        stretches, probes = _stretches(adaptation, sources, refused)
        chosen = _planned(adaptation, stretches, refused)
        _write_clips(adaptation, sources, probes, chosen, out, refused)
        archive = shutil.make_archive(str(out.parent / "footage"), "tar", out)
        part_keep(adaptation, FOOTAGE, Path(archive))
    facts: dict[str, Any] = json.loads(facts_file.read_text())
    return facts


def _stretches(
    adaptation: Adaptation, sources: list[Source], refused: dict[int, FootageError]
) -> tuple[list[Stretch], list[Probe | None]]:
    """Every stretch of the actor's face, and each file's facts. A file that cannot be
    used is left out with its reason."""
    stretches: list[Stretch] = []
    probes: list[Probe | None] = []
    for number, source in enumerate(sources):
        look(adaptation)
        try:
            facts, found = _faces(adaptation, number, source)
            if not facts.sounds:
                raise FootageError(
                    "no-speech",
                    f"{source.name} has no sound. The networks learn a mouth together"
                    " with what it says: use footage with its own speech.",
                )
            if found:
                learned_faces_verify(adaptation, said_in(adaptation, source.row))
        except SynthesisError as error:
            refused[number] = FootageError(error.code, error.sentence)
            probes.append(None)
            continue
        probes.append(facts)
        stretches += found
    return stretches, probes


def _faces(
    adaptation: Adaptation, number: int, source: Source
) -> tuple[Probe, list[Stretch]]:
    if isinstance(source.row, Scene):
        facts = Probe.from_json(source.row.media_facts)
        tracks = said_in(adaptation, source.row)
        found = [(t.first_frame, _landmarks(t)) for t in tracks if isinstance(t, Track)]
    else:
        with local_path(source.row.file) as path:
            facts = probe(path, report=lambda frames: look(adaptation))
            found = _faces_found(adaptation, source.name, path, facts)
    times_s = facts.times_s()
    return facts, [
        Stretch(number, first, rows, times_s[first : first + len(rows)])
        for first, rows in found
    ]


def _landmarks(track: Track) -> NDArray[np.float32]:
    with landmarks_open(track) as file:
        landmarks: NDArray[np.float32] = np.load(file, allow_pickle=False)
    return landmarks


def _faces_found(
    adaptation: Adaptation, name: str, path: Path, facts: Probe
) -> list[tuple[int, NDArray[np.float32]]]:
    """Cuts and faces of a file that nobody has analysed yet."""
    report = reporter(adaptation, STEPS[0], unit="frame")
    count = 2 * facts.frame_count

    def pictures(done: int) -> Iterator[Picture]:
        for planes in read_frames(path, facts):
            report(done + planes.index + 1, count)
            yield planes.rgb()

    shots = find_shots(pictures(0), facts.rate)
    tracks = list(find_tracks(pictures(facts.frame_count), shots))
    chosen = only_face(name, tracks, facts.times_s())
    return [(track.start, track.landmarks) for track in chosen]


def _planned(
    adaptation: Adaptation, stretches: list[Stretch], refused: dict[int, FootageError]
) -> Plan:
    """Raises the reason why there is nothing to learn from: that of the only file
    where there is one, else of the whole."""
    try:
        return plan(str(adaptation.actor), stretches)
    except FootageError:
        if not stretches and refused:
            raise next(iter(refused.values())) from None
        raise


def _write_clips(
    adaptation: Adaptation,
    sources: list[Source],
    probes: list[Probe | None],
    chosen: Plan,
    out: Path,
    refused: dict[int, FootageError],
) -> None:
    """Write a prepared folder as `train prepare` does, read through the sandbox."""
    open_folder(out, chosen.spec)
    report = reporter(adaptation, STEPS[0], unit="frame")
    total = sum(len(piece.landmarks) for piece in chosen.train)
    done, heard_s, names = 0, 0.0, []
    seconds = dict.fromkeys(range(len(sources)), 0.0)
    for number, piece in enumerate(chosen.train):
        source, facts = sources[piece.source], probes[piece.source]
        if facts is None:
            raise ValueError("a stretch of a file that was left out")
        with local_path(source.row.file) as path:
            sound = sound_of(path, facts, piece)
            voiced = voiced_s(sound)
            if voiced >= MIN_VOICED_S:
                name = f"{number:03d}"
                write_clip(
                    out / "clips" / name,
                    frames_of(path, facts, piece, lambda at: report(at, total), done),
                    landmarks=piece.landmarks,
                    times_s=piece.times_s - piece.times_s[0],
                    sound=sound,
                    talker=str(adaptation.actor_id),
                    spec=chosen.spec,
                )
                names.append(name)
                seconds[piece.source] += piece.seconds
                heard_s += voiced
        done += len(piece.landmarks)
    if heard_s < LEAST_SPEECH_S:
        raise FootageError(
            "no-speech",
            f"Only {heard_s:.1f} s of speech are heard while {adaptation.actor}'s face"
            f" is seen; at least {LEAST_SPEECH_S:.0f} s are needed. Use footage with"
            " its own sound.",
        )
    empty: dict[str, list[str]] = {part: [] for part in EVERY_PART}
    write_json(out / "splits.json", empty | {"train": names})
    _write_facts(sources, seconds, chosen, out, refused)


def _write_facts(
    sources: list[Source],
    seconds: dict[int, float],
    chosen: Plan,
    out: Path,
    refused: dict[int, FootageError],
) -> None:
    """Write what of each file was used, and the excerpt kept back to compare by."""
    excerpt = chosen.excerpt
    np.savez(
        out / "excerpt.npz",
        landmarks=excerpt.stretch.landmarks,
        times_s=excerpt.stretch.times_s,
    )
    used = [
        {"name": s.name, "sha256": s.row.sha256, "seconds": round(seconds[number], 2)}
        for number, s in enumerate(sources)
        if number not in refused
    ]
    why = {sources[number].name: error.sentence for number, error in refused.items()}
    where = {
        "source": excerpt.stretch.source,
        "first": excerpt.stretch.first,
        "held_from": excerpt.held_from,
    }
    facts = {"sources": used, "left_out": why, "excerpt": where}
    write_json(out / "facts.json", facts)


def frames_of(
    path: Path,
    facts: Probe,
    piece: Stretch,
    report: Callable[[int], None] = lambda done: None,
    done: int = 0,
) -> Iterator[Picture]:
    for planes in read_frames(path, facts, piece.first, piece.end):
        report(done + planes.index - piece.first + 1)
        yield planes.rgb()


def sound_of(path: Path, facts: Probe, piece: Stretch) -> NDArray[np.float32]:
    """What is heard while the piece is seen; sample 0 at its first frame."""
    start_s = float(piece.times_s[0])
    stop_s = float(piece.times_s[-1]) + piece.frame_s
    return sound_mono_16k(path, start_s, stop_s, origin_s=scene_origin_s(facts))
