import pytest
import torch
from kinetic_metrics import PRDC, nearest
from kinetic_metrics import balls as module
from kinetic_metrics.prdc import expected_coverage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from kinetic import Samples, evidence
from kinetic.errors import OptionError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def by_formula(real, fake, k):
    """The definitions, on whole matrices of distances from differences."""
    between = (real[:, None] - fake).norm(dim=2)
    r, s = ((z[:, None] - z).norm(dim=2).sort(1).values[:, k] for z in (real, fake))
    inside = between < r[:, None]
    return {
        "precision": inside.any(0).double().mean().item(),
        "recall": (between < s).any(1).double().mean().item(),
        "density": inside.double().sum().item() / (k * len(fake)),
        "coverage": inside.any(1).double().mean().item(),
    }


@pytest.mark.parametrize(("n", "m", "f", "k"), [(60, 80, 3, 5), (90, 40, 12, 3), (50, 50, 64, 1)])
def test_all_four_are_those_of_the_package_prdc(n, m, f, k, capsys):
    prdc = pytest.importorskip("prdc", reason="needs prdc")
    real, fake = torch.randn(m, f, dtype=torch.float64), torch.randn(n, f, dtype=torch.float64) * 0.9 + 0.1
    theirs = prdc.compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    found = score(PRDC(reference=real, k=k), fake)
    assert {name: found.values[name].value for name in theirs} == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("rows", [2048, 7])
def test_all_four_are_their_definitions_in_blocks_of_any_size(rows, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", rows)
    real, fake = torch.randn(40, 5, dtype=torch.float64), torch.randn(31, 5, dtype=torch.float64) + 0.3
    found = score(PRDC(reference=real, k=4), fake)
    for name, value in by_formula(real, fake, 4).items():
        assert found.values[name].value == pytest.approx(value, rel=1e-12)
    assert found.columns["in_support"].double().mean().item() == found.values["precision"].value
    assert found.columns["density"].mean().item() == pytest.approx(found.values["density"].value)


@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-7])
def test_float32_products_decide_nothing_that_their_rounding_could_change(spread):
    """Near-duplicates about few centres, far from the origin: float64 differences are the truth."""
    centres = 5 + torch.randn(6, 24)
    real, fake = (centres[torch.arange(n) % 6] + spread * torch.randn(n, 24) for n in (90, 80))
    found = score(PRDC(reference=real, k=3), fake)
    for name, value in by_formula(real.double(), fake.double(), 3).items():
        assert found.values[name].value == pytest.approx(value, rel=1e-12)


def test_recall_and_coverage_without_a_group_are_those_of_the_other_samples_in_the_same_balls():
    real, fake = torch.randn(70, 3, dtype=torch.float64), torch.randn(90, 3, dtype=torch.float64) + 0.5
    found = score(PRDC(reference=real, k=3), fake).values
    between = (real[:, None] - fake).norm(dim=2)
    r, s = ((z[:, None] - z).norm(dim=2).sort(1).values[:, 3] for z in (real, fake))
    groups = torch.from_numpy(evidence.groups(torch.arange(90).numpy()))
    for name, pairs in (("coverage", between < r[:, None]), ("recall", between < s)):
        without = [pairs[:, groups != g].any(1).double().mean().item() for g in range(evidence.GROUPS)]
        expected = evidence.jackknife(pairs.any(1).double().mean().item(), without)
        assert found[name].leave_out.tolist() == pytest.approx(without, rel=1e-12)
        assert (found[name].low, found[name].high) == pytest.approx((expected.low, min(1, expected.high)), rel=1e-9)


