import torch
from kinetic_metrics.balls import Balls, overlaps

from kinetic import evidence

CPU = torch.device("cpu")


def groups(n):
    return torch.arange(n) % evidence.GROUPS


def test_a_ball_reaches_to_the_kth_other_point_and_knows_the_groups_of_those_in_it():
    points = torch.randn(50, 4, dtype=torch.float64)
    balls = Balls.of(points, groups(50), 3, CPU)
    distances, index = (points[:, None] - points).norm(dim=2).sort(1)
    assert torch.allclose(balls.radii, distances[:, 3])
    assert torch.allclose(balls.wider, distances[:, 4])
    for i in range(50):
        assert balls.near[i].tolist() == groups(50)[index[i, :4]].bincount(minlength=evidence.GROUPS).tolist()
    few = Balls.of(points[:4], groups(4), 3, CPU)
    assert torch.equal(few.wider, few.radii)


def test_overlaps_are_those_of_whole_matrices_by_group():
    y, x = torch.randn(60, 3, dtype=torch.float64), torch.randn(70, 3, dtype=torch.float64) + 0.3
    ours, theirs = Balls.of(y, groups(60), 4, CPU), Balls.of(x, groups(70), 4, CPU)
    found = overlaps(ours, theirs, CPU)
    distances = (y[:, None] - x).norm(dim=2)
    inside, reached = distances < ours.radii[:, None], distances < theirs.radii
    assert torch.equal(found.held, inside.sum(1))
    assert torch.equal(found.held_wider, (distances < ours.wider[:, None]).sum(1))
    for g in range(evidence.GROUPS):
        assert torch.equal(found.counts[:, g], inside[groups(60) == g].sum(0))
        assert torch.equal(found.covered[:, g], inside[:, groups(70) == g].any(1))
        assert torch.equal(found.recalled[:, g], reached[:, groups(70) == g].any(1))


def test_a_point_on_the_edge_of_a_ball_is_not_inside_though_rounding_would_have_it():
    """Points of a grid far from the origin, which the expanded square cannot tell from their neighbours."""
    grid = torch.cartesian_prod(*[torch.arange(4.0, dtype=torch.float64)] * 2)
    far = grid + 1e6 / 3
    for points in (grid, far):
        balls = Balls.of(points, groups(16), 4, CPU)
        found = overlaps(balls, balls, CPU)
        exact = (grid[:, None] - grid).norm(dim=2)
        ball = exact.sort(1).values[:, 4]
        assert torch.allclose(balls.radii, ball, rtol=1e-8)
        assert torch.equal(found.held, (exact < ball[:, None] * (1 - 1e-8)).sum(1))
        assert torch.equal(found.counts.sum(1), (exact < ball[:, None] * (1 - 1e-8)).sum(0))
        assert bool(found.covered.any(1).all())
        assert bool(found.recalled.any(1).all())
