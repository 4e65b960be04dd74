"""The pictures show what was measured."""

import io
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.image import imread

from kinetic._report.chosen import evenly
from kinetic._report.columns import headline
from kinetic._report.figures import pictures
from kinetic._sample.stored_samples import StoredSamples
from kinetic._store.finished_run import FinishedRun

PLANE = """
    [run]
    samples = 50
    [field]
    name = "gaussian"
    size = 2
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
    [arms.plain]
"""


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


@pytest.fixture
def taken(monkeypatch):
    """What is read of the samples of an arm: lists of ids."""
    ids, real = [], StoredSamples.__getitem__
    monkeypatch.setattr(StoredSamples, "__getitem__", lambda stored, i: ids.append(i.tolist()) or real(stored, i))
    return ids


def test_no_picture_reads_more_samples_than_it_shows(full, taken, monkeypatch):
    monkeypatch.setattr(FinishedRun, "samples", lambda run, arm: pytest.fail(f"{arm} was read whole"))
    assert any(picture.title == "Samples by energy: plain" for picture in pictures(full))
    assert len(taken) == sum(not full.shaped(arm) for arm in full.arms)
    energies = full.rows("plain")["kpe"].to_numpy()
    assert taken[0][:32] == np.argsort(energies)[np.linspace(0, 59, 32).astype(int)].tolist()
    assert [len(ids) for ids in taken] == [64] * len(taken)


def test_captions_of_pictures_drawn_from_a_part_say_so_and_their_numbers_stay(full, drawn, monkeypatch):
    monkeypatch.setattr("kinetic._report.scatter._POINTS", 20)
    monkeypatch.setattr("kinetic._report.figures.SPREAD", 30)
    fewer = {picture.title: picture.caption for picture in pictures(full)}
    assert fewer["Power against time"].endswith(" Drawn are 30 of 60 samples, evenly chosen; means are of all.")
    assert fewer["Distribution of the energies"].endswith("are 30 of 60 samples, evenly chosen; means are of all.")
    scatters = [caption for title, caption in fewer.items() if title.startswith("Energy and outcome")]
    assert scatters
    assert all(each.endswith(" Drawn are 20 of 60 samples, evenly chosen; numbers are of all.") for each in scatters)
    assert fewer["Samples by energy: plain"] == drawn["Samples by energy: plain"].caption
    assert not any("Drawn are" in picture.caption for picture in drawn.values())


def test_points_in_the_plane_are_drawn_from_a_part_of_many(make, taken, monkeypatch):
    run = make(PLANE)
    (whole,) = (picture for picture in pictures(run) if picture.title == "Samples by energy: plain")
    assert whole.caption == "The samples of arm plain, coloured by energy."
    assert taken[-1] == [*range(50)]
    monkeypatch.setattr("kinetic._report.grids.SPREAD", 5)
    (part,) = (picture for picture in pictures(run) if picture.title == "Samples by energy: plain")
    assert part.caption == f"{whole.caption} Drawn are 5 of 50 samples, evenly chosen."
    assert taken[-1] == [*evenly(50, 5)]
