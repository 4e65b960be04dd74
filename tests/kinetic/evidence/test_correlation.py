import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_rho_is_spearmans_with_ties(rng):
    table = {"e": rng.integers(0, 9, 300).astype(float), "s": rng.normal(size=300)}
    table["s"] += table["e"]
    (row,) = evidence.spearman(table, ["e"], ["s"])
    assert row.raw.value == pytest.approx(stats.spearmanr(table["e"], table["s"]).statistic, abs=1e-12)
    assert (row.partial, row.gcm, row.p, row.beyond, row.within, row.q) == (None,) * 6


def test_partial_rho_is_that_of_residuals_of_the_raw_controls(rng):
    n = 250
    table = {name: rng.normal(size=n) for name in ("c1", "c2", "e", "s")}
    table["e"] += table["c1"]
    table["s"] += table["c1"] - table["c2"] + 0.3 * table["e"]
    (row,) = evidence.spearman(table, ["e"], ["s"], ["c1", "c2"])
    design = np.stack([np.ones(n), table["c1"], table["c2"]], 1)
    e, s = (table[name] - design @ np.linalg.lstsq(design, table[name], rcond=None)[0] for name in ("e", "s"))
    assert row.partial.value == pytest.approx(stats.spearmanr(e, s).statistic, abs=1e-10)
    assert row.partial.low < row.partial.value < row.partial.high
    assert row.beyond == (row.p < 0.05)


@pytest.mark.parametrize(("n", "r"), [(50, 0.5), (200, 0.5), (200, 0.9)])
def test_the_interval_of_rho_covers_the_truth_as_often_as_it_says(rng, n, r):
    """Of a bivariate normal with correlation r, Spearman's rho is 6/pi asin(r/2)."""
    truth, hits = 6 / np.pi * np.arcsin(r / 2), []
    for _ in range(400):
        x = rng.normal(size=n)
        y = r * x + np.sqrt(1 - r * r) * rng.normal(size=n)
        (row,) = evidence.spearman({"x": x, "y": y}, ["x"], ["y"])
        hits.append(row.raw.low <= truth <= row.raw.high)
    assert 0.91 < np.mean(hits) < 0.985


def test_the_interval_of_the_partial_rho_covers_what_is_beyond_a_sum_of_controls(rng):
    truth, hits = 6 / np.pi * np.arcsin(0.15), []
    for _ in range(400):
        norms, (x, noise) = rng.normal(size=(3, 200)), rng.normal(size=(2, 200))
        y = 0.3 * x + np.sqrt(1 - 0.09) * noise
        table = {"x": x + norms.sum(0), "y": y - norms[0], **dict(zip("abc", norms, strict=True))}
        (row,) = evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])
        hits.append(row.partial.low <= truth <= row.partial.high)
    assert 0.91 < np.mean(hits) < 0.985


@pytest.mark.parametrize("curve", [lambda s: s, np.tanh, np.square], ids=["linear", "tanh", "square"])
def test_what_is_independent_given_three_normals_is_beyond_them_in_one_of_twenty_draws(rng, curve):
    beyond = []
    for _ in range(300):
        c, (a, b) = rng.normal(size=(3, 500)), rng.normal(size=(2, 500))
        table = {"x": c.sum(0) + a, "y": curve(c.sum(0)) + b, **dict(zip("abc", c, strict=True))}
        beyond.append(evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])[0].beyond)
    assert np.mean(beyond) < 0.09


def test_what_is_beyond_three_normals_is_seen(rng):
    c, (a, b) = rng.normal(size=(3, 500)), rng.normal(size=(2, 500))
    table = {"x": c.sum(0) + a, "y": c.sum(0) + 0.5 * a + b, **dict(zip("abc", c, strict=True))}
    (row,) = evidence.spearman(table, ["x"], ["y"], ["a", "b", "c"])
    assert row.beyond
    assert row.p < 1e-6
    assert row.gcm > 5


def test_the_partial_rho_of_a_sum_of_controls_and_a_rest_is_the_rests(rng):
    """KPE is a sum of norms and its bending: what is left is the bending."""
    c, (bending, noise) = rng.normal(size=(3, 400)), 0.01 * rng.normal(size=(2, 400))
    table = {"kpe": c.sum(0) + bending, "bending": bending, "s": bending + noise, **dict(zip("abc", c, strict=True))}
    kpe, own = evidence.spearman(table, ["kpe", "bending"], ["s"], ["a", "b", "c"])
    assert kpe.partial.value == pytest.approx(own.partial.value, abs=1e-9)
    assert kpe.gcm == pytest.approx(own.gcm, rel=1e-6)
    assert kpe.partial.value > 0.6


def test_displacement_is_a_function_of_the_norms_and_has_neither_partial_rho_nor_test(rng):
    c, s = rng.normal(size=(3, 300)), rng.normal(size=300)
    table = {
        "displacement": c[0] - 2 * c[1] + c[2],
        "s": s,
        "of_norms": c[0] * c[1],
        **dict(zip("abc", c, strict=True)),
    }
    rows = evidence.spearman(table, ["displacement", "s"], ["s", "of_norms"], ["a", "b", "c"])
    for row in rows:
        assert (row.partial, row.gcm, row.p, row.beyond) == (None,) * 4
    assert rows[0].raw is not None


def test_a_constant_or_a_function_of_the_controls_has_no_rho(rng):
    x, c = rng.normal(size=50), rng.normal(size=50)
    table = {"x": x, "flat": np.full(50, 3.0), "noise": 1 + 1e-9 * x, "c": c, "c3": c**3}
    rows = evidence.spearman(table, ["x", "c3"], ["flat", "noise", "x"], ["c"])
    by_pair = {(row.energy, row.score): row for row in rows}
    assert by_pair["x", "flat"].raw is None
    assert by_pair["x", "noise"].raw is None
    assert by_pair["x", "x"].raw is None
    assert by_pair["c3", "x"].raw is not None
    assert by_pair["c3", "x"].partial is None
    assert sum((row.raw is not None) + (row.partial is not None) for row in rows) == 1


@pytest.mark.parametrize("n", [1, 3, 4, 5])
def test_a_handful_of_samples_has_rows_and_no_false_intervals(rng, n):
    table = dict(zip("xyc", rng.normal(size=(3, n)), strict=True))
    (row,) = evidence.spearman(table, ["x"], ["y"], ["c"], strata=np.arange(n) % 2)
    assert row.n == n
    assert row.within is row.p is None


def test_classes_fixed_by_id_make_the_interval_of_rho_narrower_and_it_still_covers(rng):
    def draw(n):
        labels = np.arange(n) % 10
        x = rng.normal(size=n) + labels
        return {"x": x, "y": x + labels + rng.normal(size=n)}, labels

    table, labels = draw(400_000)
    (truth,) = evidence.spearman(table, ["x"], ["y"])
    hits, ratio = [], []
    for _ in range(300):
        table, labels = draw(300)
        (row,) = evidence.spearman(table, ["x"], ["y"], strata=labels)
        hits.append(row.raw.low <= truth.raw.value <= row.raw.high)
        ratio.append(row.raw.se / evidence.spearman(table, ["x"], ["y"])[0].raw.se)
    assert 0.91 < np.mean(hits) < 0.985
    assert np.mean(ratio) < 0.95


def test_columns_of_unlike_length_are_refused():
    with pytest.raises(OptionError, match="equally long"):
        evidence.spearman({"x": [1, 2, 3], "y": [1, 2]}, ["x"], ["y"])
