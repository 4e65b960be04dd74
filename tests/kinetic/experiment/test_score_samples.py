"""Samples that others made come to the scores of a run that made the same samples."""

import json

import attrs
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from kinetic_data import ImageFolder
from kinetic_fields import Gaussian
from kinetic_metrics import FrechetDistance, KNNSupport, Memorisation, VendiScore
from kinetic_solvers import Heun
from PIL import Image

import kinetic
from kinetic import Runner, Score, TensorData, score_samples
from kinetic._evaluate.evaluate import _not_finite
from kinetic.errors import OptionError, ShapeError
from kinetic.evidence import Estimate


def metrics(reference):
    return {"fd": FrechetDistance(reference), "copies": Memorisation(reference), "support": KNNSupport(reference, k=3)}


def test_the_scores_are_those_of_the_run_that_made_the_samples():
    reference = torch.randn(50, 2)
    run = Runner(Gaussian(), Heun(steps=4), metrics=metrics(reference)).run(80, device="cpu", batch=30)
    told, finished = [], []
    scored = score_samples(
        run.samples, metrics(reference), batch=7, device="cpu", progress=told.append, finishing=finished.append
    )
    assert sum(told) == 80
    assert finished == ["fd", "copies", "support"]
    for name, score in scored.details.items():
        mine = {key: value for key, value in run.details[name].values.items() if "_denoised" not in key}
        assert list(score.values) == list(mine)
        for key, estimate in mine.items():
            assert score.values[key].value == pytest.approx(estimate.value, rel=1e-12)
            assert score.values[key].low == pytest.approx(estimate.low, rel=1e-9)
    for name in scored.table.column_names:
        assert scored.table[name].to_pylist() == pytest.approx(run.table[name].to_pylist(), rel=1e-12)
    assert not [name for name in scored.table.column_names if "_denoised" in name]


