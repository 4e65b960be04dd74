import attrs
import pytest
import torch

import kinetic
from kinetic import Column, Samples, SampleTable, Score, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


@attrs.frozen(eq=False)
class Brightness(kinetic.SampleMetric):
    """A stranger's metric of each sample."""

    described = (Column("bright", "Whether the mean is above 0.", kind="label", mean="share"),)

    def columns(self, samples):
        mean = samples.x.flatten(1).mean(1)
        return {"brightness": mean, "bright": mean > 0, "nearest": samples.ids * 2}

    def notes(self, columns):
        return (f"{len(columns['bright'])} samples.",)


@attrs.frozen(eq=False)
class Spread(kinetic.TableMetric):
    """A stranger's metric of all samples."""

    samples_needed = 3

    def rows(self, samples):
        return {"x": samples.x}

    def judge(self, ids, rows):
        return Score({"spread": evidence.Estimate(float(rows["x"].std(0).mean()))})


def test_observations_come_back_by_ascending_id_however_they_were_joined():
    first = SampleTable().append(torch.tensor([5, 1]), {"a": torch.tensor([50.0, 10.0])})
    second = SampleTable().append(torch.tensor([3]), {"a": torch.tensor([30.0])})
    for table in (first.concat(second), second.concat(first)):
        ids, columns = table.sort()
        assert len(table) == 3
        assert ids.tolist() == [1, 3, 5]
        assert columns["a"].tolist() == [10.0, 30.0, 50.0]


def test_adding_leaves_the_table_it_was_added_to():
    empty = SampleTable()
    empty.append(torch.tensor([1]), {})
    assert empty.parts == ()


def test_columns_become_means_shares_and_nothing_under_the_names_they_say():
    x, ids = torch.randn(20, 1, 4, 4), torch.randperm(20)
    metric = Brightness()
    score = metric.finish(metric.observe(metric.begin(), Samples(ids, x)))
    assert set(score.values) == {"brightness", "share"}
    mean = x.flatten(1).mean(1)[ids.argsort()]
    assert score.values["brightness"].to_json() == evidence.mean(mean.double().numpy()).to_json()
    assert score.values["share"].to_json() == evidence.proportion((mean > 0).numpy()).to_json()
    assert score.ids.tolist() == list(range(20))
    assert score.columns["nearest"].tolist() == list(range(0, 40, 2))
    assert score.notes == ("20 samples.",)


@pytest.mark.parametrize("metric", [Brightness(), Spread()])
def test_the_contract_of_a_metric_is_kept(metric):
    check_metric(metric, Samples(torch.randperm(9), torch.randn(9, 2)), expected={"described": "no word of some"})


def test_a_score_of_columns_gets_the_ids_and_one_without_has_none():
    @attrs.frozen(eq=False)
    class Bare(kinetic.TableMetric):
        def rows(self, samples):
            return {"x": samples.x[:, 0]}

        def judge(self, ids, rows):
            return Score({}, columns=rows)

    few = Samples(torch.tensor([7, 4, 5]), torch.randn(3, 2))
    for metric, ids in ((Bare(), [4, 5, 7]), (Spread(), None)):
        score = metric.finish(metric.observe(metric.begin(), few))
        assert (score.ids if ids is None else score.ids.tolist()) == ids


def test_too_few_samples_and_samples_that_are_not_finite_are_refused():
    metric = Spread()
    with pytest.raises(OptionError, match="this score needs 3 samples or more: 0"):
        metric.finish(metric.begin())
    with pytest.raises(OptionError, match="this score needs 3 samples or more: 2"):
        metric.finish(metric.observe(metric.begin(), Samples(torch.arange(2), torch.zeros(2, 2))))
    for value in (float("nan"), float("inf")):
        with pytest.raises(OptionError, match="samples must be finite"):
            metric.check(Samples(torch.arange(2), torch.full((2, 2), value)))
