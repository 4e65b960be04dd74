import attrs
import pytest
import torch
from kinetic_digits import DigitsField
from kinetic_energy import KPE, GuidanceEnergy
from kinetic_fields import Autoguided, Blocked, Gaussian, Guided
from kinetic_schedules import KTS
from kinetic_solvers import RK4, AdamsBashforth2, Dopri5, DPMSolver, Euler, Heun

from kinetic import Batch, Runner, VelocityField
from kinetic.errors import OptionError


@attrs.frozen(eq=False)
class Labelled(VelocityField):
    """The label where there is one, else -1."""

    @property
    def event_shape(self):
        return torch.Size([2])

    def velocity(self, x, t, batch=None):
        if batch is None or batch.condition is None:
            return torch.full_like(x, -1.0)
        return batch.condition[:, None].to(x).expand_as(x)


@attrs.frozen(eq=False)
class Two(VelocityField):
    """One velocity with a condition, another without; rows asked are kept."""

    c: torch.Tensor
    u: torch.Tensor
    asked: list = attrs.field(factory=list)

    @property
    def event_shape(self):
        return self.c.shape[1:]

    def velocity(self, x, t, batch=None):
        self.asked.append(len(x))
        which = self.u if batch is None or batch.condition is None else self.c
        return which[batch.ids] if batch is not None else which


C, U = torch.randn(2, 3, 4, 2, 2, generator=torch.Generator().manual_seed(0)).unbind(0)
WHO = torch.tensor([2, 5, 9])


def guided(t=0.5, **options):
    field = Two(C, U)
    batch = Batch(torch.arange(3), WHO)
    v = Guided(field, scale=3.0, **options).velocity(torch.zeros(3, 4, 2, 2), torch.as_tensor(t).expand(3), batch)
    return v, batch, field


def test_guidance_is_the_free_velocity_plus_scale_times_the_difference():
    x, t = torch.zeros(3, 2), torch.zeros(3)
    batch = Batch(torch.arange(3), WHO)
    for scale in (0.0, 1.0, 1.5, 4.0):
        expected = -1 + scale * (batch.condition[:, None].float() + 1).expand(3, 2)
        assert torch.allclose(Guided(Labelled(), scale=scale).velocity(x, t, batch), expected)


def test_without_a_condition_there_is_nothing_to_guide_to():
    x, t = torch.zeros(3, 2), torch.zeros(3)
    for batch in (None, Batch(torch.arange(3))):
        with pytest.raises(OptionError, match=r"samples are asked for nothing\n.*`classes = N`"):
            Guided(Labelled()).velocity(x, t, batch)
    with pytest.raises(OptionError, match="samples are asked for nothing"):
        Runner(Guided(Labelled()), Euler(steps=2)).run(4)


def test_in_an_interval_alone_guidance_acts_and_costs():
    expected = U + 3 * (C - U)
    v, batch, field = guided(t=torch.tensor([0.1, 0.5, 0.9]), start_t=0.3, stop_t=0.7)
    assert torch.equal(v[[0, 2]], C[[0, 2]])
    assert torch.allclose(v[1], expected[1])
    assert field.asked == [3, 1]
    assert batch.more_rows.tolist() == [0, 1, 0]
    v, _, field = guided(t=0.2, start_t=0.3)
    assert torch.equal(v, C)
    assert field.asked == [3]
    assert torch.allclose(guided(t=1.0)[0], expected)
    assert Guided(Labelled(), start_t=0.3, stop_t=0.7, zero_until=0.1).breakpoints == (0.1, 0.3, 0.7)


def test_rescaling_brings_the_spread_of_each_sample_to_that_of_the_condition():
    v = U + 3 * (C - U)
    spread = C.flatten(1).std(1) / v.flatten(1).std(1)
    for phi in (1.0, 0.7):
        expected = v * (phi * spread + 1 - phi).view(3, 1, 1, 1)
        assert torch.allclose(guided(rescale=phi)[0], expected, atol=1e-6)
    assert torch.allclose(guided(rescale=1.0)[0].flatten(1).std(1), C.flatten(1).std(1))


def test_cfg_zero_star_is_its_formula():
    s = (C * U).flatten(1).sum(1) / (U.square().flatten(1).sum(1) + 1e-8)
    free = s.view(3, 1, 1, 1) * U
    assert torch.allclose(guided(zero_star=True)[0], free + 3 * (C - free), atol=1e-6)
    v, _, _ = guided(t=torch.tensor([0.0, 0.1, 0.2]), zero_star=True, zero_until=0.1)
    assert (v[0] == 0).all()
    assert torch.allclose(v[1:], (free + 3 * (C - free))[1:], atol=1e-6)


