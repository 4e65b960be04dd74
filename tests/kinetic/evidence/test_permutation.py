import numpy as np
import pytest

from kinetic import evidence


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def columns(rng, n, near):
    """Four energies and five scores, nothing to do with each other; each kind near copies or independent."""
    table = {}
    for kind, count in (("e", 4), ("s", 5)):
        common = rng.normal(size=n)
        table |= {f"{kind}{i}": near * common + rng.normal(size=n) for i in range(count)}
    return table, [f"e{i}" for i in range(4)], [f"s{i}" for i in range(5)]


def test_the_mean_is_one_in_twenty_and_near_copies_spread_the_number(rng):
    apart = evidence.permutation_count(*columns(rng, 400, 0.0))
    close = evidence.permutation_count(*columns(rng, 400, 5.0))
    assert apart.shown == close.shown == 20
    assert apart.mean == pytest.approx(1.0, abs=0.4)
    assert close.mean == pytest.approx(1.0, abs=1.0)
    assert apart.high <= 4
    assert close.high > 8
    assert apart.low == close.low == 0


@pytest.mark.parametrize("n", [200, 6000])
def test_the_number_that_intervals_show_is_within_the_range_of_some_of_many_samples_too(rng, n):
    above = 0
    for _ in range(40):
        table, energies, scores = columns(rng, n, 2.0)
        count = sum(row.raw.sign != 0 for row in evidence.spearman(table, energies, scores))
        above += count > evidence.permutation_count(table, energies, scores).high
    assert above <= 6


def test_partial_columns_and_fifths_count_where_they_are_shown(rng):
    table, energies, scores = columns(rng, 300, 1.0)
    table |= {"c": (c := rng.normal(size=300)), "of_c": c**2}
    rows = evidence.spearman(table, [*energies, "of_c"], scores, ["c"])
    counted = evidence.permutation_count(table, [*energies, "of_c"], scores, ["c"])
    assert counted.shown == 45
    assert sum((row.raw is not None) + (row.partial is not None) for row in rows) == counted.shown
    assert counted.mean == pytest.approx(0.05 * counted.shown, abs=1.5)
    with_fifths = evidence.permutation_count(table, energies, scores, fifths=True)
    assert with_fifths.shown == 40
    assert with_fifths.mean == pytest.approx(2.0, abs=1.0)


def test_it_is_the_same_each_time_and_of_nothing_nothing(rng):
    given = columns(rng, 6000, 1.0)
    assert evidence.permutation_count(*given) == evidence.permutation_count(*given)
    assert evidence.permutation_count({"x": [1, 2], "y": [1, 2]}, ["x"], ["y"]).shown == 0
    assert evidence.permutation_count({}, [], []).shown == 0
