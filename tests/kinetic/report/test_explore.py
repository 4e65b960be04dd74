"""Each point of the scatter to be touched is a sample, where its energy and its score put it."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from kinetic._report.chosen import drawn_columns
from kinetic._report.columns import headline
from kinetic._report.explore import Explorer, explorer


@pytest.fixture(scope="module")
def made(full):
    made = explorer(full, "plain", drawn_columns(full, "plain"))
    assert isinstance(made, Explorer)
    return made


@pytest.fixture
def rows(full):
    return full.rows("plain").sort_by("kpe")


def test_points_stand_where_their_numbers_put_them_from_left_to_right(full, made, rows):
    score = ".".join(headline(full)[0])
    x, y = rows["kpe"].to_numpy(), rows[score].to_numpy()
    left, top = (np.array([getattr(point, side) for point in made.points]) for side in ("left", "top"))
    assert len(left) == 60
    assert np.allclose(np.corrcoef(left, x)[0, 1], 1)
    assert np.allclose(np.corrcoef(top, y)[0, 1], -1)
    assert (np.diff(left) >= 0).all()
    for side in (left, top):
        assert side.min() > 0
        assert side.max() < 100


def test_ticks_stand_where_their_numbers_do(made, rows):
    x, left = rows["kpe"].to_numpy(), [point.left for point in made.points]
    slope, shift = np.polyfit(x, left, 1)
    assert len(made.across) >= 2
    for where, text in made.across:
        assert where == pytest.approx(slope * float(text) + shift, abs=0.05)
    assert [where for where, _ in made.up] == sorted((where for where, _ in made.up), reverse=True)


def test_images_are_those_of_the_samples(full, made, rows):
    samples = full.samples("plain")
    for point, sample in zip(made.points, rows["sample"].to_pylist(), strict=True):
        assert point.words[0] == f"sample {sample}"
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(point.image))))
        expected = ((samples[sample, 0].clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
        assert (pixels == expected).all()


def test_words_open_towards_the_middle(made):
    for point in made.points:
        assert point.side == ("w" if point.left > 50 else "e") + " " + ("n" if point.top > 50 else "s")


def test_of_many_samples_a_part_is_drawn_and_said(full, monkeypatch):
    monkeypatch.setattr("kinetic._report.explore._POINTS", 20)
    part = explorer(full, "plain", drawn_columns(full, "plain"))
    assert len(part.points) == 20
    assert part.caption.endswith("Drawn are 20 of 60 samples, evenly chosen.")


PROMPTED = """
    [run]
    samples = 12
    prompts = '{prompts}'
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 2
    [energy.kpe]
    [metrics.copies]
    name = "memorisation"
    train = {{ name = "digits", size = 40 }}
"""


def test_a_sample_that_was_asked_for_a_prompt_says_it(make, tmp_path):
    (tmp_path / "prompts.txt").write_text("\n".join(["a <b>zero</b>", "one", *"23456789"]))
    run = make(PROMPTED.format(prompts=tmp_path / "prompts.txt"))
    (arm,) = run.drawn
    made = explorer(run, arm, drawn_columns(run, arm))
    said = {point.words[0]: point.words[1] for point in made.points}
    assert said["sample 0"] == said["sample 10"] == "a <b>zero</b>"
    assert said["sample 1"] == "one"
    assert "a &lt;b&gt;zero&lt;/b&gt;" in (run.folder / "report.html").read_text()


def test_without_a_score_there_is_none(full):
    columns = {name: column for name, column in drawn_columns(full, "plain").items() if "." not in name}
    assert explorer(full, "plain", columns) is None


def test_a_score_that_is_one_number_stands_in_the_middle(full):
    columns = drawn_columns(full, "plain")
    score = ".".join(headline(full)[0])
    flat = explorer(full, "plain", {**columns, score: np.full(60, 3.0)})
    assert {point.top for point in flat.points} == {50.0}
