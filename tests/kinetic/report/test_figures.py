"""The pictures show what was measured."""

import io
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from kinetic._report.columns import headline
from kinetic._report.figures import pictures


@pytest.fixture(scope="module")
def drawn(full):
    return {picture.title: picture for picture in pictures(full)}


def test_each_question_has_its_picture(drawn, full):
    shared = ("Power against time", "Distribution of the energies", "Where the variance of kpe comes from")
    for title in (*shared, "All correlations"):
        assert title in drawn
    for arm in full.arms:
        assert f"Nearest training points: {arm}" in drawn
        assert (f"Samples by energy: {arm}" in drawn) == (not full.shaped(arm))


def test_pictures_are_pngs_with_something_on_them(drawn):
    for picture in drawn.values():
        pixels = imread(io.BytesIO(picture.png), format="png")
        assert min(pixels.shape[:2]) > 100, picture.title
        assert np.ptp(pixels[..., :3]) > 0.5, picture.title


def test_no_picture_is_wider_than_the_page_and_all_have_one_scale(drawn):
    for picture in drawn.values():
        pixels = imread(io.BytesIO(picture.png), format="png")
        assert picture.width <= 840, picture.title
        assert pixels.shape[1] / picture.width == pytest.approx(1.75, rel=0.01), picture.title


def test_captions_are_sentences(drawn):
    assert all(picture.caption.endswith(".") and picture.alt.endswith(".") for picture in drawn.values())


def test_energy_is_drawn_only_against_scores_that_vary(full, drawn):
    for arm in full.arms:
        rows = full.evidence["correlations"][arm]
        there = any(row["raw"] and (row["metric"], row["score"]) in headline(full) for row in rows)
        if not full.shaped(arm):
            assert (f"Energy and outcome: {arm}" in drawn) == there


def test_matplotlibs_global_state_is_left_alone(full):
    before = dict(matplotlib.rcParams)
    pictures(full)
    assert dict(matplotlib.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()
