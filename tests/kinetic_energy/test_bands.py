"""Against single waves, white noise and Parseval."""

import pytest
import torch
from kinetic_digits import DigitsField
from kinetic_energy import KPE, Bands
from kinetic_solvers import RK4, Euler, Midpoint

from kinetic import Runner, Stage, Step
from kinetic.errors import ShapeError
from kinetic.testing import check_meter


def columns(v, bands=4):
    """The columns of one Euler step with a velocity, `{name: (n,)}`."""
    meter, x0 = Bands(bands=bands), torch.zeros_like(v)
    (step,) = Euler(steps=1).solve(lambda x, t, rows: v, x0)
    return meter.columns(meter.adds(step), x0, step.x1)


@pytest.mark.parametrize("method", [Euler, Midpoint, RK4])
@pytest.mark.parametrize("bands", [1, 3, 4, 7])
def test_bands_add_up_to_the_kinetic_path_energy(method, bands):
    meters = {"kpe": KPE(), "bands": Bands(bands=bands)}
    run = Runner(field=DigitsField(), solver=method(steps=3), meters=meters).run(5, classes=10)
    total = sum(run.energy[f"kpe_band_{k + 1}"] for k in range(bands))
    assert torch.allclose(total, run.energy["kpe"], rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 1), (2, 7), (2, 3, 5), (2, 3, 8, 6), (2, 2, 3, 4, 5)])
def test_parseval_holds_to_rounding_for_every_shape(shape):
    v = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    total = sum(columns(v).values())
    assert torch.allclose(total, 0.5 * v.flatten(1).square().sum(1), rtol=1e-14)


@pytest.mark.parametrize(
    ("wave", "band"),
    [((0, 0), 1), ((1, 0), 1), ((2, 2), 2), ((0, 4), 2), ((4, 6), 3), ((8, 0), 3), ((7, 7), 4), ((8, 8), 4)],
)
def test_a_wave_is_in_the_band_of_its_frequency(wave, band):
    """Of 16 x 16, in cycles over the image: the highest is 8 sqrt 2 = 11.3, so bands end at 2.83, 5.66 and 8.49."""
    y, x = torch.meshgrid(torch.arange(16).double(), torch.arange(16).double(), indexing="ij")
    v = torch.cos(2 * torch.pi * (wave[0] * y + wave[1] * x) / 16)[None, None]
    energies = columns(v)
    assert energies[f"kpe_band_{band}"].item() == pytest.approx(0.5 * v.square().sum().item(), rel=1e-12)


def test_white_noise_has_the_same_energy_at_every_frequency():
    """So a band has the share of the frequencies that are in it."""
    v = torch.randn(4000, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    f = torch.fft.fftfreq(8, dtype=torch.float64)
    radius = (f[:, None].square() + f.square()).sqrt() / (0.5 * 2**0.5)
    counts = torch.histc(radius, bins=4, min=0, max=1)
    means = torch.stack([each.mean() for each in columns(v).values()])
    assert means.tolist() == pytest.approx((0.5 * counts).tolist(), rel=0.03)


def test_of_a_vector_the_only_axis_is_transformed():
    t = torch.arange(12.0).double()
    slow, fast = torch.cos(2 * torch.pi * t / 12), torch.cos(torch.pi * t)
    energies = torch.stack([*columns(torch.stack([slow, fast])).values()])
    assert energies.argmax(0).tolist() == [0, 3]
    assert energies.max(0).values.tolist() == pytest.approx([3.0, 6.0])


def test_samples_without_an_axis_are_refused():
    with pytest.raises(ShapeError, match="one axis or more"):
        columns(torch.zeros(3).double())


def test_each_band_says_what_it_is():
    first, *_, last = Bands(bands=4).described
    assert first.says == "The energy of spatial frequencies from 0 to 0.25 of the highest there is."
    assert (first.name, last.name, last.kind) == ("kpe_band_1", "kpe_band_4", "energy")


def test_where_no_sample_moves_nothing_is_added():
    """An adaptive solver may give up on all of a batch at once."""
    x = torch.zeros(0, 3, 4, 4, dtype=torch.float64)
    t = torch.zeros(0, dtype=torch.float64)
    meter = Bands()
    sums = meter.adds(Step(t.long(), t, t, x, x, (Stage(t, x, 1.0),)))
    assert all(len(column) == 0 for column in meter.columns(sums, x, x).values())


@pytest.mark.parametrize("bands", [1, 4, 9])
def test_the_contract_of_a_meter_is_kept(bands):
    check_meter(Bands(bands=bands))
