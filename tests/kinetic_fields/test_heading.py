"""Headings against brute force in float64."""

import pytest
import torch
from kinetic_fields.heading import heading, ramp
from kinetic_fields.points import Points

from kinetic import TensorData
from kinetic.errors import ShapeError
from kinetic.testing.probe import normal


def test_a_heading_is_brute_force_among_the_data(monkeypatch):
    monkeypatch.setattr("kinetic_fields.points._BLOCK", 24)  # four points at a time
    data, x, v = normal(41, 2, 3), normal(9, 2, 3, seed=1), normal(9, 2, 3, seed=2)
    t = torch.linspace(0, 1, 9, dtype=torch.float64)
    to = heading(Points(TensorData(data)), x, t, v)
    estimate = x + (1 - t)[:, None, None] * v
    distances, index = torch.cdist(estimate.flatten(1), data.flatten(1)).sort(1)
    assert torch.allclose(to.estimate, estimate)
    assert torch.equal(to.nearest, data[index[:, 0]])
    assert torch.allclose(to.ratio, distances[:, 0] / distances[:, 1])


def test_between_two_equal_points_the_ratio_is_0_and_samples_of_another_shape_are_refused():
    points = Points(TensorData(torch.ones(2, 3)))
    x = torch.ones(1, 3)
    assert heading(points, x, torch.zeros(1), 0 * x).ratio.tolist() == [0.0]
    with pytest.raises(ShapeError, match=r"samples have shape \(4,\), the data \(3,\)"):
        heading(points, torch.ones(1, 4), torch.zeros(1), torch.ones(1, 4))


def test_a_ramp_rises_or_falls_and_stays_at_its_ends():
    value = torch.tensor([0.0, 0.2, 0.3, 0.4, 1.0])
    assert ramp(value, 0.2, 0.4).tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert ramp(value, 0.4, 0.2).tolist() == pytest.approx([1, 1, 0.5, 0, 0], abs=1e-6)