def test_what_is_kept_is_read_back_and_written_over_by_the_next_score(tmp_path):
    x = torch.rand(3, 4, 5, 3)
    for number in range(3):
        (tmp_path / "images" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        pixels = (x[number].numpy() * 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / "ab"[number % 2] / f"{number}.png")
    (tmp_path / "images" / "b" / "zz.png").write_text("no image")
    data = ImageFolder(str(tmp_path / "images"), labels=True, skip_corrupt=True)
    scored = score_samples(data, {"support": KNNSupport(torch.rand(9, 3, 4, 5), k=2)}, device="cpu")
    for _ in range(2):
        scored.save(tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "samples.parquet")
    assert table["file"].to_pylist() == ["a/0.png", "a/2.png", "b/1.png"]
    assert table["class"].to_pylist() == [0, 0, 1]
    found = json.loads((tmp_path / "out" / "scores.json").read_text())["support"]
    assert {name: value["value"] for name, value in found.items()} == scored.scores["support"]
    notes = json.loads((tmp_path / "out" / "notes.json").read_text())
    assert notes["samples"][0].startswith("Left out: 1 of 4 images in")
    assert notes["support"] == list(scored.details["support"].notes)


def test_a_score_that_is_no_number_is_noted_with_its_metric_and_name():
    @attrs.frozen(eq=False)
    class NoNumber(kinetic.Metric):
        def begin(self):
            return None

        def observe(self, state, samples):
            return None

        def merge(self, a, b):
            return None

        def finish(self, state):
            return Score({"bad": Estimate(float("inf"))})

    scored = score_samples(torch.zeros(3, 2), {"mine": NoNumber()}, device="cpu")
    assert scored.details["mine"].notes[-1].startswith("'bad' of metric 'mine' is inf, no finite number")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, 255, r"range from 0 to 255\n  For bytes 0 to 255 give x / 127.5 - 1"),
        (-1.5, 1.25, r"range from -1\.5 to 1\.25\n  Clip them"),
        (0, 1.5, r"range from 0 to 1\.5\n  Clip them"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_images_out_of_range_are_refused_with_the_range_of_all(low, high, said, channels):
    x = torch.zeros(20, channels, 4, 4)
    x[3, 0, 0, 0], x[19, 0, 1, 1] = low, high
    with pytest.raises(OptionError, match=f"samples that are images must be in .* they {said}"):
        score_samples(x, {"v": VendiScore()}, batch=4, device="cpu")


def test_rounding_is_no_reason_to_refuse_and_vectors_have_no_range():
    x = torch.linspace(-1, 1, 96).view(2, 3, 4, 4) * (1 + 1e-5)
    assert score_samples(x, {"v": VendiScore()}, device="cpu").notes == ()
    assert score_samples(torch.randn(5, 3) * 100, {"v": VendiScore()}, device="cpu").n == 5


def test_images_that_seem_to_be_in_0_to_1_are_flagged():
    scored = score_samples(torch.rand(5, 3, 4, 4), {"v": VendiScore()}, device="cpu")
    assert "No value of the samples is below 0" in scored.notes[0]


@attrs.frozen(eq=False)
class Late(kinetic.Dataset):
    labels = None

    @property
    def event_shape(self):
        return torch.Size([2])

    def __len__(self):
        return 9

    def read(self, start, stop):
        return torch.where(torch.arange(start, stop)[:, None] == 7, torch.nan, torch.ones(stop - start, 2))


def test_a_sample_that_is_not_finite_is_numbered():
    with pytest.raises(OptionError, match="samples must be finite: number 7 holds NaN or infinity"):
        score_samples(Late(), {"v": VendiScore()}, batch=3, device="cpu")
    x = torch.zeros(4, 2)
    x[2, 1] = torch.inf
    with pytest.raises(OptionError, match=r"1 point.s. are not, the first is number 2"):
        score_samples(x, {"v": VendiScore()})


def test_too_few_samples_are_refused():
    with pytest.raises(ShapeError, match="n >= 1"):
        score_samples(torch.zeros(0, 2), {"v": VendiScore()})
    with pytest.raises(OptionError, match="samples must be 2 or more to be scored as a set: 1"):
        score_samples(torch.zeros(1, 2), {"v": VendiScore()})


def test_reference_and_samples_of_other_shapes_are_refused():
    metric = FrechetDistance(torch.zeros(4, 3, 8, 8))
    said = r"metric 'fd': 'reference' holds points of shape \(3, 8, 8\), the samples have shape \(3, 4, 4\)\n"
    with pytest.raises(ShapeError, match=said + "  Resize one of them"):
        score_samples(torch.zeros(4, 3, 4, 4), {"fd": metric})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch": 0}, "'batch' must be an int >= 1: 0"),
        ({"metrics": {}}, "'metrics' must map names to Metrics, one or more"),
        ({"metrics": {"a": 1}}, "'metrics' must map names to Metrics"),
        ({"device": "warp9"}, "'device' must be one that torch has here"),
    ],
)
def test_a_wrong_argument_is_named(given, said):
    with pytest.raises(OptionError, match=said):
        score_samples(**{"samples": TensorData(torch.zeros(3, 2)), "metrics": {"v": VendiScore()}, **given})


def test_a_metric_that_does_not_fit_is_named_before_all_samples_are_read():
    @attrs.frozen(eq=False)
    class Picky(kinetic.FeatureSpace):
        def features(self, x):
            raise ShapeError("no vectors")

    told = []
    metrics = {"a": VendiScore(), "b": VendiScore(features=Picky())}
    with pytest.raises(ShapeError, match="metric 'b': no vectors"):
        score_samples(torch.zeros(3, 2), metrics, progress=told.append)
    assert told == []


def test_what_is_written_as_none_is_noted_with_metric_and_value():
    values = {"fd": Estimate(float("nan")), "kid": Estimate(1.0), "is": Estimate(float("-inf"))}
    assert _not_finite("deep", values) == (
        "'fd' of metric 'deep' is nan, no finite number: it is kept as null.",
        "'is' of metric 'deep' is -inf, no finite number: it is kept as null.",
    )
