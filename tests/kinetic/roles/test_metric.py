import attrs
import pytest
import torch

import kinetic
from kinetic import Samples, Score, TensorData, options
from kinetic.errors import OptionError


@attrs.frozen(eq=False)
class Total(kinetic.Metric):
    """The least there is to say."""

    train: kinetic.Dataset = options.component(kinetic.Dataset, converter=kinetic.as_dataset)
    held_out: kinetic.Dataset | None = options.component(kinetic.Dataset, None, converter=kinetic.as_dataset)

    def begin(self):
        return 0.0

    def observe(self, state, samples):
        if samples.x.dim() != 2:
            raise OptionError("flat points only")
        return state + float(samples.x.sum())

    def merge(self, a, b):
        return a + b

    def finish(self, state):
        return Score({"total": kinetic.Estimate(state)})


def test_a_value_that_is_no_estimate_is_named():
    with pytest.raises(OptionError, match=r"'m' must be an Estimate: 1\.5\. Say Estimate\(1\.5\)"):
        Score({"m": 1.5})


def test_references_are_the_data_sets_among_the_options():
    data, held = TensorData(torch.zeros(3, 2)), TensorData(torch.zeros(4, 2))
    assert Total(data).references == (data,)
    assert Total(data, held).references == (data, held)


def test_a_metric_that_says_no_more_is_checked_by_observing_and_describes_nothing():
    metric = Total(torch.zeros(3, 2))
    assert metric.described == ()
    metric.check(Samples(torch.arange(2), torch.zeros(2, 2)))
    with pytest.raises(OptionError, match="flat points only"):
        metric.check(Samples(torch.arange(2), torch.zeros(2, 2, 2)))
