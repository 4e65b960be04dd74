import os
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch
from kinetic_data import ImageFolder
from kinetic_features import Inception, ModuleFeatures
from kinetic_features.inception import FILE
from kinetic_metrics import FrechetDistance
from kinetic_metrics import frechet as module
from kinetic_metrics.frechet import negative_eigenvalue
from kinetic_metrics.gaussians import frechet_distance, moments
from PIL import Image

import kinetic
from kinetic import Samples, evidence, score_samples
from kinetic._plugins.builder import ComponentBuilder, Defaults
from kinetic.errors import MissingFileError, OptionError, ShapeError
from kinetic.testing import check_metric


def samples(x):
    return Samples(torch.arange(len(x)), x)


def test_the_score_is_the_distance_of_the_two_sets_with_a_jackknife_interval():
    x, reference = torch.randn(200, 3), torch.randn(150, 3) + 0.5
    metric = FrechetDistance(reference=reference)
    score = metric.finish(metric.observe(metric.begin(), samples(x)))
    expected = frechet_distance(*moments(x), *moments(reference))
    assert score.values["fd"].value == pytest.approx(expected, rel=1e-12)
    groups = torch.from_numpy(evidence.groups(torch.arange(200).numpy()))
    without = [frechet_distance(*moments(x[groups != g]), *moments(reference)) for g in range(20)]
    assert score.values["fd"].leave_out.tolist() == pytest.approx(without)
    assert "200 samples to 150 reference points, in 3 Pixels features" in score.notes[0]


def test_what_differences_are_made_of_is_resampled_over_the_reference_and_freed_of_bias():
    x, reference = torch.randn(200, 3), torch.randn(150, 3) + 0.5
    metric = FrechetDistance(reference=reference)
    score = metric.finish(metric.observe(metric.begin(), samples(x)))
    found, mine, theirs = score.values["fd"], moments(x), moments(reference)
    groups = torch.from_numpy(evidence.groups(np.arange(150)))
    without = [frechet_distance(*mine, *moments(reference[groups != g])) for g in range(20)]
    assert found.leave_out_reference.tolist() == pytest.approx(without)
    first, other = (torch.from_numpy(evidence.groups(np.arange(n), 2) == 0) for n in (200, 150))
    of_samples = np.mean([frechet_distance(*moments(x[half]), *theirs) for half in (first, ~first)])
    of_reference = np.mean([frechet_distance(*mine, *moments(reference[half])) for half in (other, ~other)])
    assert found.unbiased == pytest.approx(3 * found.value - of_samples - of_reference, rel=1e-9)
    both = evidence.two_jackknives(found.unbiased, found.leave_out, without)
    assert score.notes[-1] == (
        "The interval is given this reference; over draws of the reference as well it is "
        f"[{both.low:.4g}, {both.high:.4g}] ({found.unbiased:.4g} is the distance freed of its bias in n and m)."
    )