def test_without_a_group_of_the_reference_all_four_are_those_of_the_other_points_and_only_density_has_balls_that_grow():
    real, fake = torch.randn(90, 3, dtype=torch.float64), torch.randn(70, 3, dtype=torch.float64) + 0.5
    found = score(PRDC(reference=real, k=3), fake).values
    between = (real[:, None] - fake).norm(dim=2)
    r, s = ((z[:, None] - z).norm(dim=2).sort(1).values[:, 3] for z in (real, fake))
    inside, reached = between < r[:, None], between < s
    own = (real[:, None] - real).norm(dim=2)
    near, wider = own <= r[:, None], (between < own.sort(1).values[:, 4:5]).long()
    inside = inside.long()
    theirs = torch.from_numpy(evidence.groups(torch.arange(90).numpy()))
    mine = torch.from_numpy(evidence.groups(torch.arange(70).numpy()))
    without = {name: [] for name in found}
    for g in range(evidence.GROUPS):
        left = theirs != g
        without["precision"].append(inside[left].bool().any(0).double().mean().item())
        without["recall"].append(reached[left].any(1).double().mean().item())
        lost = (near[left] & ~left).sum(1, keepdim=True)
        held = inside[left].sum(1, keepdim=True) + lost * (wider - inside)[left].sum(1, keepdim=True)
        without["density"].append(held.sum().item() / (3 * 70))
        without["coverage"].append(inside[left].bool().any(1).double().mean().item())
    for name, values in without.items():
        assert found[name].leave_out_reference.tolist() == pytest.approx(values, rel=1e-12)
        assert found[name].unbiased == found[name].value
    shares = [inside[:, mine != g].bool().any(0).double().mean().item() for g in range(evidence.GROUPS)]
    assert found["precision"].leave_out.tolist() == pytest.approx(shares, rel=1e-12)
    means = [inside[:, mine != g].sum(0).double().mean().item() / 3 for g in range(evidence.GROUPS)]
    assert found["density"].leave_out.tolist() == pytest.approx(means, rel=1e-12)


def test_intervals_of_differences_hold_what_other_samples_and_references_give_on_the_mean():
    """They are rather wide."""
    drawn = {name: [] for name in ("precision", "recall", "density", "coverage")}
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        z, noise, real = (torch.randn(150, 8, generator=generator) for _ in range(3))
        metric = PRDC(reference=real, k=5)
        one, other = (score(metric, x).values for x in (0.9 * z, 0.8 * z + 0.6 * noise))
        for name, found in drawn.items():
            found.append(evidence.jackknife_difference(one[name], other[name]))
    for found in drawn.values():
        truth = sum(each.value for each in found) / 200
        assert sum(each.low <= truth <= each.high for each in found if each.low is not None) >= 184


def test_intervals_over_samples_hold_what_more_samples_give_on_the_mean():
    """60 draws of samples against one reference: the mean of their scores is what each interval is of."""
    real = torch.randn(150, 4)
    drawn = [score(PRDC(reference=real, k=5), 1.2 * torch.randn(150, 4)).values for _ in range(60)]
    for name in ("precision", "recall", "density", "coverage"):
        truth = sum(values[name].value for values in drawn) / 60
        assert sum(values[name].low <= truth <= values[name].high for values in drawn) >= 52  # 57 expected at 95%


@pytest.mark.parametrize("scale", [1e-21, 1e-22])
def test_squares_that_underflow_decide_nothing(scale):
    real, fake = scale * torch.randn(60, 24), scale * torch.randn(50, 24)
    found = score(PRDC(reference=real, k=3), fake)
    for name, value in by_formula(real.double(), fake.double(), 3).items():
        assert found.values[name].value == pytest.approx(value, rel=1e-12)


def test_at_0_and_1_no_interval_pretends_to_certainty():
    found = score(PRDC(reference=torch.randn(80, 3)), 50 + torch.randn(70, 3)).values
    assert found["coverage"].value == 0
    assert found["coverage"].low is None
    assert found["coverage"].leave_out.tolist() == [0.0] * evidence.GROUPS


