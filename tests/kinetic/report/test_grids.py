"""Samples in the order of a column, and beside the training points nearest to them."""

import numpy as np

from kinetic._report.chosen import drawn_columns
from kinetic._report.grids import by_energy, grid, neighbours


def test_samples_stand_at_evenly_spaced_ranks_lowest_first(full):
    columns = drawn_columns(full, "plain")
    (axis,) = grid(full, "plain", columns, ["kpe"]).figure.axes
    ranks = np.linspace(0, 59, 32).astype(int)
    assert [text.get_text() for text in axis.texts] == [f"{value:.3g}" for value in np.sort(columns["kpe"])[ranks]]


def test_titles_say_what_orders_them(full):
    columns = drawn_columns(full, "plain")
    (score,) = (name for name in columns if "." in name)
    assert by_energy(full, "plain", columns).title == "Samples by energy: plain"
    assert grid(full, "plain", columns, [score]).title == f"Samples by {score}: plain"


def test_samples_without_an_energy_have_no_grid(full):
    columns = {"sample": drawn_columns(full, "plain")["sample"]}
    assert by_energy(full, "plain", columns) is None


def test_neighbours_are_those_that_were_kept(full):
    kept = full.neighbours("plain")
    (axis,) = neighbours(full, "plain").figure.axes
    words = [text.get_text() for text in axis.texts]
    assert words[len(words) // 2 :] == [f"#{point}" for point in kept["points"].tolist()]
