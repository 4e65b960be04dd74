"""What does not fit is said before a sample is drawn."""

import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_solvers import Dopri5, Euler
from torch import nn

from kinetic import Batch, EnergyMeter, Runner, Schedule, Shaped, Solver, VelocityField
from kinetic._sample.check_parts import check_parts
from kinetic.errors import OptionError, ShapeError

X, WHO = torch.randn(2, 6, generator=torch.Generator().manual_seed(0)), Batch(torch.arange(2))


def look(field=None, solver=None, schedule=None, **meters):
    with torch.inference_mode():
        return check_parts(field or Gaussian(size=6), solver or Euler(steps=4), schedule, meters, X, WHO)


@attrs.frozen(eq=False)
class Network(VelocityField):
    net: nn.Module
    event_shape = torch.Size([6])

    def velocity(self, x, t, batch=None):
        return self.net(x) * (1 + t[:, None])


@attrs.frozen(eq=False)
class Gain(Schedule):
    formula: object
    breakpoints = ()

    def gain(self, t, x, v):
        return self.formula(t)


def meter(**columns):
    @attrs.frozen(eq=False)
    class Mine(EnergyMeter):
        def adds(self, step):
            return {"e": step.energy}

        def columns(self, sums, x0, x1):
            return {name: make(sums["e"]) for name, make in columns.items()}

    return Mine()


def test_what_fits_passes_and_names_the_columns_of_meters():
    findings = look(kpe=KPE())
    assert {"kpe", "bending"} < findings.metered
    assert findings.warnings == ()


def test_dropout_is_told():
    (warning,) = look(Network(nn.Dropout(0.5))).warnings
    assert "Network answers differently when asked twice" in warning
    assert "net.eval()" in warning
    assert look(Network(nn.Dropout(0.5).eval())).warnings == ()


def test_batch_norm_in_training_mode_is_told():
    (warning,) = look(Network(nn.BatchNorm1d(6))).warnings
    assert "Network answers no sample alone" in warning
    assert "net.eval()" in warning
    (warning,) = look(Network(nn.Sequential(nn.Unflatten(1, (2, 3)), nn.BatchNorm1d(2), nn.Flatten()))).warnings
    assert "Network answers a sample differently alone and in a batch" in warning
    assert look(Network(nn.BatchNorm1d(6).eval())).warnings == ()


