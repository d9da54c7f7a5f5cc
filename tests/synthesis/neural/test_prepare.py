"""Any folder of footage becomes what the networks train on, or says why not."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lipweb.demo_production import LINES
from synthesis.faces.align import CropSpec
from synthesis.neural import pieces
from synthesis.neural.dataset import read_splits
from synthesis.neural.footage import FootageError
from synthesis.neural.lipcode import openings
from synthesis.neural.mel import log_mel
from synthesis.neural.prepare import load_clip, load_sound, load_words, prepare
from tests.footage import make_clip, make_film
from tests.synthesis.neural.talking import Film, joined, robin

SPEC = CropSpec(64, 64, 38.0)
Pictures = list[np.ndarray[Any, np.dtype[np.uint8]]]


def nobody(frames: int) -> Film:
    """A wall, and noise as loud as speech."""
    wall = np.full((360, 640, 3), (90, 40, 130), np.uint8)
    rng = np.random.default_rng(3)
    hum = rng.normal(0, 0.1, frames * 640).astype(np.float32)
    return [wall] * frames, hum


def left_out(out: Path) -> dict[str, str]:
    reasons: dict[str, str] = json.loads((out / "left_out.json").read_text())
    return reasons


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clip with a cut to a wall and back, one good, and a heap that is no use."""
    folder = tmp_path_factory.mktemp("footage") / "robin"
    folder.mkdir()
    make_film(folder / "good.mkv", *robin(0, 40))
    (folder / "good.align").write_text("not an alignment\n")
    cut = joined(robin(20, 60), nobody(20), robin(80, 130))
    make_film(folder / "cut.mkv", *cut)
    (folder / "cut.align").write_text("0 80000 sil\n80000 90000 bin\n")
    (folder / "text.mp4").write_text("not a film")
    (folder / "empty.mp4").touch()
    (folder / "folder.mp4").mkdir()
    (folder / "gone.mp4").symlink_to(folder / "nowhere")
    whole = (folder / "good.mkv").read_bytes()
    (folder / "torn.mkv").write_bytes(whole[:200])
    shutil.copy(folder / "good.mkv", folder / "twin.mkv")
    shutil.copy(LINES["es"], folder / "sound-only.mp4")
    make_film(folder / "mute.mkv", robin(0, 30)[0], None)
    make_film(folder / "wall.mkv", *nobody(30))
    pictures, sound = robin(0, 30)
    make_film(folder / "silence.mkv", pictures, np.zeros_like(sound))
    make_film(folder / "voice-over.mkv", [pictures[0]] * 30, sound)
    tiny = [cv2.resize(picture, (96, 54)) for picture in pictures]
    make_film(folder / "far.mkv", tiny, sound)
    make_film(folder / "blink.mkv", *robin(20, 35))
    make_clip(folder / "bars.mp4", sound="aac")
    return folder


