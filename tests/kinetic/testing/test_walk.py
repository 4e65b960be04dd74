"""What a walk keeps of a solver."""

import torch
from kinetic_solvers import Dopri5, Heun

from kinetic.testing.walk import bend, noise, walk


def test_a_walk_has_every_step_every_question_and_the_energy():
    done = walk(Heun(steps=5), bend, noise())
    assert len(done.steps) == 5
    assert len(done.asked) == 10
    assert torch.equal(done.clock, done.end)
    assert torch.equal(done.final, done.steps[-1].x1)
    assert torch.allclose(done.energy, sum(step.energy for step in done.steps))


def test_samples_with_steps_of_their_own_are_put_together():
    done = walk(Dopri5(), bend, noise())
    assert torch.allclose(done.clock, torch.ones(6).double())
    assert set(done.columns) >= {"accepted", "status"}
