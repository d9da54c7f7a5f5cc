"""`make bench-watermark` on one small film: what it says, writes and ends with."""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from lipweb import launcher
from synthesis.provenance.fingerprint import ALIKE, similarity
from synthesis.provenance.mark_trial import __main__ as command
from synthesis.provenance.mark_trial import clips, falsely, marks
from synthesis.provenance.mark_trial.attacks import named
from synthesis.provenance.mark_trial.clips import Clip, Source
from synthesis.provenance.mark_trial.likeness import compare
from synthesis.provenance.mark_trial.marks import HOW_TO_GET_IT, Ours
from synthesis.provenance.mark_trial.pictures import Picture, from_bgr, grey
from synthesis.provenance.mark_trial.table import Findings
from synthesis.provenance.mark_trial.trial import attack_one, deliver, pieces
from tests.footage import make_clip
from tests.synthesis.provenance.conftest import film

WIDTH, HEIGHT = 426, 240
QUICK = ["--no-speed", "--decodes", "0", "--jobs", "1", "--made"]


@functools.cache
def talker(seconds: float) -> Clip:
    """Two seconds, whatever was asked, so that there is one piece."""
    lumas = film(5, width=WIDTH, height=HEIGHT, frames=50)
    return Clip("talker", [grey(luma) for luma in lumas])


@pytest.fixture(autouse=True)
def small_films(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Source("talker", talker), Source("other", talker)]
    monkeypatch.setattr(command, "MADE", made)


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == marks.LIBRARY else real(name, *rest),
    )


class Unmarked(Ours):
    """Writes nothing: whatever is read then is not there."""

    def write(self, pictures: Sequence[Picture], mark_id: bytes) -> Iterator[Picture]:
        yield from pictures


def test_two_attacks_are_said_and_written_as_text_json_and_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], no_library: None
) -> None:
    words = [*QUICK, "talker", "--only", "crf 23", "--only", "mirror", "--out"]
    assert command.main([*words, str(tmp_path)]) == command.HOLDS
    said = capsys.readouterr()
    assert "H.264 CRF 23" in said.out
    assert "mirror" in said.out
    assert "Everything in the bar holds." in said.out
    assert "attacking: 3 of 3" in said.err
    assert "Fingerprint, alike from 0.50: of 2 attacked pieces 0" in said.out
    assert (tmp_path / "watermark.txt").read_text() == said.out
    kept = json.loads((tmp_path / "watermark.json").read_text())
    cells = {cell["attack"]: cell for cell in kept["cells"]}
    assert cells["H.264 CRF 23"]["found"] == cells["H.264 CRF 23"]["pieces"] == 1
    assert kept["films"][0]["psnr_db"] > 40
    with Image.open(tmp_path / "watermark.png") as image:
        drawn = np.asarray(image.convert("RGB"))
    assert drawn.shape[1] >= 900
    assert (drawn == (0xB9, 0xE3, 0xC0)).all(axis=2).sum() > 1000  # a full cell


def test_without_the_library_it_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], no_library: None
) -> None:
    assert command.main([*QUICK, "talker", "--only", "h.264 crf 18"]) == command.HOLDS
    assert HOW_TO_GET_IT in capsys.readouterr().out


def test_a_film_that_lost_its_mark_fails_the_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "Ours", Unmarked)
    words = [*QUICK, "talker", "--only", "h.264 crf 18", "--no-library"]
    assert command.main([*words, "--out", str(tmp_path)]) == command.MISSED
    assert "MISSED: H.264 CRF 18 on talker, 0 of 1." in capsys.readouterr().out
    assert json.loads((tmp_path / "watermark.json").read_text())["failures"]


def test_past_the_bar_and_on_films_outside_it_a_miss_is_no_failure(
    tmp_path: Path,
) -> None:
    mark, clip = Unmarked(), talker(2)
    barred = deliver(clip, mark, tmp_path)
    cell = attack_one(barred, "H.264 CRF 18", 2.0)
    past = attack_one(barred, "crop 55 %", 2.0)
    assert not cell.holds and not past.holds
    assert Findings([barred], [cell, past]).failures == [cell]
    grey_card = deliver(Clip("talker", clip.pictures, in_bar=False), mark, tmp_path)
    assert Findings([grey_card], [cell]).failures == []


def test_where_nothing_in_the_bar_was_tried_nothing_is_said_to_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [*QUICK, "talker", "--only", "one second", "--no-library"]
    assert command.main(words) == command.MISSED
    assert "Nothing that the bar is about was tried" in capsys.readouterr().out


def test_another_id_than_the_one_written_is_a_false_find(tmp_path: Path) -> None:
    clip = talker(2)
    film_of_another = deliver(clip, Ours(), tmp_path)
    renamed = type(film_of_another)(
        "somebody else", Ours(), film_of_another.path, clip.rate, clip.size, True
    )
    cell = attack_one(renamed, "H.264 CRF 18", 2.0)
    assert (cell.found, cell.false) == (0, 1)
    assert Findings([renamed], [cell]).false_answers == 1


def test_false_finds_are_looked_for_in_as_many_decodes_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(falsely, "SEEN_AS", ("H.264 CRF 23",))
    monkeypatch.setattr(falsely, "KEYS_AT_ONCE", 2)
    films = [deliver(talker(2), mark, tmp_path) for mark in (None, Ours())]
    steps: list[int] = []
    looked = falsely.look_where_there_is_none(
        films, 5, lambda done, of: steps.append(done)
    )
    assert looked.found == 0
    assert looked.trials >= 5
    assert looked.questions % falsely.KEYS_AT_ONCE == 0
    assert steps[-1] == 5
    with falsely.trials_counted() as counted:
        assert Ours().read(list(films[1].pictures()), marks.id_for("talker"), (2, 2))
    assert counted[0] > 0


