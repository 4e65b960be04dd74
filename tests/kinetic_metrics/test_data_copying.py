import math

import numpy as np
import pytest
import torch
from kinetic_metrics import DataCopying
from kinetic_metrics.data_copying import mann_whitney
from scipy.stats import mannwhitneyu, norm, rankdata, tiecorrect

from kinetic import Samples, evidence
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_metric


def score(metric, x):
    samples = Samples(torch.arange(len(x)), x)
    return metric.finish(metric.observe(metric.begin(), samples))


def nearest_by_brute_force(x, train):
    return (x[:, None] - train).norm(dim=2).min(1).values.numpy()


def z_by_formula(x, held, train):
    """Meehan et al.: U of SciPy on the distances, less its mean, over its standard deviation, with SciPy's ties."""
    a, b = nearest_by_brute_force(x, train), nearest_by_brute_force(held, train)
    n, m = len(a), len(b)
    u = mannwhitneyu(a, b, alternative="less").statistic
    ties = tiecorrect(rankdata(np.concatenate([a, b])))
    return (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12 * ties)


def test_u_is_that_of_scipy_ties_and_all():
    rng = np.random.default_rng(0)
    for n, m in ((20, 30), (1, 9), (7, 1)):
        a, b = rng.integers(0, 6, n).astype(float), rng.integers(0, 6, m).astype(float)
        z, _, most = mann_whitney(a, b)
        assert z / most * n * m / 2 + n * m / 2 == pytest.approx(mannwhitneyu(a, b).statistic, rel=1e-12)


@pytest.mark.parametrize("decimals", [9, 1, 0])
def test_the_z_score_is_that_of_scipys_p_value_ties_and_all(decimals):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=40).round(decimals), (rng.normal(size=55) + 0.3).round(decimals)
    assert (len(set(a) | set(b)) == 95) == (decimals == 9)
    z, _, _ = mann_whitney(a, b)
    p = mannwhitneyu(a, b, alternative="less", method="asymptotic", use_continuity=False).pvalue
    assert norm.cdf(z) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize(("d", "n", "m"), [(0.8, 60, 90), (-0.8, 40, 40), (-2.5, 20, 20)])
def test_the_standard_error_covers_the_probability_that_one_normal_exceeds_another(d, n, m):
    """P(a > b) = Phi(d / sqrt 2) for N(d, 1) and N(0, 1); at d = -2.5 U is often 0."""
    rng, held = np.random.default_rng(0), 0
    truth = (norm.cdf(d / math.sqrt(2)) - 0.5) * n * m / math.sqrt(n * m * (n + m + 1) / 12)
    for _ in range(200):
        z, error, _ = mann_whitney(rng.normal(size=n) + d, rng.normal(size=m))
        held += abs(z - truth) < 1.96 * error
    assert held >= 180  # 190 expected


def test_with_one_cell_it_is_the_z_score_of_the_formula():
    train, held, x = (torch.randn(n, 4, dtype=torch.float64) for n in (80, 50, 70))
    found = score(DataCopying(train=train, held_out=held), x)
    assert found.values["ct"].value == pytest.approx(z_by_formula(x, held, train), rel=1e-12)
    groups = torch.from_numpy(evidence.groups(np.arange(70)))
    without = [z_by_formula(x[groups != g], held, train) for g in range(evidence.GROUPS)]
    assert found.values["ct"].leave_out.tolist() == pytest.approx(without, rel=1e-9)


def test_with_cells_it_is_their_mean_weighed_by_held_out_points_without_the_thin_ones():
    from sklearn.cluster import KMeans

    centres = torch.tensor([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0]], dtype=torch.float64)
    train, held, x = (
        centres[torch.tensor(labels)] + torch.randn(len(labels), 2, dtype=torch.float64)
        for labels in ([0, 1, 2] * 30, [0] * 30 + [1] * 10 + [2] * 8, [0] * 40 + [1] * 25 + [2] * 5)
    )
    found = score(DataCopying(train=train, held_out=held, cells=3, least=20), x)
    cells = KMeans(3, n_init=10, random_state=0).fit(train.numpy())
    of_train, of_held, of_x = (torch.from_numpy(cells.predict(z.numpy())) for z in (train, held, x))
    weights, scores = [], []
    for cell in range(3):
        if int((of_x == cell).sum()) > 20:
            weights.append(int((of_held == cell).sum()))
            scores.append(z_by_formula(x[of_x == cell], held[of_held == cell], train[of_train == cell]))
    assert sorted(weights) == [10, 30]
    assert found.values["ct"].value == pytest.approx(np.average(scores, weights=weights), rel=1e-12)
    spread = math.sqrt(0.75**2 + 0.25**2)
    assert found.notes[1].startswith("2 of 3 cells have samples and held-out points enough to count.")
    assert f"deviation of about {spread:.2f}, not 1: what -3 is for one cell is {-3 * spread:.2f}" in found.notes[1]