@pytest.fixture(scope="module")
def prepared(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    list(prepare([footage], out, SPEC))
    return out


def test_a_usable_clip_is_prepared(prepared: Path) -> None:
    clip = load_clip(prepared, "robin-good")
    assert clip.talker == "robin"
    assert clip.crops.shape == (40, 64, 64, 3)
    assert clip.landmarks.shape == (40, 468, 3)
    assert clip.mel.shape[1] == 80
    assert set(read_splits(prepared)["train"]) == {
        "robin-good", "robin-cut@1", "robin-cut@3"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text", "cannot be read"),
        ("empty", "cannot be read"),
        ("gone", "cannot be read"),
        ("torn", "cannot be read"),
        ("sound-only", "no picture"),
        ("mute", "no sound"),
        ("wall", "shows no face"),
        ("silence", "holds no speech"),
        ("voice-over", "does not move"),
        ("far", "too small"),
        ("blink", "too briefly"),
        ("bars@2", "shows no face"),
        ("twin", "the same file as robin-good"),
        ("cut@2", "from 1.6 to 2.4 s shows no face"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_the_reason(
    prepared: Path, name: str, reason: str
) -> None:
    # Of two files alike, the first by name is kept.
    reasons = left_out(prepared)
    assert reason in reasons[f"robin-{name}"]


def test_nothing_is_left_out_without_being_named(prepared: Path, footage: Path) -> None:
    files = {f"robin-{p.stem}" for p in footage.iterdir() if not p.is_dir()}
    train = {name.partition("@")[0] for name in read_splits(prepared)["train"]}
    reasons = {name.partition("@")[0] for name in left_out(prepared)}
    assert train | reasons == files


def test_a_piece_after_a_cut_has_its_own_frames_and_its_own_sound(
    prepared: Path,
) -> None:
    """The piece must be what preparing the same frames alone would give."""
    piece = load_clip(prepared, "robin-cut@3")
    pictures, sound = robin(80, 130)
    assert len(piece.landmarks) == len(pictures)
    alone = _opening_alone(pictures)
    assert np.corrcoef(openings(piece.landmarks), alone)[0, 1] > 0.98
    # One second of what was before is kept; frame 60 is at 2.4 s on the film's clock.
    assert piece.times_s[0] == pytest.approx(pieces.CONTEXT_S, abs=0.011)
    assert np.diff(piece.times_s) == pytest.approx(0.04)
    start = round(float(piece.times_s[0]) * 100)
    own = log_mel(sound)[20:150]
    heard = piece.mel[start + 20 : start + 150]
    errors = [
        float(np.abs(piece.mel[start + 20 + k : start + 150 + k] - own).mean())
        for k in range(-5, 6)
    ]
    assert int(np.argmin(errors)) == 5
    assert float(np.abs(heard - own).mean()) < 0.5


def test_words_written_down_are_kept_on_the_pieces_own_clock(prepared: Path) -> None:
    piece = load_clip(prepared, "robin-cut@3")
    words = load_words(prepared, "robin-cut@3")
    assert words is not None
    # Of the film, 3.2 s is frame 80; the piece begins with frame 60.
    assert words[1].text == "bin"
    assert words[1].start_s == pytest.approx(piece.times_s[20], abs=0.011)
    assert words[1].end_s - words[1].start_s == pytest.approx(0.4)


def test_a_clip_with_a_bad_alignment_is_used_without_it(prepared: Path) -> None:
    assert load_words(prepared, "robin-good") is None
    assert "robin-good" in read_splits(prepared)["train"]


def test_the_sound_kept_with_a_piece_is_its_own(prepared: Path) -> None:
    piece = load_clip(prepared, "robin-cut@3")
    _, sound = robin(80, 130)
    start = round(float(piece.times_s[0]) * 16_000)
    kept = load_sound(prepared, "robin-cut@3")[start : start + len(sound)]
    assert kept == pytest.approx(sound[: len(kept)], abs=1e-3)
    assert len(kept) > 0.95 * len(sound)
    with pytest.raises(FootageError, match="prepare it again"):
        load_sound(prepared, "robin-nobody")


def _opening_alone(pictures: Pictures) -> np.ndarray[Any, Any]:
    from synthesis.faces.tracks import find_tracks

    (track,) = find_tracks(iter(pictures), [(0, len(pictures))])
    return openings(track.landmarks)


def test_crops_of_a_piece_are_cut_from_its_own_frames(prepared: Path) -> None:
    piece, good = load_clip(prepared, "robin-cut@1"), load_clip(prepared, "robin-good")
    # Frames 20..39 of the scene are in both clips, encoded twice.
    mine = piece.crops[3:17].astype(int)
    apart = [
        float(np.abs(mine - good.crops[23 + k : 37 + k]).mean()) for k in range(-3, 4)
    ]
    assert int(np.argmin(apart)) == 3
    assert apart[3] < 4


def test_preparing_again_does_nothing_twice(prepared: Path, footage: Path) -> None:
    before = (prepared / "clips/robin-good.npz").stat().st_mtime_ns
    (summary,) = prepare([footage], prepared, SPEC)
    assert "train: 3" in summary
    assert (prepared / "clips/robin-good.npz").stat().st_mtime_ns == before


def test_an_interrupted_run_goes_on_where_it_was(footage: Path, tmp_path: Path) -> None:
    some = tmp_path / "robin"
    some.mkdir()
    for name in ("good.mkv", "text.mp4", "wall.mkv"):
        shutil.copy(footage / name, some / name)
    run = prepare([some], tmp_path / "out", SPEC)
    assert "robin-good ok" in next(run)
    run.close()
    assert read_splits(tmp_path / "out")["train"] == ["robin-good"]
    lines = list(prepare([some], tmp_path / "out", SPEC))
    assert [line.split()[1] for line in lines[:-1]] == ["robin-text", "robin-wall"]


def test_two_runs_at_once_share_the_work(footage: Path, tmp_path: Path) -> None:
    some = tmp_path / "robin"
    some.mkdir()
    for first in (0, 25, 50, 75):
        make_film(some / f"from-{first}.mkv", *robin(first, first + 25))
    told: list[list[str]] = [[], []]
    failed: list[BaseException] = []

    def run(lines: list[str]) -> None:
        try:
            lines += list(prepare([some], tmp_path / "out", SPEC))
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failed.append(error)

    runs = [threading.Thread(target=run, args=(lines,)) for lines in told]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert failed == []
    done = [line.split()[1] for lines in told for line in lines[:-1]]
    assert sorted(done) == sorted(set(done))
    assert len(done) == 4
    names = read_splits(tmp_path / "out")["train"]
    assert len(names) + len(left_out(tmp_path / "out")) == 4
    assert not list((tmp_path / "out" / "clips").glob(".*.part"))


def test_clips_of_one_name_in_different_folders_are_both_prepared(
    tmp_path: Path,
) -> None:
    for number, season in enumerate(("one", "two")):
        folder = tmp_path / season / "robin"
        folder.mkdir(parents=True)
        make_film(folder / "hello.mkv", *robin(30 * number, 30 * number + 30))
    list(prepare([tmp_path / "one", tmp_path / "two"], tmp_path / "out", SPEC))
    names = read_splits(tmp_path / "out")["train"]
    assert len(names) == 2
    assert all(name.startswith("robin-hello-") for name in names)


def test_a_long_shot_is_prepared_in_parts(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "LONGEST_FRAMES", 25)
    some = tmp_path / "robin"
    some.mkdir()
    shutil.copy(footage / "good.mkv", some)
    list(prepare([some], tmp_path / "out", SPEC))
    parts = [load_clip(tmp_path / "out", f"robin-good@{k}") for k in (1, 2)]
    assert [len(part.landmarks) for part in parts] == [20, 20]
    assert parts[1].times_s[0] == pytest.approx(0.8)


def test_crops_of_two_sizes_are_not_mixed(footage: Path, prepared: Path) -> None:
    with pytest.raises(FootageError, match="another size"):
        list(prepare([footage], prepared, CropSpec()))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FootageError, match="no folder typo"):
        list(prepare([tmp_path / "typo"], tmp_path / "out", SPEC))
