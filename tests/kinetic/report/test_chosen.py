"""What a picture of very many samples is drawn from."""

import numpy as np
import pyarrow as pa
import pytest

from kinetic._report.chosen import Bands, drawn_columns, drawn_of, evenly, finite_rows
from kinetic._store.finished_run import FinishedRun


def test_few_samples_are_all_drawn():
    assert evenly(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert evenly(10, 10).tolist() == [*range(10)]


@pytest.mark.parametrize(("n", "most"), [(50_000, 10_000), (50_000, 1500), (10_001, 10_000), (3000, 1500), (200, 7)])
def test_of_many_as_many_as_asked_for_are_drawn_in_gaps_of_three_lengths_at_the_most(n, most):
    chosen = evenly(n, most)
    assert len(chosen) == len(np.unique(chosen)) == most
    gaps = np.unique(np.diff(chosen))
    assert gaps.min() >= 1
    assert len(gaps) <= 3
    assert chosen[0] < gaps.max()
    assert n - chosen[-1] <= gaps.max()


@pytest.mark.parametrize("n", [50_000, 100_000, 20_000, 10_007])
@pytest.mark.parametrize("classes", [2, 4, 5, 10, 100])
def test_classes_that_go_round_with_the_ids_all_have_their_share(n, classes):
    counts = np.bincount(evenly(n, 10_000) % classes, minlength=classes)
    assert np.abs(counts - 10_000 / classes).max() <= 10


def test_a_caption_says_how_many_are_drawn_where_it_is_a_part():
    assert drawn_of(10_000, 10_000, "means are") == ""
    assert drawn_of(50_000, 1500, "means are") == " Drawn are 1,500 of 50,000 samples, evenly chosen; means are of all."
    assert drawn_of(50_000, 1500) == " Drawn are 1,500 of 50,000 samples, evenly chosen."


def test_the_columns_are_those_that_pictures_show(full):
    columns = drawn_columns(full, "plain")
    assert {"kpe", "bending", "class", "sample"} <= {*columns}
    assert not {"power", "x0_sq", "early", "arm"} & {*columns}
    for name, values in columns.items():
        assert (values == full.rows("plain")[name].to_numpy()).all()


def test_bands_are_quantiles_of_what_is_drawn_and_the_mean_is_of_all(full, monkeypatch):
    power = np.array(full.rows("plain")["power"].to_pylist())
    bands = Bands.of(full, "plain", "power")
    assert (bands.n, bands.least) == (60, power.min())
    assert bands.quantiles == pytest.approx(np.quantile(power, [0.1, 0.25, 0.75, 0.9], axis=0))
    monkeypatch.setattr("kinetic._report.chosen.SPREAD", 7)
    fewer = Bands.of(full, "plain", "power")
    assert fewer.quantiles == pytest.approx(np.quantile(power[evenly(60, 7)], [0.1, 0.25, 0.75, 0.9], axis=0))
    assert fewer.mean == pytest.approx(power.mean(0))
    assert Bands.of(full, "plain", "no such column") is None


def test_a_sample_that_was_left_out_takes_nothing_else_out_of_a_picture(full, monkeypatch):
    """Its energies are not finite and its scores null; all others are drawn, under their own ids."""
    rows, bad = full.rows("plain"), np.arange(60) == 3
    for name in ("kpe", "finite_until"):
        values = np.where(bad, 0.5, np.nan) if name == "finite_until" else np.where(bad, np.nan, rows[name].to_numpy())
        rows = rows.drop_columns([name] if name in rows.column_names else []).append_column(name, pa.array(values))
    monkeypatch.setattr(FinishedRun, "rows", lambda run, arm: rows)
    others = [*range(3), *range(4, 60)]
    assert finite_rows(full, "plain")["sample"].to_pylist() == others
    columns = drawn_columns(full, "plain")
    assert np.isfinite(columns["kpe"]).all()
    assert columns["sample"].tolist() == others
    assert Bands.of(full, "plain", "power").n == 59