def test_few_samples_have_no_interval_of_recall_and_coverage():
    found = score(PRDC(reference=torch.randn(80, 3)), torch.randn(59, 3)).values
    assert found["recall"].low is None
    assert found["coverage"].low is None
    assert found["precision"].low is not None


def test_copies_of_the_reference_are_inside_its_balls_and_equal_points_have_none():
    real = torch.randn(30, 6)
    found = score(PRDC(reference=real, k=3), real[:20])
    assert found.values["precision"].value == 1
    assert found.values["coverage"].value >= 20 / 30
    assert score(PRDC(reference=torch.zeros(9, 2), k=2), torch.zeros(8, 2)).values["precision"].value == 0


def test_samples_of_the_references_own_law_have_the_coverage_and_density_of_the_theory():
    """1 - prod (m - l)/(n + m - l), whatever the law, and density 1: Naeem et al., arXiv 2002.09797."""
    found = [score(PRDC(reference=torch.randn(150, 3), k=5), torch.randn(100, 3)).values for _ in range(40)]
    coverage = torch.tensor([values["coverage"].value for values in found])
    density = torch.tensor([values["density"].value for values in found])
    assert float(coverage.mean()) == pytest.approx(
        expected_coverage(100, 150, 5), abs=4 * float(coverage.std()) / 40**0.5
    )
    assert float(density.mean()) == pytest.approx(1, abs=4 * float(density.std()) / 40**0.5)
    assert expected_coverage(10**9, 10**9, 5) == pytest.approx(1 - 2**-5)


def test_no_tensor_grows_with_n_times_n(monkeypatch):
    """With 50,000 x 2,048 features the largest is the table of features itself."""
    monkeypatch.setattr(module, "_ROWS", 64)
    monkeypatch.setattr(nearest, "_PRODUCTS", 2**18)
    monkeypatch.setattr(nearest, "_POINTS", 512)

    class Largest(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            made = func(*args, **(kwargs or {}))
            self.numel = max(
                [self.numel, *(leaf.numel() for leaf in tree_leaves(made) if isinstance(leaf, torch.Tensor))]
            )
            return made

    n, f = 4000, 16
    with Largest() as seen:
        score(PRDC(reference=torch.randn(n, f)), torch.randn(n, f))
    assert seen.numel < n * n / 10


def test_few_samples_for_the_reference_are_flagged():
    found = score(PRDC(reference=torch.randn(100, 2), k=2), torch.randn(20, 2))
    assert "20 samples against 100 reference points, k = 2, in 2 Pixels features" in found.notes[0]
    assert found.notes[2].startswith("20 samples are few for 100 reference points")


def test_balls_of_radius_0_are_counted_on_either_side():
    x, y = torch.randn(20, 2), torch.randn(30, 2)
    said = "balls have radius 0"
    assert not any(said in note for note in score(PRDC(reference=y, k=2), x).notes)
    y[:4] = y[0]  # 3 others each, and so a second neighbour at no distance
    note = score(PRDC(reference=y, k=2), x).notes[-1]
    assert note.startswith("4 of 30 reference points and 0 of 20 samples have 2 or more others equal to them")
    x[:3], x[5] = x[0], x[6]  # 2 others each, and 1 each
    note = score(PRDC(reference=y, k=2), x).notes[-1]
    assert note.startswith("4 of 30 reference points and 3 of 20 samples have 2 or more others equal to them")


def test_the_contract_of_a_metric_is_kept():
    x = torch.randn(40, 4)
    check_metric(PRDC(reference=torch.randn(30, 4), k=3), Samples(torch.randperm(40), x))


def test_bad_input_is_named():
    with pytest.raises(OptionError, match="'k' must be an int from 1 to 4, the size of 'reference' less 1: 5"):
        PRDC(reference=torch.randn(5, 3))
    metric = PRDC(reference=torch.randn(9, 3), k=2)
    with pytest.raises(OptionError, match="needs 3 samples or more, as 'k' is 2: 2"):
        score(metric, torch.zeros(2, 3))
