"""Whatever comes in ends in a result or in a sentence a producer can act on: never a
traceback, a dead worker or a half-written file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import soundfile
from av.codec.context import Flags

from lipweb.demo_production import LINES, SCENE, Demo
from lipweb.dubbing import faces_assign, line_put
from synthesis.errors import SynthesisError
from synthesis.media.probe import probe
from synthesis.models import Deliverable, Render, Scene, Track
from synthesis.services.renders import render_queue
from synthesis.storage import local_path, scratch_dir
from tests.footage import make_clip, make_sound
from tests.synthesis.conftest import bring_in, robin_confirms
from tests.synthesis.provenance.test_withstand import BOMBS, NESTED
from tests.synthesis.test_main_job import WorkOff, same_clock

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

FRAMES = 50


def robin_clip(
    path: Path,
    *,
    size: tuple[int, int] = (640, 360),
    rate: Fraction | int = 25,
    pts: list[int] | None = None,
    time_base: Fraction | None = None,
    cut_at: int = FRAMES,
    frames: int = FRAMES,
) -> Path:
    """Robin at another size and rate; from cut_at on closer, as after a cut."""
    base = time_base or 1 / Fraction(rate)
    odd = size[0] % 2 or size[1] % 2
    with av.open(str(SCENE)) as robin, av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=Fraction(rate))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv444p" if odd else "yuv420p"
        stream.time_base = stream.codec_context.time_base = base
        stream.codec_context.flags |= Flags.frame_duration
        stamps = pts or list(range(frames))
        for i, frame in zip(range(frames), robin.decode(video=0), strict=False):
            picture = frame.to_ndarray(format="rgb24")
            if i >= cut_at:
                picture = picture[60:600, 160:1120]
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            new = av.VideoFrame.from_ndarray(small, "rgb24")
            new = new.reformat(format=stream.pix_fmt)
            after = stamps[i + 1] if i + 1 < frames else 2 * stamps[i] - stamps[i - 1]
            new.pts, new.time_base = stamps[i], base
            new.duration = after - stamps[i]
            out.mux(stream.encode(new))
        out.mux(stream.encode(None))
    return path


def words(path: Path, *, seconds: float, channels: int = 1) -> Path:
    """Robin's Spanish, so many seconds of it, on so many channels."""
    sound, rate_hz = soundfile.read(LINES["es"])
    cut = sound[: round(seconds * rate_hz)]
    soundfile.write(path, np.stack([cut] * channels, axis=1), rate_hz)
    return path