def test_only_the_first_channels_are_guided():
    v = guided(channels=3)[0]
    assert torch.allclose(v[:, :3], (U + 3 * (C - U))[:, :3], atol=1e-6)
    assert torch.allclose(v[:, 3:], C[:, 3:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start_t": 0.5, "stop_t": 0.5}, "'start_t' must be before 'stop_t'"),
        ({"channels": 5}, r"'channels' must be at most those of samples of shape \(4, 2, 2\): 5"),
        ({"rescale": 1.5}, "'rescale'"),
        ({"field": Gaussian(size=1), "rescale": 0.5}, "'rescale' is by the spread over the elements of a sample"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(OptionError, match=message):
        Guided(**{"field": Two(C, U), **options})


WAYS = {
    "plain": {},
    "an interval": {"start_t": 0.2, "stop_t": 0.6},
    "rescaled": {"rescale": 0.7},
    "zero star": {"zero_star": True, "zero_until": 0.1},
    "one channel": {"channels": 1},
}


@pytest.mark.parametrize("schedule", [None, KTS(alpha=0.2, beta=0.04)])
@pytest.mark.parametrize(
    "solver", [Euler(steps=10), Heun(steps=5), RK4(steps=4), AdamsBashforth2(steps=8), DPMSolver(steps=6)]
)
@pytest.mark.parametrize("way", sorted(WAYS))
def test_the_parts_of_guidance_add_up_to_the_energy(way, solver, schedule):
    meters = {"kpe": KPE(), "guidance": GuidanceEnergy()}
    runner = Runner(Guided(DigitsField(), scale=2.5, **WAYS[way]), solver, schedule, meters)
    e = runner.run(6, classes=10, dtype=torch.float64, device="cpu").energy
    total = e["kpe_unconditional"] + 2.5**2 * e["kpe_apart"] + e["guidance_work"]
    assert torch.allclose(total, e["kpe"], rtol=1e-12)
    if way not in ("an interval", "zero star"):
        assert torch.equal(e["rows"], 2 * e["nfe"])


def test_metering_the_parts_moves_nothing_and_asks_nothing_more():
    field = Guided(DigitsField(), scale=2.5)
    plain = Runner(field, Euler(steps=6), meters={"kpe": KPE()}).run(5, classes=10)
    weighed = Runner(field, Euler(steps=6), meters={"kpe": KPE(), "guidance": GuidanceEnergy()}).run(5, classes=10)
    assert torch.equal(plain.samples, weighed.samples)
    assert torch.equal(plain.energy["rows"], weighed.energy["rows"])


def test_where_a_solver_picks_rows_of_a_velocity_the_parts_are_left_out_with_a_note():
    run = Runner(Guided(DigitsField()), Dopri5(), meters={"g": GuidanceEnergy()}).run(4, classes=10)
    assert run.energy["kpe_apart"].isnan().all()
    assert any("kpe_apart is not finite for 4 of 4" in note for note in run.notes)


def test_guided_within_guided_counts_every_row():
    inner = Autoguided(DigitsField(), DigitsField(), scale=1.5)
    e = Runner(Guided(inner), Euler(steps=6)).run(3, classes=10).energy
    assert torch.equal(e["rows"], 4 * e["nfe"])


def test_a_field_that_waits_is_not_said_to_point_elsewhere():
    field = Guided(DigitsField(), zero_star=True, zero_until=0.1)
    assert Runner(field, Euler(steps=5)).dry_run(classes=10) == ()


def test_outside_its_interval_a_rescaled_field_is_the_field_to_the_last_bit():
    for phi in (0.1, 0.3, 0.7, 0.9):
        assert torch.equal(guided(t=0.1, start_t=0.5, rescale=phi)[0], C)


def test_blocks_hand_on_the_parts():
    meters = {"kpe": KPE(), "guidance": GuidanceEnergy()}
    field = Guided(DigitsField(), scale=2.0)
    plain, blocked = (
        Runner(each, Euler(steps=4), meters=meters).run(7, classes=10) for each in (field, Blocked(field, rows=4))
    )
    assert torch.allclose(plain.energy["kpe_apart"], blocked.energy["kpe_apart"], rtol=1e-5)
