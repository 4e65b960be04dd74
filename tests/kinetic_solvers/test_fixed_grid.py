"""What every solver on a fixed grid promises."""

import math

import attrs
import pytest
from kinetic_grids import Given
from kinetic_solvers import RK4, AdamsBashforth2, DPMSolver, Euler, Heun, Midpoint, Ralston

from kinetic import CalibratedGrid, TimeGrid, registry
from kinetic.errors import OptionError
from kinetic.testing import check_solver, checks

ALL_OF_THEM = [Euler, Midpoint, Heun, Ralston, RK4, AdamsBashforth2, DPMSolver]


@pytest.mark.parametrize("method", ALL_OF_THEM)
def test_the_grid_runs_from_0_to_1_and_the_cosine_is_finer_at_both_ends(method):
    uniform, cosine = method(steps=10).times(), method(steps=10, grid="cosine").times()
    assert uniform[0] == cosine[0] == 0
    assert uniform[-1] == cosine[-1] == 1
    assert uniform == pytest.approx([k / 10 for k in range(11)])
    assert cosine == pytest.approx([(1 - math.cos(math.pi * k / 10)) / 2 for k in range(11)])


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("grid", ["uniform", "cosine"])
@pytest.mark.parametrize("method", ALL_OF_THEM)
def test_the_contract_of_a_solver_is_kept(method, grid, steps):
    check_solver(method(steps=steps, grid=grid))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"steps": 0}, "'steps' must be an int >= 1 and <= 1000000: 0"),
        ({"steps": 2.5}, "'steps' must be an int >= 1 and <= 1000000: 2.5"),
        ({"steps": True}, "'steps' must be an int >= 1 and <= 1000000: True"),
        ({"steps": 2**63 - 1}, "'steps' must be an int >= 1 and <= 1000000: 9223372036854775807"),
        ({"grid": 7}, "'grid' must be a time grid: 7"),
    ],
)
def test_a_bad_option_is_named_with_its_bound(bad, said):
    with pytest.raises(OptionError) as caught:
        Euler(**bad)
    assert str(caught.value) == said


@pytest.mark.parametrize("method", ALL_OF_THEM)
def test_every_method_walks_on_every_grid(method):
    grids = [cls() for cls in registry().classes["grid"].values() if not issubclass(cls, (Given, CalibratedGrid))]
    for grid in [*grids, Given([0, 0.05, 0.5, 0.51, 0.9, 1])]:
        for check in checks(method(steps=5, grid=grid)):
            if method is not DPMSolver or "order" not in check.name:  # its order is that of the cosine grid
                check()


def test_a_grid_that_does_not_rise_is_refused_when_the_solver_is_made():
    @attrs.frozen(eq=False)
    class Stuck(TimeGrid):
        def times(self, steps):
            return [0.0] * steps + [1.0]

    with pytest.raises(OptionError, match=r"Stuck must give 4 times that rise .*: number 1 is 0.0, after 0.0"):
        Euler(steps=3, grid=Stuck())


@pytest.mark.parametrize("grid", ["uniform", "cosine"])
@pytest.mark.parametrize("method", ALL_OF_THEM)
def test_the_energy_of_the_gaussian_flow_converges_at_the_order_of_the_method(method, grid, gaussian_flow):
    errors, ends = [], []
    for steps in (64, 128):
        run, x1, energy = gaussian_flow(method(steps=steps, grid=grid))
        errors.append((run.energy["kpe"] - energy).norm().item())
        ends.append((run.samples - x1).norm().item())
    # DPM-Solver++ loses a logarithm on the uniform grid
    slack = 0.5 if (method, grid) == (DPMSolver, "uniform") else 0.15
    assert abs(math.log2(errors[0] / errors[1]) - method().order) < slack
    # midpoint is of order 3 in x1 on this flow, so x1 is only held to the order from below
    assert math.log2(ends[0] / ends[1]) > method().order - 0.5