def test_other_moments_and_other_films_are_strangers_to_the_fingerprint(
    tmp_path: Path,
) -> None:
    numbers = np.random.default_rng(1).uniform(60, 190, (100, 8, 12))
    wandering = np.cumsum(numbers - 125, axis=0) / 8 + 125
    lumas = [
        cv2.resize(np.clip(one, 16, 235).astype(np.uint8), (WIDTH, HEIGHT))
        for one in wandering
    ]
    restless = Clip("restless 240", [grey(np.asarray(y, np.uint8)) for y in lumas])
    films = [deliver(one, Ours(), tmp_path) for one in (restless, talker(2))]
    again = replace(films[0], clip="restless 240>720")
    found = compare([*films, again], lambda done, of: None)
    assert len(found.moments) == 2  # the talker has two seconds and no more
    assert len(found.films) == 4  # no film with its own other size
    assert max(*found.moments, *found.films) < ALIKE
    assert similarity(films[0].kept, films[0].kept) > 0.95


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--made", "nobody"], "No film 'nobody'"),
        (["--made", "none"], "nothing to try"),
        (["--made", "talker", "--only", "no such thing"], "No attack"),
        (["--made", "none", "--clips", "/no/such/folder"], "no folder"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(words) == command.CANNOT
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_own_films_are_tried_as_they_are_and_scaled_up(tmp_path: Path) -> None:
    make_clip(tmp_path / "one.mp4", size=(321, 241), pix_fmt="yuv444p", frames=30)
    as_it_is, grown = clips.own(tmp_path, 6)
    small, large = as_it_is.make(2.0), grown.make(2.0)
    assert (small.name, small.size, len(small.pictures)) == ("one 241", (320, 240), 50)
    assert (large.name, large.size) == ("one 241>720", (960, 720))
    assert np.array_equal(small.pictures[28].y, small.pictures[30].y)  # to and fro


def test_own_films_are_chosen_evenly_and_bad_ones_named(tmp_path: Path) -> None:
    for number in range(4):
        make_clip(tmp_path / f"{number}.mp4", size=(240, 720), frames=2)
    assert [one.name for one in clips.own(tmp_path, 2)] == ["0 720", "2 720"]
    (tmp_path / "0.mp4").write_bytes(b"not a film")
    with pytest.raises(clips.ClipsRefused, match=r"0\.mp4"):
        clips.own(tmp_path, 2)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(clips.ClipsRefused, match="no film"):
        clips.own(empty, 2)
    make_clip(empty / "tiny.mp4", size=(64, 48), frames=2)
    with pytest.raises(clips.ClipsRefused, match=r"tiny\.mp4 is 64x48"):
        clips.own(empty, 2)


def test_pieces_slide_over_the_film_and_a_short_one_is_taken_whole() -> None:
    numbers = list(range(100))
    cut = list(pieces(numbers, clips.RATE, 2.0, 1.0))  # type: ignore[arg-type]
    assert [(piece[0], len(piece)) for piece in cut] == [(0, 50), (25, 50), (50, 50)]
    assert list(pieces(numbers[:9], clips.RATE, 2.0, 1.0)) == [list(range(9))]  # type: ignore[arg-type]


def test_every_made_film_is_as_long_as_asked() -> None:
    for source in clips.MADE:
        clip = source.make(0.2)
        assert clip.name == source.name
        assert len(clip.pictures) == 5
        assert len({picture.size for picture in clip.pictures}) == 1


def test_the_library_reads_what_it_wrote_and_nothing_else() -> None:
    libraries = marks.library_marks()
    if not libraries:
        pytest.skip(HOW_TO_GET_IT)
    size = (512, 288)
    colour = np.random.default_rng(0).uniform(60, 190, (9, 16, 3)).astype(np.float32)
    soft = cv2.resize(colour, size, interpolation=cv2.INTER_CUBIC)
    picture = from_bgr(np.clip(soft, 0, 255).astype(np.uint8))
    # Only the second: the first picks its place by its value, then moves the value.
    assert [library.name for library in libraries] == ["dwtDct", "dwtDctSvd"]
    for library in libraries:
        (written,) = library.write([picture], b"eight by")
        assert library.read([picture] * 3, b"eight by", size) == "none"
    assert library.read([written] * 3, b"eight by", size) == "found"


def test_stopping_it_is_answered_in_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(seconds: float) -> Clip:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "MADE", [Source("talker", stopped)])
    assert command.main([*QUICK, "talker"]) == command.STOPPED
    assert "Stopped; nothing was written." in capsys.readouterr().err


def test_make_starts_it_without_queue_or_web_server() -> None:
    (words,) = launcher.commands_of("bench-watermark", ["--full"])
    assert words[1:] == ["-m", "synthesis.provenance.mark_trial", "--full"]


def test_it_knows_no_django() -> None:
    program = "import synthesis.provenance.mark_trial.__main__, sys; "
    program += "sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_all_attacks_of_the_bar_are_wanted_from_two_or_four_seconds() -> None:
    lengths = {attack.holds_from_s for attack in named([]) if attack.in_bar}
    assert lengths == {2.0, 4.0}