def test_new_data_of_the_training_law_score_like_a_standard_normal():
    scores = []
    for _ in range(150):
        metric = DataCopying(train=torch.randn(60, 3), held_out=torch.randn(40, 3))
        scores.append(score(metric, torch.randn(50, 3)).values["ct"])
    z = np.array([estimate.value for estimate in scores])
    assert abs(z.mean()) < 4 / 150**0.5
    assert z.std() == pytest.approx(1, abs=4 / 300**0.5)
    held = sum(estimate.low <= 0 <= estimate.high for estimate in scores)
    assert held >= 132  # 142 expected


@pytest.mark.parametrize("cells", [3, 10])
def test_with_cells_new_data_of_the_training_law_have_the_spread_that_the_note_says(cells):
    scores, said = [], []
    for seed in range(200):
        train, held, x = torch.randn(3, 150, 2, generator=torch.Generator().manual_seed(seed))
        found = score(DataCopying(train=train, held_out=held, cells=cells, least=0), x)
        scores.append(found.values["ct"].value)
        said.append(float(found.notes[1].split("about ")[1].split(",")[0]))
    assert np.mean(scores) == pytest.approx(0, abs=4 * np.std(scores) / 200**0.5)
    assert np.std(scores) == pytest.approx(np.mean(said), rel=4 / 400**0.5)
    assert np.mean(said) == pytest.approx(1 / cells**0.5, rel=0.15)


def test_equal_distances_on_both_sides_score_0_and_have_no_spread():
    train = torch.zeros(1, 2)
    found = score(DataCopying(train=train, held_out=torch.zeros(9, 2)), torch.zeros(70, 2)).values["ct"]
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_planted_copies_score_the_lowest_there_is_and_noise_scores_high():
    train, held = torch.randn(100, 6), torch.randn(50, 6)
    n, m = 60, 50
    lowest = -(n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    metric = DataCopying(train=train, held_out=held)
    noise, copies = score(metric, torch.randn(n, 6) * 9), score(metric, train[:n] + 1e-4 * torch.randn(n, 6))
    assert noise.values["ct"].value == pytest.approx(-lowest)
    assert copies.values["ct"].value == pytest.approx(lowest)
    assert copies.values["ct"].low == pytest.approx(lowest)
    assert lowest < copies.values["ct"].high < 0.8 * lowest
    assert "60 samples against 50 held-out points, by distance to 100 training points" in copies.notes[0]


def test_few_samples_have_no_leave_out_values():
    train, held = torch.randn(9, 2), torch.randn(9, 2)
    assert score(DataCopying(train=train, held_out=held), torch.randn(59, 2)).values["ct"].leave_out is None
    assert score(DataCopying(train=train, held_out=held), torch.randn(60, 2)).values["ct"].leave_out is not None


@pytest.mark.parametrize("cells", [1, 2])
def test_the_contract_of_a_metric_is_kept(cells):
    x = torch.randn(70, 3)
    metric = DataCopying(train=torch.randn(40, 3), held_out=torch.randn(30, 3), cells=cells, least=5)
    check_metric(metric, Samples(torch.randperm(70), x))


def test_bad_input_is_named():
    train, held = torch.randn(8, 3), torch.randn(6, 3)
    with pytest.raises(OptionError, match="'held_out' must be a dataset of points that the model was not trained on"):
        DataCopying(train=train)
    with pytest.raises(ShapeError, match=r"the points of 'held_out' have shape \(2,\), those of 'train' \(3,\)"):
        DataCopying(train=train, held_out=held[:, :2])
    with pytest.raises(OptionError, match="'cells' must be an int from 1 to 8, the size of 'train': 9"):
        DataCopying(train=train, held_out=held, cells=9)
    with pytest.raises(OptionError, match=r"more than 20 \('least'\) of the 10 samples: 'cells' must be lower than 2"):
        score(DataCopying(train=train, held_out=held, cells=2), torch.randn(10, 3))
