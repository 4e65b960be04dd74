import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_solvers import Euler

import kinetic
from kinetic import Runner, Samples, Score, options
from kinetic._evaluate.evaluate import datasets, dry_run, evaluate, notes_of
from kinetic.errors import OptionError
from kinetic.evidence import Estimate


@attrs.frozen(eq=False)
class Talking(kinetic.Dataset):
    notes: tuple[str, ...] = ("One file was left out.",)
    labels = None

    @property
    def event_shape(self):
        return torch.Size([2])

    def __len__(self):
        return 3

    def read(self, start, stop):
        return torch.zeros(stop - start, 2)


@attrs.frozen(eq=False)
class Total(kinetic.Metric):
    limit: float = 1e9
    reference: kinetic.Dataset | None = options.component(kinetic.Dataset, None)

    def begin(self):
        return 0.0

    def observe(self, state, samples):
        if float(samples.x.max()) > self.limit:
            raise OptionError("too large")
        return state + float(samples.x.sum())

    def merge(self, a, b):
        return a + b

    def finish(self, state):
        return Score({"total": Estimate(state)}, notes=("A sum.",))


def batches(x, size=2):
    return (
        {"plain": Samples(torch.arange(start, start + len(part)), part)}
        for start, part in zip(range(0, len(x), size), x.split(size), strict=True)
    )


def test_each_batch_is_asked_for_once_and_shown_to_all():
    x, told = torch.arange(10.0).view(5, 2), []
    details = evaluate({"a": Total(), "b": Total()}, batches(x), finishing=told.append)["plain"]
    assert [score.values["total"].value for score in details.values()] == [45, 45]
    assert told == ["a", "b"]


def test_a_data_set_has_its_say_in_the_notes_of_each_metric_that_uses_it_once():
    metric = Total(reference=Talking())
    assert list(datasets(metric)) == ["reference"]
    assert notes_of(Talking()) == ("One file was left out.",)
    assert notes_of(kinetic.TensorData(torch.zeros(1, 2))) == ()
    details = evaluate({"a": metric, "b": Total()}, batches(torch.zeros(2, 2)))["plain"]
    assert details["a"].notes == ("A sum.", "One file was left out.")
    assert details["b"].notes == ("A sum.",)


def test_a_metric_that_refuses_is_named():
    with pytest.raises(OptionError, match=r"^metric 'small': too large"):
        evaluate({"small": Total(limit=1)}, batches(torch.ones(2, 2) * 2))
    with pytest.raises(OptionError, match=r"^metric 'small': too large"):
        dry_run({"small": Total(limit=1)}, next(batches(torch.ones(2, 2) * 2))["plain"])


def test_a_run_is_judged_the_same_way():
    run = Runner(Gaussian(), Euler(steps=2), metrics={"m": Total(reference=Talking())}).run(5, batch=2, device="cpu")
    assert run.scores["m"]["total"] == pytest.approx(float(run.samples.sum()), rel=1e-5)
    assert run.details["m"].notes == ("A sum.", "One file was left out.")


def test_every_view_is_judged_by_itself_and_every_score_says_what_its_values_mean():
    ids = torch.arange(2)
    views = {"plain": Samples(ids, torch.ones(2, 2)), "denoised": Samples(ids, torch.zeros(2, 2))}
    scores = evaluate({"a": Total()}, [views])
    assert {view: own["a"].values["total"].value for view, own in scores.items()} == {"plain": 4, "denoised": 0}
    assert scores["plain"]["a"].described["total"].kind == "score"


def test_without_samples_nothing_is_said():
    assert evaluate({"a": Total()}, []) == {}


def test_means_of_columns_know_how_many_samples_of_each_class_there_are():
    """A column that is its class: the mean is certain, since the ids fix the classes."""

    @attrs.frozen(eq=False)
    class Asked(kinetic.SampleMetric):
        described = (kinetic.Column("asked", mean="mean_asked"),)

        def columns(self, samples):
            return {"asked": samples.condition.double()}

    def asked(condition):
        batches = [{"plain": Samples(torch.arange(60), torch.zeros(60, 2), condition)}]
        return evaluate({"a": Asked()}, batches)["plain"]["a"].values["mean_asked"]

    known = asked(torch.arange(60) % 10)
    assert (known.value, known.low, known.high) == pytest.approx((4.5, 4.5, 4.5))


@attrs.frozen(eq=False)
class Halfway(kinetic.TableMetric):
    """A column and a value of one name, the median."""

    def rows(self, samples):
        return {"ones": samples.x[:, 0].double()}

    def judge(self, ids, rows):
        return Score({"ones": Estimate(float(rows["ones"].median()))}, ids, rows)


def test_a_value_that_is_no_mean_of_its_column_keeps_what_it_is():
    """The median of 0..59 is 29, the mean 29.5; with classes it stays 29."""
    x = torch.arange(60.0)[:, None].expand(-1, 2)
    batch = {"plain": Samples(torch.arange(60), x, torch.arange(60) % 10)}
    score = evaluate({"a": Halfway()}, [batch])["plain"]["a"]
    assert score.values["ones"].value == 29
    assert not score.is_mean("ones")


def test_a_column_that_is_not_of_all_samples_is_refused():
    @attrs.frozen(eq=False)
    class Short(kinetic.TableMetric):
        def rows(self, samples):
            return {"few": samples.x[:, 0]}

        def judge(self, ids, rows):
            return Score({}, ids[:3], {"few": rows["few"][:3]})

    with pytest.raises(OptionError, match=r"^metric 'a': .*the column 'few' must be \(5,\)"):
        evaluate({"a": Short()}, batches(torch.zeros(5, 2)))
