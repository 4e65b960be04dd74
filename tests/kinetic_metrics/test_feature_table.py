import attrs
import pytest
import torch
from kinetic_features import Pixels
from kinetic_metrics.feature_table import embed_all, neighbours, observed, tables, twice

import kinetic
from kinetic import Samples, SampleTable, TensorData
from kinetic.errors import OptionError, ShapeError
from kinetic.evidence import Estimate


@attrs.frozen(eq=False)
class Broken(kinetic.FeatureSpace):
    def features(self, x):
        return x.flatten(1) / 0


def test_the_table_is_by_ascending_id_however_it_was_filled():
    x = torch.randn(10, 2, 3)
    order = torch.randperm(10)
    parts = [Samples(rows, x[rows], -x[rows]) for rows in (order[:4], order[4:])]
    state = observed(observed(SampleTable(), parts[1], Pixels()), parts[0], Pixels())
    ids, plain, denoised = tables(state, 2)
    assert ids.tolist() == list(range(10))
    assert torch.equal(plain, x.flatten(1))
    assert torch.equal(denoised, -x.flatten(1))


def test_denoised_samples_that_are_the_samples_are_judged_once():
    x = torch.randn(5, 3)
    _, plain, denoised = tables(observed(SampleTable(), Samples(torch.arange(5), x, x.clone()), Pixels()), 2)
    assert denoised is None
    asked = []
    values, columns = twice(plain, denoised, lambda f: (asked.append(f), ({"a": Estimate(1.0)}, {"b": f[:, 0]}))[1])
    assert len(asked) == 1
    assert set(values) == {"a", "a_denoised"}
    assert set(columns) == {"b", "b_denoised"}


def test_all_points_are_embedded_in_order_block_by_block():
    x = torch.randn(600, 1, 2, 2)
    assert torch.equal(embed_all(Pixels(), TensorData(x)), x.flatten(1))


def test_neighbours_are_those_of_brute_force():
    x, points = torch.randn(11, 4), torch.randn(17, 4)
    distances, index = torch.cdist(x.double(), points.double()).topk(3, dim=1, largest=False)
    found, where = neighbours(x, points, 3, torch.device("cpu"))
    assert torch.allclose(found, distances, rtol=1e-9)
    assert torch.equal(where, index)


def test_bad_input_is_named():
    x = torch.zeros(3, 2)
    with pytest.raises(OptionError, match=r"Pixels features must be at most 1e\+15 in size: 2e\+15"):
        observed(SampleTable(), Samples(torch.arange(3), x - 2e15, x), Pixels())
    with pytest.raises(OptionError, match="Broken features must be finite: some are NaN or infinite"):
        observed(SampleTable(), Samples(torch.arange(3), x, x), Broken())
    with pytest.raises(OptionError, match="Broken features must be finite"):
        embed_all(Broken(), TensorData(x))
    with pytest.raises(OptionError, match="this score needs 2 samples or more: 0"):
        tables(SampleTable(), 2)
    state = observed(SampleTable(), Samples(torch.arange(3), x, x), Pixels())
    with pytest.raises(OptionError, match="this score needs 4 samples or more: 3"):
        tables(state, 4)
    with pytest.raises(ShapeError, match="samples have 2 features, the points they are held against 5"):
        tables(state, 2, torch.zeros(3, 5))