def test_statistics_in_a_file_do_for_the_reference(tmp_path):
    x, reference = torch.randn(60, 3), torch.randn(80, 3) * 2
    FrechetDistance(reference).save_statistics(tmp_path / "s.npz")
    metric = FrechetDistance(statistics=str(tmp_path / "s.npz"))
    score = metric.finish(metric.observe(metric.begin(), samples(x)))
    whole = FrechetDistance(reference)
    expected = whole.finish(whole.observe(whole.begin(), samples(x))).values["fd"]
    assert score.values["fd"].value == pytest.approx(expected.value, rel=1e-12)
    assert score.values["fd"].leave_out == pytest.approx(expected.leave_out, rel=1e-12)
    assert score.values["fd"].leave_out_reference is None
    first = torch.from_numpy(evidence.groups(np.arange(60), 2) == 0)
    halves = [frechet_distance(*moments(x[half]), *moments(reference)) for half in (first, ~first)]
    assert score.values["fd"].unbiased == pytest.approx(2 * expected.value - np.mean(halves), rel=1e-9)
    assert score.notes[-1] == "The interval is given this reference."
    assert f"60 samples to the statistics in {tmp_path / 's.npz'}, in 3 Pixels features" in score.notes[0]
    check_metric(metric, samples(x))
    metric.save_statistics(tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as again, np.load(tmp_path / "s.npz") as first:
        assert np.allclose(again["sigma"], first["sigma"], rtol=1e-15, atol=1e-15)


def test_statistics_are_not_written_through_a_planted_link(tmp_path):
    (tmp_path / "victim").write_text("whole")
    (tmp_path / f".s.npz.{os.getpid()}.part").symlink_to(tmp_path / "victim")
    FrechetDistance(torch.randn(9, 2)).save_statistics(tmp_path / "s.npz")
    assert (tmp_path / "victim").read_text() == "whole"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["s.npz", "victim"]


def test_statistics_of_fewer_points_than_features_are_whole(tmp_path):
    reference = torch.randn(9, 20)
    FrechetDistance(reference).save_statistics(tmp_path / "s.npz")
    with np.load(tmp_path / "s.npz") as found:
        assert np.allclose(found["sigma"], np.cov(reference.double().numpy(), rowvar=False), atol=1e-12)


def test_a_recipes_data_fills_in_for_the_reference_but_not_beside_statistics(tmp_path):
    data, build = kinetic.TensorData(torch.randn(50, 3)), ComponentBuilder(kinetic.registry()).build
    FrechetDistance(data).save_statistics(tmp_path / "s.npz")
    assert build("metric", {"name": "frechet"}, Defaults(data=data)).reference is data
    table = {"name": "frechet", "statistics": str(tmp_path / "s.npz")}
    assert build("metric", table, Defaults(data=data)).reference is None
    with pytest.raises(OptionError, match="needs the option 'reference' or 'statistics'"):
        build("metric", {"name": "frechet"})
    for given, said in (({}, "neither"), ({"reference": data, "statistics": table["statistics"]}, "both")):
        with pytest.raises(OptionError, match=f"one of 'reference' and 'statistics' must be given, not {said}"):
            FrechetDistance(**given)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"m": np.zeros(2)}, "must hold 'mu' and 'sigma': .* holds m\n"),
        ({"mu": np.zeros(2), "sigma": np.eye(3)}, r"sigma \(f, f\): .* holds \(2,\) and \(3, 3\)"),
        ({"mu": np.zeros(2), "sigma": np.eye(2) * np.nan}, "must be finite"),
        ({"mu": np.zeros(2), "sigma": np.array([[1, 0.5], [0, 1]])}, "'sigma' must be a covariance, symmetric"),
        ({"mu": np.zeros(2), "sigma": -np.eye(2)}, "no negative eigenvalue: .* has one of -1\n"),
        ({"mu": np.zeros(2), "sigma": np.array([[1, 20], [20, 1]])}, "no negative eigenvalue: .* has one of -19\n"),
        ({"mu": np.zeros(9), "sigma": np.full((9, 9), 5.0) - 4 * np.eye(9)}, "no negative eigenvalue: .* of -4\n"),
        ({"mu": np.array([None, 1], object), "sigma": np.eye(2)}, "cannot be read .*allow_pickle=False"),
    ],
)
def test_statistics_that_are_none_are_named(held, said, tmp_path):
    np.savez(tmp_path / "s.npz", **held)
    with pytest.raises(OptionError if "and \\(3" not in said else ShapeError, match=said):
        FrechetDistance(statistics=str(tmp_path / "s.npz"))


