"""Targets, table, JSON and sheet, from results as Bench gives them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from synthesis.faces.align import CANONICAL
from synthesis.neural.articulation import Said
from synthesis.neural.evaluate import CROSS, OWN, Result, Seen, summary
from synthesis.neural.report import as_json, as_png, as_text, write
from synthesis.neural.sheet import COLUMNS, pages, spread_frames
from synthesis.neural.targets import Target, targets

FRAMES = 50
TIMES_S = np.arange(FRAMES) / 25


def seen(shade: int, openings: np.ndarray) -> Seen:
    landmarks = np.tile(CANONICAL.astype(np.float64) * 60 + 100, (FRAMES, 1, 1))
    landmarks[:, 14] = landmarks[:, 13]
    landmarks[:, 14, 1] += 60 * openings
    crops = np.full((FRAMES, 96, 112, 3), shade, np.uint8)
    return Seen(crops, landmarks, np.zeros((10, 8, 8)), 0)


def results() -> list[Result]:
    curve = np.abs(np.sin(TIMES_S * 6)) * 0.2
    said = Said(curve, curve, TIMES_S)
    found = []
    for row, db in (("real", 99.0), ("lipweb", 33.0), ("retrieval", 31.0)):
        for heard in (OWN, CROSS):
            figures = {
                "psnr": db,
                "psnr_square": db - 2,
                "sharpness": 0.7,
                "flicker": math.nan,
                "strayed": 0.0,
            }
            found.append(
                Result(
                    "s9-one", "s9", row, heard, "s9-two", figures, said, None,
                    seen(round(2 * db), curve),
                )
            )  # fmt: skip
    return found


def by_name(row: str) -> Target:
    return {t.name: t for t in targets(summary(results()), adapted=False)}[row]


def test_a_target_is_reached_missed_or_not_measured() -> None:
    chain, renderer = "whole chain: PSNR, dB", "renderer: PSNR, dB"
    assert by_name(f"{chain} (mouth box .8 x .52 eyes)").reached is True
    assert by_name(f"{chain} (60 x 60 px box of RESEARCH 1b)").reached is False
    assert by_name("whole chain: PSNR over retrieval, dB").value == 2.0
    assert by_name(f"{renderer} (mouth box .8 x .52 eyes)").reached == "not measured"
    assert by_name("flicker against real").reached == "not measured"
    assert by_name("samples changed outside the mask").reached is True
    assert Target("x", 1.2, 0.85, 1.1).reached is False
    assert Target("x", 0.8, 0.85, 1.1).reached is False
    assert Target("x", 0.9, 0.85, 1.1).reached is True


def test_every_line_of_the_issues_table_is_there() -> None:
    names = " ".join(t.name for t in targets({}, adapted=True))
    for word in (
        "renderer", "whole chain", "adapted", "sharpness", "flicker", "correlation",
        "second code", "bilabials", "false", "confidence", "offset", "prefers",
        "silence", "outside the mask", "final render", "draft render",
    ):  # fmt: skip
        assert word in names
    assert all(t.reached == "not measured" for t in targets({}, adapted=True))


def test_adaptation_counts_only_where_there_was_some() -> None:
    table = {
        OWN: {
            "lipweb true codes": {"psnr": 34.0},
            "lipweb not adapted, true codes": {"psnr": 32.5},
            "retrieval true codes": {"psnr": 32.0},
        }
    }
    with_it = {t.name: t for t in targets(table, adapted=True)}
    without = {t.name: t for t in targets(table, adapted=False)}
    line = "talker adapted to: renderer over retrieval, dB"
    assert (with_it[line].value, with_it[line].reached) == (2.0, True)
    assert without[line].reached == "not measured"
    assert with_it["the same without adaptation (for comparison), dB"].value == 0.5


def test_the_table_names_rows_and_figures_and_says_what_is_reached() -> None:
    text = as_text(summary(results()), adapted=False)
    own, _, rest = text.partition("ANOTHER SOUND")
    assert "OWN SOUND" in own
    assert "retrieval" in own
    (line,) = [part for part in own.splitlines() if part.startswith("PSNR dB, mouth")]
    assert line.split()[-3:] == ["99", "33", "31"]
    assert "flicker" not in own
    assert "NOT reached" in rest
    assert "not measured" in rest


def test_the_json_has_every_clip_mean_and_target_and_null_for_the_unknown() -> None:
    table = summary(results())
    content = json.loads(
        as_json(results(), table, {"left_out": {"x.mp4": "Torn."}}, adapted=False)
    )
    assert content["about"]["left_out"] == {"x.mp4": "Torn."}
    assert content["mean"][OWN]["lipweb"]["psnr"] == 33.0
    assert content["mean"][OWN]["lipweb"]["flicker"] is None
    assert len(content["clips"]) == 6
    name = "whole chain: PSNR, dB (mouth box .8 x .52 eyes)"
    (target,) = [t for t in content["targets"] if t["name"] == name]
    assert target == {
        "name": name, "value": 33.0, "at_least": 32.5,
        "at_most": None, "reached": True,
    }  # fmt: skip


def test_the_sheet_shows_every_row_of_both_sounds_in_its_own_pixels() -> None:
    both = pages(results(), TIMES_S)
    assert [list(page.rows) for page in both] == [["real", "lipweb", "retrieval"]] * 2
    assert "another sound" in both[1].title
    picture = cv2.imdecode(np.frombuffer(as_png(both), np.uint8), cv2.IMREAD_COLOR)
    for shade in (198, 66, 62):
        shown = (picture == shade).all(2).sum()
        # Two pages of COLUMNS views each, of about 140 x 175 px.
        assert shown > 2 * COLUMNS * 20_000


def test_the_columns_go_through_the_talking_in_order() -> None:
    openings = np.zeros(100)
    openings[30:71] = 0.2 + np.abs(np.sin(np.arange(41) / 3))
    frames = spread_frames(openings)
    assert len(frames) == COLUMNS
    assert frames == sorted(set(frames))
    assert frames[0] >= 30
    assert frames[-1] <= 70
    assert openings[frames].max() > 1.1
    assert len(spread_frames(np.zeros(5))) == COLUMNS


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "new" / "figures.json"
    write(target, b"{}")
    assert target.read_bytes() == b"{}"
    assert [p.name for p in target.parent.iterdir()] == ["figures.json"]
    with pytest.raises(TypeError):
        write(target, None)  # type: ignore[arg-type]
    assert target.read_bytes() == b"{}"