class Labelled(nn.Module):
    """As SiT: labels give way to the null class one time in ten, in training mode; guidance asks a doubled batch."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(4, 6)

    def forward(self, x, labels):
        dropped = torch.rand(len(labels)) < 0.1 if self.training else torch.zeros(len(labels), dtype=torch.bool)
        return self.table(torch.where(dropped, 3, labels)) - x

    def forward_with_cfg(self, x, labels):
        half = x[: len(x) // 2]
        conditional, unconditional = self(torch.cat([half, half]), labels).split(len(x) // 2)
        guided = unconditional + 2 * (conditional - unconditional)
        return torch.cat([guided, guided])


@attrs.frozen(eq=False)
class OfClasses(VelocityField):
    net: nn.Module
    guided: bool = False
    event_shape = torch.Size([6])

    def velocity(self, x, t, batch=None):
        net = self.net.forward_with_cfg if self.guided else self.net
        return net(x, batch.condition) * (1 + t[:, None])


@pytest.mark.parametrize("seed", range(5))
def test_labels_dropped_in_training_mode_are_told_though_one_in_ten_is(seed):
    torch.manual_seed(seed)
    runner = Runner(OfClasses(Labelled()), Euler(steps=2))
    (warning,) = runner.dry_run(classes=3, device="cpu")
    assert "OfClasses answers differently when asked twice" in warning
    assert "net.eval()" in warning
    runner.field.net.eval()
    assert runner.dry_run(classes=3, device="cpu") == ()


def test_a_guided_forward_on_a_batch_that_is_not_doubled_is_told():
    (warning,) = Runner(OfClasses(Labelled().eval(), guided=True), Euler(steps=2)).dry_run(classes=3, device="cpu")
    assert "OfClasses answers no sample alone: ValueError" in warning
    assert "takes its batch for doubled" in warning


@pytest.mark.parametrize(
    ("net", "words"),
    [(nn.Dropout(0.5), "differently when asked twice"), (nn.BatchNorm1d(6), "answers no sample alone")],
)
def test_training_mode_is_told_where_classes_are_asked_for(net, words):
    (warning,) = Runner(Network(net), Euler(steps=2)).dry_run(classes=3, device="cpu")
    assert words in warning
    assert "net.eval()" in warning


def test_a_network_left_in_training_mode_that_has_nothing_random_is_no_fault():
    assert not any("net.eval()" in warning for warning in look(Network(nn.Linear(6, 6))).warnings)


def test_a_field_that_knows_the_batch_is_told():
    @attrs.frozen(eq=False)
    class Mixing(VelocityField):
        event_shape = torch.Size([6])

        def velocity(self, x, t, batch=None):
            return x - x.mean(0)

    (warning,) = look(Mixing()).warnings
    assert "Mixing answers a sample differently alone and in a batch" in warning


@pytest.mark.parametrize("name", ["arm", "sample", "class", "nfe", "x0_sq", "gain", "status", "t_end"])
def test_reserved_names_of_columns_are_refused(name):
    with pytest.raises(OptionError, match=f"meter 'mine' gives the column '{name}', which is the Runner's own"):
        look(mine=meter(**{name: lambda e: e}))


@pytest.mark.parametrize("name", ["gain", "nfe", "sample"])
def test_reserved_names_of_a_solvers_columns_are_refused_though_it_does_not_describe_them(name):
    @attrs.frozen(eq=False)
    class Bold(Solver):
        def solve(self, velocity, x0):
            yield from Euler(steps=3).solve(velocity, x0)
            return {name: torch.zeros(len(x0))}

    with pytest.raises(OptionError, match=f"Bold gives the column '{name}', which is the Runner's own"):
        look(solver=Bold())


def test_an_adaptive_solver_is_walked_to_the_end_and_its_columns_are_no_energies():
    assert not look(solver=Dopri5(), kpe=KPE()).metered & {"accepted", "status", "kpe_error"}


def test_two_meters_may_not_give_one_column():
    with pytest.raises(OptionError, match="two parts give the column 'e': meter 'b'"):
        look(a=meter(e=lambda e: e), b=meter(e=lambda e: e))


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=r"the column 'e' has the shape \(1,\) for 2 samples"):
        look(mine=meter(e=lambda e: e[:1]))


@pytest.mark.parametrize(
    ("formula", "error", "said"),
    [
        (lambda t: 0.5 - t, OptionError, "Gain has the gain -0.01562 at t = 0.5156"),
        (lambda t: t * torch.nan, OptionError, "Gain has the gain nan at t = 0"),
        (lambda t: torch.ones(()), ShapeError, "Gain answered 65 samples with gains of shape"),
    ],
)
def test_gains_that_are_negative_or_of_another_shape_are_refused(formula, error, said):
    with pytest.raises(error, match=said):
        look(schedule=Gain(formula))


def test_the_gains_of_a_shaped_field_are_looked_at_as_well():
    with pytest.raises(OptionError, match=r"Gain has the gain -0\.01562 at t = 0\.5156"):
        look(Shaped(Gaussian(size=6), Gain(lambda t: 0.5 - t)))


def test_a_velocity_of_another_shape_or_type_is_refused():
    with pytest.raises(ShapeError, match="answered samples of shape"):
        look(Network(nn.Linear(6, 5)))


def test_a_solver_that_accepts_no_step_at_once_is_no_fault():
    @attrs.frozen(eq=False)
    class Patient(Solver):
        def solve(self, velocity, x0):
            yield from ()

    assert "kpe" in look(solver=Patient(), kpe=KPE()).metered