@pytest.mark.parametrize(("n", "f"), [(40, 192), (100, 100), (300, 20)])
def test_no_distance_is_below_0_and_equal_points_are_noted(n, f):
    x = torch.randn(n, f)
    score = score_samples(x, {"f": FrechetDistance(reference=x)}, device="cpu").details["f"]
    fd = score.values["fd"]
    assert 0 <= fd.value < 1e-9 * f
    assert fd.low is None or 0 <= fd.low <= fd.value <= fd.high
    assert f"{n} of {n} samples are equal to some of the points of 'reference'." in score.notes
    near = score_samples(x + 0.05 * torch.randn(n, f), {"f": FrechetDistance(reference=x)}, device="cpu").details["f"]
    assert near.values["fd"].low is None or near.values["fd"].low >= 0
    assert not any("equal" in note for note in near.notes)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_covariance_may_be_singular_and_off_by_rounding(dtype, tmp_path):
    """As of fewer points than features, of E[x x^T] - m m^T of features that hardly vary, and kept in float32."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 200)) * np.logspace(0, -3, 200)
    x[:, -9:] = 0.3 + 1e-12 * x[:, -9:]
    mu = x.mean(0)
    for sigma in (np.cov(x, rowvar=False), x.T @ x / 30 - np.outer(mu, mu), np.zeros((200, 200))):
        np.savez(tmp_path / "s.npz", mu=mu.astype(dtype), sigma=sigma.astype(dtype))
        FrechetDistance(statistics=str(tmp_path / "s.npz"))
    assert (x.T @ x / 30 - np.outer(mu, mu)).diagonal().min() < 0


def test_a_negative_eigenvalue_is_given_where_rounding_does_not_explain_it():
    turn, _ = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))
    cov, near = (
        turn @ torch.diag(torch.tensor([low, 0, 1, 2], dtype=torch.float64)) @ turn.T for low in (-1e-3, -1e-9)
    )
    assert negative_eigenvalue(cov) == pytest.approx(-1e-3)
    assert negative_eigenvalue(near) is None
    assert negative_eigenvalue(torch.zeros(3, 3, dtype=torch.float64)) is None


def test_statistics_that_cannot_be_read_or_do_not_fit_are_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"statistics: there is no .*\n.*--save-stats"):
        FrechetDistance(statistics="/no/such.npz")
    for content in (b"text", b"PK\3\4junk", b""):
        (tmp_path / "s.npz").write_bytes(content)
        with pytest.raises(OptionError, match=r"'statistics' cannot be read as a .npz file"):
            FrechetDistance(statistics=str(tmp_path / "s.npz"))
    FrechetDistance(torch.randn(9, 2)).save_statistics(tmp_path / "s.npz")
    metric = FrechetDistance(statistics=str(tmp_path / "s.npz"))
    with pytest.raises(ShapeError, match=r"Pixels gives 3 features, and the statistics in .* are of 2: give the"):
        metric.observe(metric.begin(), samples(torch.randn(9, 3)))
    with pytest.raises(OptionError, match=r"cannot be written to '/no/such/s.npz'"):
        metric.save_statistics("/no/such/s.npz")


@pytest.fixture
def folders(tmp_path):
    """Two folders of PNG files."""
    rng = np.random.default_rng(0)
    for name, n, contrast in (("a", 70, 60), ("b", 68, 40)):
        (tmp_path / name).mkdir()
        for number in range(n):
            blocks = np.kron(rng.normal(size=(4, 4, 3)), np.ones((8, 8, 1))) * contrast + 128
            pixels = (blocks + rng.normal(size=(32, 32, 3)) * 20).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    return str(tmp_path / "a"), str(tmp_path / "b")


@pytest.fixture
def pytorch_fid(inception_weights, tmp_path, monkeypatch):
    """pytorch-fid as it is, which finds the random weights where it keeps its download."""
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / FILE).symlink_to(inception_weights)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return pytest.importorskip("pytorch_fid.fid_score", exc_type=(ImportError, RuntimeError))


@pytest.mark.filterwarnings("ignore:The `disp` argument is deprecated:DeprecationWarning")  # pytorch-fid's own call
def test_the_fid_of_two_folders_is_that_of_pytorch_fid(
    pytorch_fid, folders, inception_weights, pytorch_fids_distance, monkeypatch
):
    monkeypatch.setattr(pytorch_fid, "calculate_frechet_distance", pytorch_fids_distance)
    theirs = pytorch_fid.calculate_fid_given_paths(folders, 35, "cpu", 64, num_workers=0)
    metric = FrechetDistance(ImageFolder(folders[1]), Inception(weights=str(inception_weights), dims=64))
    ours = kinetic.score_samples(ImageFolder(folders[0]), {"fid": metric}, device="cpu").scores["fid"]["fd"]
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_statistics_of_pytorch_fid_are_ours_and_either_reads_the_others(
    pytorch_fid, folders, inception_weights, tmp_path
):
    for folder in folders:
        for path in sorted(Path(folder).iterdir())[8:]:
            path.unlink()
    space = Inception(weights=str(inception_weights))
    pytorch_fid.save_fid_stats([folders[1], str(tmp_path / "theirs.npz")], 8, "cpu", 2048, num_workers=0)
    FrechetDistance(ImageFolder(folders[1]), space).save_statistics(tmp_path / "ours.npz")
    model = pytorch_fid.InceptionV3([3])
    mu, sigma = pytorch_fid.compute_statistics_of_path(str(tmp_path / "ours.npz"), model, 8, 2048, "cpu", 0)
    with np.load(tmp_path / "theirs.npz") as theirs:
        assert np.abs(mu - theirs["mu"]).max() < 1e-6 * np.abs(mu).max()
        # float32 features in other blocks of rows: off by 1e-7 of mu, which is far above their spread here
        assert np.abs(sigma - theirs["sigma"]).max() < 1e-6 * np.abs(mu).max() * np.sqrt(np.abs(sigma).max())
    FrechetDistance(None, space, str(tmp_path / "theirs.npz")).save_statistics(tmp_path / "read.npz")
    with np.load(tmp_path / "theirs.npz") as theirs, np.load(tmp_path / "read.npz") as read:
        assert (read["mu"] == theirs["mu"]).all()
        assert np.allclose(read["sigma"], theirs["sigma"], rtol=1e-12, atol=1e-15)


def test_a_missing_interval_is_explained():
    metric = FrechetDistance(reference=torch.randn(50, 3))
    score = metric.finish(metric.observe(metric.begin(), samples(torch.randn(59, 3))))
    assert score.values["fd"].low is None
    assert score.notes[-1] == "No interval: 59 samples, below 60."


def test_wide_features_of_few_samples_have_the_jackknife_over_10_groups():
    x, reference = torch.randn(300, 520), torch.randn(700, 520)
    metric = FrechetDistance(reference=reference)
    score = metric.finish(metric.observe(metric.begin(), samples(x)))
    groups = torch.from_numpy(evidence.groups(torch.arange(300).numpy(), 10))
    without = [frechet_distance(*moments(x[groups != g]), *moments(reference)) for g in range(10)]
    found, expected = score.values["fd"], evidence.jackknife(score.values["fd"].value, without)
    assert (found.low, found.high) == pytest.approx((max(0, expected.low), expected.high), rel=1e-9)
    assert (found.leave_out, found.unbiased) == (None, None)
    assert score.notes[-2:] == (
        "The interval is given this reference.",
        "No difference between arms: the bias comes off with 2080 samples and as many reference points, or more.",
    )


def test_with_the_bias_in_there_is_an_interval_over_both_and_no_difference():
    metric = FrechetDistance(reference=torch.randn(90, 30))
    score = metric.finish(metric.observe(metric.begin(), samples(torch.randn(200, 30))))
    assert score.values["fd"].leave_out is None
    assert "over draws of the reference as well it is [" in score.notes[-2]
    assert score.notes[-2].endswith("(with the bias in n and m).")
    assert score.notes[-1].startswith("No difference between arms: the bias comes off with 120 samples")


def test_few_samples_for_many_features_are_flagged():
    metric = FrechetDistance(reference=torch.randn(50, 30))
    score = metric.finish(metric.observe(metric.begin(), samples(torch.randn(70, 30))))
    assert "70 samples are few for 30 features" in score.notes[1]


@pytest.mark.parametrize("widest", [512, 1])
@pytest.mark.parametrize("width", [2, 30, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_contract_of_a_metric_is_kept(width, widest, dtype, monkeypatch):
    """Above 20 times the width (or once it) moments are kept instead of features; below the width there is a factor."""
    monkeypatch.setattr(module, "_WIDEST", widest)
    x = torch.randn(80, width, dtype=dtype) + 100
    metric = FrechetDistance(reference=torch.randn(90, width, dtype=dtype))
    check_metric(metric, samples(x))


@pytest.mark.parametrize("width", [2, 30, 100])
def test_batches_and_merging_change_neither_value_nor_leave_outs(width):
    x, reference = torch.randn(300, width, dtype=torch.float64), torch.randn(150, width, dtype=torch.float64)
    x[:, 0] = x[:, 1] + 1e-3 * x[:, 0]
    metric = FrechetDistance(reference=reference)
    whole = metric.finish(metric.observe(metric.begin(), samples(x))).values["fd"]
    states = [metric.begin()]
    for rows in torch.randperm(300).split(7):
        states.append(metric.observe(metric.begin(), Samples(rows, x[rows])))
    while len(states) > 1:
        states = [metric.merge(*states[i : i + 2]) for i in range(0, len(states) - 1, 2)] + states[len(states) & ~1 :]
    merged = metric.finish(states[0]).values["fd"]
    assert merged.value == pytest.approx(whole.value, rel=1e-10)
    groups = torch.from_numpy(evidence.groups(torch.arange(300).numpy()))
    without = [frechet_distance(*moments(x[groups != g]), *moments(reference)) for g in range(20)]
    expected = evidence.jackknife(whole.value, without)
    assert (whole.low, whole.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert (merged.low, merged.high) == pytest.approx((whole.low, whole.high), rel=1e-9)
    assert (whole.leave_out is None) == (width == 100)  # 150 points are fewer than four for each feature
    if width < 100:
        assert merged.leave_out == pytest.approx(whole.leave_out, rel=1e-10)
        assert merged.leave_out_reference == pytest.approx(whole.leave_out_reference, rel=1e-10)
        assert merged.unbiased == pytest.approx(whole.unbiased, rel=1e-9)
        assert whole.leave_out.tolist() == pytest.approx(without, rel=1e-9)


def test_what_does_not_fit_is_refused_before_anything_is_computed(tmp_path):
    FrechetDistance(torch.randn(9, 2)).save_statistics(tmp_path / "s.npz")
    few = samples(torch.zeros(2, 3))
    with pytest.raises(ShapeError, match="samples have 3 Pixels features, the points they are compared with 4"):
        FrechetDistance(torch.randn(9, 4)).check(few)
    with pytest.raises(ShapeError, match="Pixels gives 3 features, and the statistics in"):
        FrechetDistance(statistics=str(tmp_path / "s.npz")).check(few)
    FrechetDistance(torch.randn(9, 3)).check(few)


def test_the_reference_is_embedded_once_however_often_the_metric_finishes():
    embedded = []

    class Counted(torch.nn.Module):
        def forward(self, x):
            embedded.append(len(x))
            return x

    metric = FrechetDistance(torch.randn(40, 2), ModuleFeatures(Counted()))
    states = [metric.observe(metric.begin(), samples(torch.randn(n, 2))) for n in (70, 80)]
    embedded.clear()
    for state in states:
        metric.finish(state)
    assert sum(embedded) == 48  # 40 in blocks of 16


def test_fewer_samples_than_two_are_refused():
    metric = FrechetDistance(reference=torch.randn(9, 2))
    for n in (0, 1):
        with pytest.raises(OptionError, match=f"2 samples or more: {n}"):
            metric.finish(metric.observe(metric.begin(), samples(torch.zeros(n, 2))))


def test_a_feature_space_that_changes_its_width_is_refused():
    @attrs.frozen(eq=False)
    class Fickle(kinetic.FeatureSpace):
        def features(self, x):
            return x[:, : len(x)]

    metric = FrechetDistance(reference=torch.randn(9, 2), features=Fickle())
    state = metric.observe(metric.begin(), samples(torch.zeros(2, 4)))
    with pytest.raises(ShapeError, match="as many for every sample: 2 and 3"):
        metric.observe(state, samples(torch.zeros(3, 4)))


def test_features_that_are_not_finite_are_refused():
    @attrs.frozen(eq=False)
    class Broken(kinetic.FeatureSpace):
        def features(self, x):
            return x.flatten(1) / 0

    metric = FrechetDistance(reference=torch.randn(9, 2), features=Broken())
    with pytest.raises(OptionError, match="Broken features must be finite"):
        metric.observe(metric.begin(), samples(torch.zeros(3, 2)))
