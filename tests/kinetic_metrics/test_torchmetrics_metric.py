import warnings

import numpy as np
import pytest
import torch
from kinetic_features import Pixels
from kinetic_metrics import TorchMetric

from kinetic import Samples, evidence, load_recipe, score_samples
from kinetic.errors import KineticError, OptionError, ShapeError
from kinetic.testing import check_metric

tm = pytest.importorskip("torchmetrics")
image = pytest.importorskip("torchmetrics.image")
PAIRS = {"arguments": ["samples", "reference"]}


def judged(metric, x, condition=None):
    return metric.finish(metric.observe(metric.begin(), Samples(torch.arange(len(x)), x, condition)))


def by_hand(made, *updates):
    made = made.set_dtype(torch.float64)
    for shown in updates:
        made.update(*shown)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return made.compute()


def quiet(cls, *given, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of its memory
        return cls(*given, **options)


def unit(x):
    return (x.double().clamp(-1, 1) + 1) / 2


class Identity(torch.nn.Module):
    num_features = 6

    def forward(self, x):
        return x


@pytest.fixture
def x():
    return torch.rand(70, 3, 16, 16) * 2 - 1


@pytest.fixture
def reference():
    return torch.rand(75, 3, 16, 16) * 2 - 1


def test_a_metric_of_images_alone_is_that_of_torchmetrics(x):
    found = judged(TorchMetric("image.TotalVariation", options={"reduction": "mean"}), x).values["value"]
    expected = by_hand(image.TotalVariation(reduction="mean"), [unit(x)])
    assert found.value == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("StructuralSimilarityIndexMeasure", {"data_range": 1.0, "kernel_size": 5, "sigma": 1.0}),
        ("UniversalImageQualityIndex", {}),
        ("SpectralAngleMapper", {}),
        ("ErrorRelativeGlobalDimensionlessSynthesis", {}),
    ],
)
def test_a_metric_of_pairs_is_that_of_torchmetrics_with_the_point_of_the_same_number(name, options, x, reference):
    found = judged(TorchMetric(f"image.{name}", reference=reference, options=options, **PAIRS), x).values["value"]
    expected = by_hand(quiet(getattr(image, name), **options), [unit(x), unit(reference[:70])])
    assert found.value == pytest.approx(float(expected), rel=1e-9)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("FrechetInceptionDistance", {}, 1),
        ("MemorizationInformedFrechetInceptionDistance", {}, 1),
        ("KernelInceptionDistance", {"subset_size": 40, "subsets": 5}, 2),
    ],
)
def test_a_distance_to_a_reference_is_that_of_torchmetrics_on_the_features(name, options, count):
    x, y = torch.randn(70, 6), torch.randn(90, 6) + 0.4
    metric = TorchMetric(f"image.{name}", features=Pixels(), reference=y, options=options)
    score = judged(metric, x)
    made = quiet(getattr(image, name), Identity(), **options)
    expected = by_hand(made, [x.double(), False], [y.double(), True])
    expected = [float(each) for each in (expected if count == 2 else [expected])]
    assert [each.value for each in score.values.values()] == pytest.approx(expected, rel=1e-9)
    for estimate in score.values.values():
        assert estimate.low < estimate.high
        assert estimate.leave_out is None
    assert "No difference between arms: the bias is not known." in score.notes[-1]


def test_the_inception_score_is_that_of_torchmetrics():
    x = 2 * torch.randn(80, 6)
    score = judged(TorchMetric("image.InceptionScore", features=Pixels(), options={"splits": 4}), x)
    mean, std = by_hand(quiet(image.InceptionScore, Identity(), splits=4), [x.double()])
    assert [score.values[f"value_{i}"].value for i in (0, 1)] == pytest.approx([float(mean), float(std)], rel=1e-9)


