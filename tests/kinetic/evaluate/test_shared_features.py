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
from kinetic._evaluate.evaluate import judge
from kinetic._evaluate.shared_features import SharedFeatures, described, spaces

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


def three(space):
    return {
        "frechet": FrechetDistance(Y, features=space()),
        "kid": KernelDistance(TensorData(Y), features=space(), subset_size=100, subsets=3),
        "prdc": PRDC(TensorData(Y), features=space()),
    }


@pytest.mark.parametrize("batch", [500, 37])
def test_a_space_looks_once_at_each_sample_and_at_each_point(batch):
    rows()
    alone = {
        name: score_samples(X, {name: metric}, batch, "cpu").scores[name] for name, metric in three(Counted).items()
    }
    assert rows() == 3 * (2 + 500 + 600)
    assert score_samples(X, three(Counted), batch, "cpu").scores == alone
    assert rows() == 2 + 500 + 600


def test_points_are_known_however_they_are_cut_and_wherever_they_are_used():
    metrics = {
        "support": KNNSupport(Y, features=Counted()),
        "copies": Memorisation(Y, features=Counted()),
        "closer": HeldOutDistance(Y, X[:300] + 2, features=Counted()),
        "kid": KernelDistance(Y, features=Counted(), subset_size=100, subsets=3),
    }
    rows()
    scored = score_samples(X, metrics, 100, "cpu")
    assert rows() == 2 + 500 + 600 + 300
    alone = score_samples(X, {"support": metrics["support"], "copies": metrics["copies"]}, device="cpu")
    for name in ("support", "copies"):
        for column, values in alone.details[name].columns.items():
            assert torch.equal(values, scored.details[name].columns[column])


def test_other_options_or_weights_are_another_space():
    def counted(weight):
        space = Counted()
        object.__setattr__(space, "weight", weight)
        return space

    for other in (Counted(2.0), counted(torch.ones(4, 3))):
        rows()
        scored = score_samples(X, {"a": VendiScore(Counted()), "b": VendiScore(other)}, device="cpu")
        assert rows() == 2 * (2 + 500)
        assert scored.scores["b"] == score_samples(X, {"b": VendiScore(other)}, device="cpu").scores["b"]


def test_a_run_shares_them_too_and_denoised_samples_are_not_mixed_up():
    rows()
    Runner(Gaussian(size=4), Euler(steps=2), metrics=three(Counted)).run(60, batch=25, device="cpu")
    assert rows() == 2 + 60 + 600
    x = X[:40]
    batches = [Samples(torch.arange(i, i + 10), x[i : i + 10], x[i : i + 10] + 1) for i in range(0, 40, 10)]
    together = judge({"a": VendiScore(Counted()), "b": VendiScore(Counted())}, batches)
    assert rows() == 80
    for score in together.values():
        assert score.values["vendi"].value != score.values["vendi_denoised"].value


def test_nothing_is_kept_for_a_metric_that_has_its_space_for_itself():
    sharing = SharedFeatures(three(Counted))
    (memory,) = sharing._memories.values()
    for name, kept in (("prdc", 600), ("kid", 600), ("frechet", 0)):
        memory.space.features(Y)
        assert len(memory.rows) == 600
        sharing.done(name)
        assert len(memory.rows) == kept
    alone = SharedFeatures({"frechet": three(Counted)["frechet"]})
    (memory,) = alone._memories.values()
    memory.space.features(Y)
    assert not memory.rows


def test_a_score_says_how_samples_were_prepared_and_by_which_weights():
    assert list(spaces(VendiScore(Pixels()))) == ["features"]
    assert described(Pixels(), None) == "Pixels looks at samples as they are."
    assert described(Counted(), "0123456789abcdef") == (
        "Counted looks at samples prepared in a way that it does not state; weights 0123456789ab."
    )
    x = torch.rand(30, 1, 8, 8) * 2 - 1
    notes = score_samples(x, {"v": VendiScore(DigitsFeatures())}, device="cpu").details["v"].notes
    assert "30 samples, in 48 DigitsFeatures features" in notes[0]
    assert notes[-1].startswith("DigitsFeatures looks at digits of 8 x 8 as they are, in float32; weights ")


def test_the_clip_score_and_its_image_space_share_a_tower_and_state_it(monkeypatch):
    model, x, asked = "local-dir:package:kinetic_digits/clip", torch.rand(20, 1, 8, 8) * 2 - 1, []
    metrics = {"clip": CLIPScore(model, ("a", "b")), "vendi": VendiScore(CLIPImage(model))}
    real = CLIPImage.features
    monkeypatch.setattr(CLIPImage, "features", lambda self, x: asked.append(len(x)) or real(self, x))
    details = judge(metrics, [Samples(torch.arange(20), x, x, torch.arange(20) % 2)])
    assert asked == [20]
    (said,) = {score.notes[-1] for score in details.values()}
    assert said.startswith("CLIPImage looks at images clipped to [-1, 1], gray repeated to 3 channels, resized to ")
    assert "; weights " in said
