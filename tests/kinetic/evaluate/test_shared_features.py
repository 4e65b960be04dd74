import attrs
import pytest
import torch
from kinetic_digits import DigitsFeatures
from kinetic_features import CLIPImage, Pixels
from kinetic_fields import Gaussian
from kinetic_metrics import (
    PRDC,
    CLIPScore,
    FrechetDistance,
    HeldOutDistance,
    KernelDistance,
    KNNSupport,
    Memorisation,
    VendiScore,
)
from kinetic_solvers import Euler

import kinetic
from kinetic import Runner, Samples, TensorData, score_samples
from kinetic._evaluate.evaluate import evaluate
from kinetic._evaluate.shared_features import SharedFeatures, spaces
from kinetic._roles.tree import hash_of

ASKED = []


@attrs.frozen(eq=False)
class Counted(kinetic.FeatureSpace):
    """A projection, whose every row is counted."""

    scale: float = 1.0
    weight: torch.Tensor = attrs.field(factory=lambda: torch.linspace(-1, 1, 12).view(4, 3), init=False)

    def features(self, x):
        ASKED.append(len(x))
        return self.scale * (x.flatten(1).double() @ self.weight.double()).tanh()


def rows():
    n = sum(ASKED)
    ASKED.clear()
    return n


X, Y = torch.randn(500, 4), torch.randn(600, 4)
DATA = TensorData(Y)


def three(space):
    return {
        "frechet": FrechetDistance(Y, features=space),
        "kid": KernelDistance(DATA, features=space, subset_size=100, subsets=3),
        "prdc": PRDC(DATA, features=space),
    }


@pytest.mark.parametrize("batch", [500, 37])
def test_a_space_looks_once_at_each_sample_and_at_each_data_set(batch):
    rows()
    metrics = three(Counted())
    alone = {name: score_samples(X, {name: each}, batch, "cpu").scores[name] for name, each in metrics.items()}
    assert rows() > 3 * (500 + 600)
    assert score_samples(X, three(Counted()), batch, "cpu").scores == alone
    checked = 2 + 2 + 2  # of samples, and of both data sets
    assert rows() <= checked + 500 + 2 * 600 + 3 * 2


def test_a_data_set_is_looked_at_once_however_many_metrics_use_it():
    space = Counted()
    metrics = {
        "support": KNNSupport(DATA, features=space),
        "copies": Memorisation(DATA, features=space),
        "closer": HeldOutDistance(DATA, X[:300] + 2, features=space),
        "kid": KernelDistance(DATA, features=space, subset_size=100, subsets=3),
    }
    rows()
    scored = score_samples(X, metrics, 100, "cpu")
    assert rows() <= 500 + 600 + 300 + 2 * 12
    alone = score_samples(X, {"support": metrics["support"], "copies": metrics["copies"]}, device="cpu")
    for name in ("support", "copies"):
        for column, values in alone.details[name].columns.items():
            assert torch.equal(values, scored.details[name].columns[column])


def test_two_spaces_are_two_whatever_they_hold():
    rows()
    spaces = Counted(), Counted(2.0)
    scored = score_samples(X, {"a": VendiScore(spaces[0]), "b": VendiScore(spaces[1])}, device="cpu")
    assert rows() == 2 * (2 + 500)
    assert scored.scores["b"] == score_samples(X, {"b": VendiScore(spaces[1])}, device="cpu").scores["b"]


def test_views_are_not_mixed_up_and_runs_share_data_sets():
    space, features = Counted(), SharedFeatures()
    metrics = {"a": VendiScore(space), "b": KNNSupport(DATA, features=space, k=3)}
    x = X[:40]
    batches = [
        {
            "plain": Samples(torch.arange(i, i + 10), x[i : i + 10]),
            "denoised": Samples(torch.arange(i, i + 10), x[i : i + 10] + 1),
        }
        for i in range(0, 40, 10)
    ]
    rows()
    scores = evaluate(metrics, batches, features)
    assert rows() == 80 + 600
    assert scores["plain"]["a"].values["vendi"].value != scores["denoised"]["a"].values["vendi"].value
    evaluate(metrics, batches, features)
    assert rows() == 80


def test_a_run_shares_them_too():
    rows()
    Runner(Gaussian(size=4), Euler(steps=2), metrics=three(Counted())).run(60, batch=25, device="cpu")
    assert rows() <= 60 + 2 * 600 + 12


def test_a_score_says_how_samples_were_prepared_and_by_which_weights():
    pixels, counted = Pixels(), Counted()
    assert spaces(VendiScore(pixels)) == [pixels]
    assert SharedFeatures().notes(VendiScore(pixels)) == ("Pixels looks at samples as they are.",)
    (note,) = SharedFeatures().notes(VendiScore(counted))
    assert note == (
        f"Counted looks at samples prepared in a way that it does not state; weights {hash_of(counted)[:12]}."
    )
    x = torch.rand(30, 1, 8, 8) * 2 - 1
    notes = score_samples(x, {"v": VendiScore(DigitsFeatures())}, device="cpu").details["v"].notes
    assert "30 samples, in 48 DigitsFeatures features" in notes[0]
    assert notes[-1].startswith("DigitsFeatures looks at digits of 8 x 8 as they are, in float32; weights ")


def test_the_clip_score_and_its_image_space_share_a_tower_and_state_it(monkeypatch):
    model, x, asked = "local-dir:package:kinetic_digits/clip", torch.rand(20, 1, 8, 8) * 2 - 1, []
    clip = CLIPScore(model, ("a", "b"))
    metrics = {"clip": clip, "vendi": VendiScore(clip._images)}
    real = CLIPImage.features
    monkeypatch.setattr(CLIPImage, "features", lambda self, x: asked.append(len(x)) or real(self, x))
    details = evaluate(metrics, [{"plain": Samples(torch.arange(20), x, torch.arange(20) % 2)}])["plain"]
    assert asked == [20]
    (said,) = {score.notes[-1] for score in details.values()}
    assert said.startswith("CLIPImage looks at images clipped to [-1, 1], gray repeated to 3 channels, resized to ")
    assert "; weights " in said