def test_a_classifiers_accuracy_at_the_class_asked_for_is_that_of_torchmetrics():
    x, asked = torch.randn(80, 5), torch.arange(80) % 5
    metric = TorchMetric(
        "classification.MulticlassAccuracy",
        arguments=["features", "classes"],
        features=Pixels(),
        options={"num_classes": 5, "average": "none"},
    )
    score = judged(metric, x, asked)
    made = tm.classification.MulticlassAccuracy(num_classes=5, average="none")
    assert [score.values[f"value_{i}"].value for i in range(5)] == by_hand(made, [x.double(), asked]).tolist()


def test_the_interval_is_the_jackknife_over_groups_of_ids(x):
    found = judged(TorchMetric("image.TotalVariation", options={"reduction": "mean"}), x).values["value"]
    groups = evidence.groups(np.arange(70))
    without = [
        float(by_hand(image.TotalVariation(reduction="mean"), [unit(x[torch.from_numpy(groups != g)])]))
        for g in range(20)
    ]
    assert found.leave_out == pytest.approx(without, rel=1e-12)
    expected = evidence.jackknife(found.value, without)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_where_states_do_not_merge_all_samples_are_kept_and_a_note_says_there_is_no_interval(x, reference):
    score = judged(
        TorchMetric("image.PeakSignalNoiseRatio", reference=reference, options={"data_range": 1.0}, **PAIRS), x
    )
    expected = by_hand(image.PeakSignalNoiseRatio(data_range=1.0), [unit(x), unit(reference[:70])])
    assert score.values["value"].value == pytest.approx(float(expected), rel=1e-12)
    assert score.values["value"].low is None
    assert score.notes[-1] == "No interval: its states cannot be put together without a group of samples."


def test_few_samples_or_a_metric_that_needs_them_all_have_no_interval_and_a_note_says_why(x):
    few = judged(TorchMetric("image.TotalVariation"), x[:59])
    assert few.values["value"].low is None
    assert few.notes[-1] == "No interval: 59 samples, below 60."
    y = torch.randn(75, 6)
    metric = TorchMetric("image.KernelInceptionDistance", features=Pixels(), reference=y, options={"subset_size": 70})
    score = judged(metric, torch.randn(70, 6))
    assert score.values["value_0"].low is None
    assert score.notes[-1].startswith("No interval: without a group of samples, ")
    assert "subset_size" in score.notes[-1]


@pytest.mark.parametrize(
    "given",
    [
        {"metric": "image.TotalVariation"},
        {"metric": "image.PeakSignalNoiseRatio", "options": {"data_range": 1.0}, **PAIRS},
        {"metric": "image.SpectralAngleMapper", **PAIRS},
        {"metric": "image.FrechetInceptionDistance", "features": Pixels()},
        {"metric": "image.KernelInceptionDistance", "features": Pixels(), "options": {"subset_size": 9, "subsets": 4}},
    ],
    ids=lambda given: given["metric"],
)
def test_it_keeps_every_promise(given, reference):
    small = reference[:, :, :2, :4]
    check_metric(TorchMetric(reference=small, **given), Samples(torch.arange(66) * 7 % 66, small[:66] * 0.9))


