import numpy as np
import pytest

from kinetic.errors import OptionError
from kinetic.evidence._strata import Strata


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_the_error_is_that_of_a_stratified_mean(rng):
    labels = np.repeat(["a", "b", "c"], [30, 20, 50])
    x = rng.normal(size=100) + np.repeat([0.0, 5.0, -3.0], [30, 20, 50])
    mixed = rng.permutation(100)
    variance = sum((n / 100) ** 2 * x[labels == h].var(ddof=1) / n for h, n in (("a", 30), ("b", 20), ("c", 50)))
    strata = Strata.of(labels[mixed], 100)
    assert strata.error(x[mixed]) == pytest.approx(np.sqrt(variance), rel=1e-12)
    assert strata.within(x[mixed]).mean() == pytest.approx(x.mean(), rel=1e-12)
    assert strata.dof == 97


def test_rows_are_handled_each_for_itself(rng):
    x, strata = rng.normal(size=(3, 40)), Strata.of(np.arange(40) % 4, 40)
    assert strata.error(x) == pytest.approx([float(strata.error(row)) for row in x], rel=1e-12)
    assert strata.sums(x)[1] == pytest.approx([x[1, h::4].sum() for h in range(4)])


def test_without_labels_it_is_the_error_of_a_mean(rng):
    x = rng.normal(size=30)
    assert Strata.of(None, 30).error(x) == pytest.approx(x.std(ddof=1) / np.sqrt(30))


@pytest.mark.parametrize(
    ("labels", "counts"),
    [([0, 0, 1, 2], [2, 2]), ([0, 0, 0, 1, 1, 2], [3, 3]), ([0, 1, 2, 3], [4]), ([7], [1]), ([1, 1, 2, 2], [2, 2])],
)
def test_strata_of_one_sample_are_put_together_and_a_single_one_with_the_smallest_other(labels, counts):
    assert sorted(Strata.of(labels, len(labels)).counts) == counts


def test_labels_of_another_length_are_named():
    with pytest.raises(OptionError, match=r"a label for each of the 3 samples, \(3,\): \(2,\)"):
        Strata.of([0, 1], 3)