def broken_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files that are no scenes, and the code each is refused with."""
    text = folder / "notes.mp4"
    text.write_text("Scene 12, take 3. The light was good.\n" * 40)
    playlist = folder / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:10,\nhttp://localhost/secret.ts\n")
    whole = make_clip(folder / "whole.mp4", frames=50).read_bytes()
    no_index = folder / "truncated.mp4"
    no_index.write_bytes(whole[: len(whole) // 2])
    sound = make_sound(folder / "sound.m4a", codec="aac", container="mp4")
    noise = folder / "noise.mp4"
    noise.write_bytes(np.random.default_rng(0).bytes(5000))
    bombs = {"riff": BOMBS["riff of lists in lists"], "boxes": NESTED}
    for name, content in bombs.items():
        (folder / f"{name}.mp4").write_bytes(content)
    return {
        "riff of lists": (folder / "riff.mp4", "media-damaged"),
        "boxes in boxes": (folder / "boxes.mp4", "media-damaged"),
        "text": (text, "text-file"),
        "playlist": (playlist, "playlist"),
        "truncated": (no_index, "mp4-no-index"),
        "sound only": (sound, "sound-only"),
        "noise": (noise, "unknown-kind"),
    }


def test_files_that_are_no_scenes_are_refused_in_words_and_the_worker_lives(
    demo: Demo, work_off: WorkOff, tmp_path: Path, scratch_before: set[Path]
) -> None:
    files = broken_files(tmp_path)
    scenes = {name: bring_in(demo, path) for name, (path, _) in files.items()}
    work_off()
    for name, scene in scenes.items():
        scene.refresh_from_db()
        assert scene.state == Scene.State.REFUSED, name
        assert scene.error_code == files[name][1], (name, scene.error_sentence)
        assert scene.error_sentence.endswith("."), name
    assert set(scratch_dir().iterdir()) <= scratch_before


def test_an_empty_file_is_refused_before_it_travels(demo: Demo, tmp_path: Path) -> None:
    nothing = tmp_path / "empty.mp4"
    nothing.touch()
    with pytest.raises(SynthesisError, match="0 bytes"):
        bring_in(demo, nothing)


def test_a_scene_without_a_face_is_analysed_and_cannot_be_dubbed(
    demo: Demo, work_off: WorkOff, tmp_path: Path
) -> None:
    bars = make_clip(tmp_path / "🎬 ..%2f bars.mp4", size=(320, 180))
    point = make_clip(tmp_path / "point.mp4", size=(1, 1), pix_fmt="yuv444p")
    scenes = [bring_in(demo, bars), bring_in(demo, point)]
    work_off()
    for scene in scenes:
        scene.refresh_from_db()
        assert scene.state == Scene.State.READY, scene.error_sentence
        assert not Track.objects.filter(shot__scene=scene).exists()
        with pytest.raises(SynthesisError, match="No such face"):
            assign(demo, scene)
    assert scenes[0].original_name.startswith("🎬")


def assign(demo: Demo, scene: Scene) -> None:
    faces_assign(
        scene=scene,
        grant=demo.grant,
        number=None,
        acting_user=demo.producer,
        say=lambda _: None,
    )


def odd_scenes(folder: Path) -> dict[str, Path]:
    """Scenes that are unusual and right."""
    film, ntsc = Fraction(24000, 1001), Fraction(30000, 1001)
    uneven = [i * 40 + (13 if i % 3 else 0) for i in range(FRAMES)]
    return {
        "29.97, odd size": robin_clip(folder / "odd.mp4", rate=ntsc, size=(639, 361)),
        "23.976, a cut": robin_clip(folder / "cut.mp4", rate=film, cut_at=24),
        "variable": robin_clip(
            folder / "vfr.mp4", pts=uneven, time_base=Fraction(1, 1000)
        ),
    }


def test_unusual_scenes_are_dubbed_frame_for_frame(
    demo: Demo, work_off: WorkOff, tmp_path: Path, scratch_before: set[Path]
) -> None:
    files = odd_scenes(tmp_path)
    scenes = {name: bring_in(demo, path) for name, path in files.items()}
    work_off()
    renders = {}
    for number, (name, scene) in enumerate(scenes.items()):
        scene.refresh_from_db()
        assert scene.state == Scene.State.READY, (name, scene.error_sentence)
        # Mono and 5.1; the dubs are shorter than their scenes.
        sound = words(
            tmp_path / f"{number}.wav", seconds=1.5, channels=6 if number % 2 else 1
        )
        renders[name] = rendered(demo, scene, sound)
    assert scenes["23.976, a cut"].shots.count() == 2
    work_off()
    for name, render in renders.items():
        render.refresh_from_db()
        assert render.state == Render.State.READY, (name, render.error_sentence)
        with local_path(render.deliverable.file) as made:
            same_clock(probe(files[name]), probe(made))
    assert Deliverable.objects.count() == len(files)
    assert set(scratch_dir().iterdir()) <= scratch_before


def rendered(demo: Demo, scene: Scene, sound: Path) -> Render:
    assign(demo, scene)
    robin_confirms(demo, scene)
    line = line_put(
        scene=scene,
        grant=demo.grant,
        language="es",
        sound=sound,
        acting_user=demo.producer,
    )
    return render_queue(dub=line.dub, acting_user=demo.producer)


def test_a_picture_too_small_for_the_mark_is_never_delivered(
    demo: Demo, work_off: WorkOff, tmp_path: Path
) -> None:
    scene = bring_in(
        demo, robin_clip(tmp_path / "tiny.mp4", size=(192, 108), frames=16)
    )
    work_off()
    scene.refresh_from_db()
    render = rendered(demo, scene, words(tmp_path / "short.wav", seconds=0.5))
    work_off()
    render.refresh_from_db()
    assert render.state == Render.State.FAILED
    assert render.error_code == "picture-too-small-for-mark"
    assert not Deliverable.objects.exists()


def test_speech_beyond_the_scenes_end_is_refused_and_silence_is_cut(
    demo: Demo, scene: Scene, tmp_path: Path
) -> None:
    speech, rate_hz = soundfile.read(LINES["es"])
    long, quiet = tmp_path / "long.wav", tmp_path / "quiet.wav"
    soundfile.write(long, np.concatenate([speech, speech]), rate_hz)
    soundfile.write(quiet, np.concatenate([speech, 0 * speech]), rate_hz)

    def put(sound: Path) -> Callable[[], object]:
        return lambda: line_put(
            scene=scene,
            grant=demo.grant,
            language="es",
            sound=sound,
            acting_user=demo.producer,
        )

    with pytest.raises(SynthesisError, match="Shorten it") as refusal:
        put(long)()
    assert refusal.value.code == "dub-too-long"
    put(quiet)()


def test_a_dub_without_sound_is_refused(
    demo: Demo, scene: Scene, tmp_path: Path
) -> None:
    silent_film = make_clip(tmp_path / "film.mp4")
    with pytest.raises(SynthesisError) as refusal:
        line_put(
            scene=scene,
            grant=demo.grant,
            language="es",
            sound=silent_film,
            acting_user=demo.producer,
        )
    assert refusal.value.code == "no-sound"