def test_the_range_of_images_is_as_asked_for(x):
    signed = judged(TorchMetric("image.TotalVariation", scale="signed"), x).values["value"].value
    assert signed == pytest.approx(2 * judged(TorchMetric("image.TotalVariation"), x).values["value"].value, rel=1e-9)
    with pytest.raises(ShapeError, match="this score is of images"):
        judged(TorchMetric("image.TotalVariation"), torch.randn(5, 2))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"metric": "os.system"},
            r"'metric' must be MODULE.CLASS of torchmetrics, MODULE one of classification, clust",
        ),
        ({"metric": "image.fid.np.load"}, "'metric' must be MODULE.CLASS"),
        ({"metric": "utilities.data"}, "'metric' must be MODULE.CLASS"),
        ({"metric": "image.StructuralSimilarity"}, "torchmetrics.image has no metric 'StructuralSimilarity'"),
        ({"metric": "image.__all__"}, "torchmetrics.image has no metric '__all__'"),
        ({"metric": "image.LearnedPerceptualImagePatchSimilarity"}, "may load, and download, a network of its own"),
        ({"metric": "image.DeepImageStructureAndTextureSimilarity"}, "may load, and download, a network of its own"),
        (
            {"metric": "image.TotalVariation", "options": {"reduction": "median"}},
            "'options' are not those of .*reduction",
        ),
        (
            {"metric": "image.TotalVariation", "options": {"a": 1}},
            "'options' are not those of torchmetrics' TotalVariation",
        ),
        ({"metric": "image.TotalVariation", "options": {"a": print}}, "'options' must be a table of numbers, strings"),
        ({"metric": "image.InceptionScore"}, "'features' must be given: 'features' is among the arguments"),
        (
            {"metric": "image.FrechetInceptionDistance", "options": {"feature": 64}},
            "must not hold 'feature': give the net",
        ),
        ({"metric": "image.FrechetInceptionDistance", "features": Pixels()}, "'reference' must be given: 'real'"),
        ({"metric": "image.SpectralAngleMapper"}, r"a word for each of preds, target: samples, .*\n  As in arguments"),
        ({"metric": "image.SpectralAngleMapper", "arguments": ["samples"]}, "'arguments' must be 2 words"),
        (
            {"metric": "image.TotalVariation", "arguments": ["images"]},
            "'arguments' must be among samples, .*: 'images'",
        ),
        (
            {"metric": "image.SpectralAngleMapper", "arguments": ["samples", "real"]},
            "'real' stands for the argument of",
        ),
        ({"metric": "image.TotalVariation", "arguments": ["classes"]}, "must hold 'samples' or 'features'"),
        ({"metric": "image.InceptionScore", "arguments": ["samples"]}, "must hold 'features': image.InceptionScore"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_scored(given, said):
    with pytest.raises(KineticError, match=said):
        TorchMetric(**given)


def test_a_sample_without_a_point_of_its_number_and_shapes_that_differ_are_named(x, reference):
    metric = TorchMetric("image.SpectralAngleMapper", reference=reference[:9], **PAIRS)
    with pytest.raises(OptionError, match="must hold a point for every sample: it has 9, and sample 69 none"):
        judged(metric, x)
    metric = TorchMetric("image.SpectralAngleMapper", reference=reference[:, :, :8], **PAIRS)
    with pytest.raises(
        OptionError, match=r"torchmetrics' image.SpectralAngleMapper cannot take what it is shown: .*shape"
    ):
        judged(metric, x)


def test_a_recipe_names_it_and_tells_what_better_is(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        'title = "t"\n[run]\nsamples = 4\n[data]\nname = "digits"\nsize = 20\n[field]\nname = "empirical"\n'
        '[solver]\nname = "euler"\nsteps = 2\n[reference]\nname = "digits"\nsize = 20\n'
        '[metrics.ssim]\nname = "torchmetrics"\nmetric = "image.StructuralSimilarityIndexMeasure"\n'
        'arguments = ["samples", "reference"]\noptions = { data_range = 1.0, kernel_size = 3, sigma = 0.5 }\n'
    )
    run = load_recipe(path).run(out=tmp_path / "out", device="cpu")
    assert 0 < run.scores["base"]["ssim"]["value"]["value"] < 1
    assert run.evidence["columns"]["ssim"]["value"]["better"] == "higher"
    assert run.provenance["arms"]["base"]["metrics.ssim"]["options"]["kernel_size"] == 3


def test_batches_do_not_change_a_score(x):
    metrics = {"tv": TorchMetric("image.TotalVariation")}
    one, other = (score_samples(x, metrics, batch, "cpu").scores["tv"]["value"] for batch in (7, 70))
    assert one == pytest.approx(other, rel=1e-12)
