import json

import attrs
import numpy as np
import pytest
import torch
from kinetic_digits import Digits, DigitsFeatures
from kinetic_features import ModuleFeatures, Pixels
from kinetic_metrics import FrechetDistance, KernelDistance, Sharpness, VendiScore

import kinetic
from kinetic import load_recipe, score_samples
from kinetic._evaluate.protocol import in_words
from kinetic._roles.tree import hash_of

RECIPE = """title = "t"
[run]
samples = 8
[data]
name = "digits"
size = 30
[field]
name = "empirical"
[solver]
name = "euler"
steps = 2
[reference]
name = "digits"
size = 20
[features]
name = "digits"
[metrics.frechet]
[metrics.sharpness]
[metrics.vendi]
features = "pixels"
[arms.base]
[arms.other]
metrics.vendi.q = 2.0
"""


def made(metric, x):
    return score_samples(x, {"m": metric}, device="cpu").protocols["m"]


@pytest.fixture
def x():
    return Digits(split="test").read(0, 12)


def test_a_protocol_says_network_weights_preprocessing_dtype_and_both_numbers(x):
    space, reference = DigitsFeatures(), Digits(size=20).read(0, 20)
    found = made(FrechetDistance(reference, features=space), x)
    assert found["metric"] == "FrechetDistance"
    assert found["samples"] == 12
    assert found["options"] == {"statistics": None}
    assert found["spaces"]["features"] == {
        "network": "DigitsFeatures",
        "options": {},
        "preprocessing": "digits of 8 x 8 as they are, in float32",
        "weights": hash_of(space),
        "dtype": "float32",
        "width": 48,
    }
    assert found["references"]["reference"]["points"] == 20
    assert len(found["references"]["reference"]["content"]) == 64
    assert in_words(found) == (
        f"Protocol {found['id']}: 12 samples, reference of 20 points, features DigitsFeatures "
        f"(48 wide, float32, weights {hash_of(space)[:12]})."
    )


def test_metrics_that_look_in_no_space_have_none(x):
    assert score_samples(x, {"m": Sharpness()}, device="cpu").protocols == {}
    assert in_words({}) == ""


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda y: KernelDistance(y, subsets=4, subset_size=6), "metric: FrechetDistance and KernelDistance"),
        (lambda y: FrechetDistance(y[:19]), "references.reference.points: 20 and 19"),
        (lambda y: FrechetDistance(y.flip(0)), "references.reference.content: "),
        (lambda y: FrechetDistance(y, features=DigitsFeatures()), "spaces.features.network: Pixels and DigitsFeatures"),
    ],
)
def test_scores_by_another_protocol_are_unlike_in_what_differs(other, said, x):
    y = Digits(size=20).read(0, 20)
    one, another = made(FrechetDistance(y), x), made(other(y), x)
    assert said in kinetic.unlike(one, another)
    assert one["id"] != another["id"]


def test_the_same_in_batches_or_from_another_object_is_like(x):
    y = Digits(size=20).read(0, 20)
    one = score_samples(x, {"m": FrechetDistance(y)}, 5, "cpu").protocols["m"]
    assert kinetic.unlike(one, made(FrechetDistance(y.clone(), features=Pixels()), x)) == ""


def test_another_number_of_samples_is_unlike_unless_it_may_differ(x):
    one, other = made(VendiScore(), x), made(VendiScore(), x[:9])
    assert kinetic.unlike(one, other) == "samples: 12 and 9"
    assert kinetic.unlike(one, other, but=("samples",)) == ""


def test_other_weights_and_another_dtype_are_unlike(x):
    torch.manual_seed(0)
    nets = [torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 5)) for _ in range(2)]
    one, other = (made(VendiScore(features=ModuleFeatures(net)), x) for net in nets)
    assert kinetic.unlike(one, other).startswith("spaces.features.weights: ")
    double = made(VendiScore(features=ModuleFeatures(nets[0].double())), x)
    assert "spaces.features.dtype: float32 and float64" in kinetic.unlike(one, double)


def test_statistics_in_a_file_count_by_their_content_wherever_it_lies(x, tmp_path):
    paths = [tmp_path / name for name in ("a.npz", "b.npz", "c.npz")]
    for path, scale in zip(paths, (1.0, 1.0, 2.0), strict=True):
        np.savez(path, mu=np.zeros(64), sigma=scale * np.eye(64))
    a, b, c = (made(FrechetDistance(statistics=str(path)), x) for path in paths)
    assert kinetic.unlike(a, b) == ""
    assert kinetic.unlike(a, c).startswith("options.statistics: SHA-256 ")


def test_a_reference_whose_content_is_not_known_is_compared_by_its_number(x):
    one = made(FrechetDistance(Digits(size=20).read(0, 20)), x)
    other = json.loads(json.dumps(one))
    other["references"]["reference"]["content"] = None
    assert kinetic.unlike(one, other) == ""


def test_a_run_and_scores_of_its_samples_share_a_protocol_and_files_and_pages_show_it(tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE)
    run = load_recipe(tmp_path / "r.toml").run(out=tmp_path / "run", device="cpu")
    assert set(run.protocols["base"]) == {"frechet", "vendi"}
    metric = FrechetDistance(Digits(size=20), features=DigitsFeatures())
    scored = score_samples(run.samples("base"), {"frechet": metric}, device="cpu")
    scored.save(tmp_path / "scores")
    kept = json.loads((tmp_path / "scores" / "protocols.json").read_text())
    assert kinetic.unlike(run.protocols["base"]["frechet"], kept["frechet"]) == ""
    assert scored.scores["frechet"]["fd"] == pytest.approx(run.scores["base"]["frechet"]["fd"]["value"], rel=1e-6)
    page = (tmp_path / "run" / "report.html").read_text()
    assert f"Protocol {kept['frechet']['id']}: 8 samples, reference of 20 points" in page
    assert f"other: Protocol {run.protocols['other']['vendi']['id']}" in page


def test_arms_by_another_protocol_stand_side_by_side(tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE)
    run = load_recipe(tmp_path / "r.toml").run(out=tmp_path / "run", device="cpu")
    assert [row["why"] for row in run.evidence["side_by_side"] if row["metric"] == "vendi"] == ["'q' differs"]


@attrs.frozen(eq=False)
class Sneaky(kinetic.FeatureMetric):
    """A stranger's metric whose options do not tell what it looks with."""

    features: kinetic.FeatureSpace = kinetic.options.component(kinetic.FeatureSpace)

    def compare(self, ids, x):
        return kinetic.Score({"mean": kinetic.Estimate(float(x.mean()))})


def test_equal_options_by_unequal_protocols_are_unlike(x):
    from kinetic._experiment.between_arms import unlike

    class Arm:
        def __init__(self, metric, samples):
            self.metrics = {"m": metric}
            self.details = score_samples(samples, self.metrics, device="cpu").details

    metric = Sneaky(Pixels())
    one, other = Arm(metric, x), Arm(attrs.evolve(metric), x.double())
    assert unlike(one, other, "m") == "spaces.features.dtype: float32 and float64"
    assert unlike(one, Arm(attrs.evolve(metric), x[:9]), "m") == ""
