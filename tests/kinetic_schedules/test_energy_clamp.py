import pytest
import torch
from kinetic_energy import PowerProfile
from kinetic_fields import Gaussian
from kinetic_schedules import EnergyClamp
from kinetic_solvers import Euler

from kinetic import Runner
from kinetic._sample.noise import noise
from kinetic.errors import MissingFileError, OptionError
from kinetic.testing import check_schedule


def test_the_gain_brings_the_power_into_the_band():
    v = torch.tensor([[2.0, 0.0], [4.0, 0.0], [20.0, 0.0], [0.1, 0.0], [0.0, 0.0]], dtype=torch.float64)
    t = torch.full((5,), 0.5, dtype=torch.float64)
    gain = EnergyClamp(low=[4.0], high=[18.0], most=3.0).gain(t, v, v)
    assert gain.tolist() == pytest.approx([2**0.5, 1.0, 0.3, 3.0, 1.0])


def test_between_the_middles_of_its_intervals_the_band_is_a_straight_line():
    clamp = EnergyClamp(low=[1.0, 3.0], high=[2.0, 8.0])
    low, high = clamp.band(torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])).tolist()
    assert low == pytest.approx([1.0, 1.0, 2.0, 3.0, 3.0])
    assert high == pytest.approx([2.0, 2.0, 5.0, 8.0, 8.0])
    check_schedule(clamp)


def test_the_mean_gain_is_that_of_the_gains_that_were_applied():
    """Asked of v after the gain, which lies in the band, it would be 1."""
    field, clamp, steps = Gaussian(size=3, mean=2.0, std=0.5), EnergyClamp(low=[3.0], high=[5.0]), 8
    run = Runner(field, Euler(steps=steps), clamp, {"power": PowerProfile(bins=steps)}).run(6, dtype=torch.float64)
    x, mean = noise(0, range(6), (3,), torch.float64), torch.zeros(6, dtype=torch.float64)
    for k in range(steps):
        t = torch.full((6,), k / steps, dtype=torch.float64)
        v = field.velocity(x, t)
        gain = (v.square().sum(1) / 2).clamp(3.0, 5.0).div(v.square().sum(1) / 2).sqrt().clamp_max(2)
        x, mean = x + gain[:, None] * v / steps, mean + gain / steps
    assert torch.allclose(run.samples, x)
    assert run.energy["gain"].tolist() == pytest.approx(mean.tolist())
    assert (mean - 1).abs().min() > 0.01
    assert float(run.energy["power"].max()) <= 5 + 1e-9


def test_a_band_may_lie_in_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "band.toml").write_text("low = [1, 2.5]\nhigh = [4, 5]\n")
    clamp = EnergyClamp(path="band.toml")
    assert clamp.band(torch.tensor([0.25])).flatten().tolist() == [1.0, 4.0]
    with pytest.raises(MissingFileError, match=r"there is no 'none.toml'"):
        EnergyClamp(path="none.toml")
    (tmp_path / "half.toml").write_text("low = [1]\n")
    with pytest.raises(OptionError, match=r"half\.toml holds no key 'high': low"):
        EnergyClamp(path="half.toml")
    (tmp_path / "broken.toml").write_text("low = [")
    with pytest.raises(OptionError, match="cannot be read as a file of a band"):
        EnergyClamp(path="broken.toml")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "it needs the options 'low' and 'high', two lists, or 'path'"),
        ({"low": [1.0]}, "it needs the options 'low' and 'high', two lists, or 'path'"),
        ({"low": [1.0], "high": [2.0], "path": "x"}, "it needs the options 'low' and 'high', two lists, or 'path'"),
        ({"low": [1.0], "high": [2.0, 3.0]}, "'low' and 'high' must hold as many numbers: 1 and 2"),
        ({"low": [3.0], "high": [2.0]}, "'low' must nowhere be above 'high'"),
        ({"low": [-1.0], "high": [2.0]}, "'low' must be a list of numbers >= 0, one or more"),
        ({"low": [], "high": []}, "'low' must be a list of numbers >= 0, one or more"),
    ],
)
def test_bad_bands_are_refused(options, said):
    with pytest.raises(OptionError) as caught:
        EnergyClamp(**options)
    assert said in str(caught.value)
