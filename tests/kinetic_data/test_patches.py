import numpy as np
import pytest
import torch
from kinetic_data import Patches
from kinetic_fields import Empirical
from kinetic_metrics import Memorisation
from kinetic_solvers import Euler
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.datasets import load_sample_images

from kinetic import Runner
from kinetic.errors import OptionError
from kinetic.testing import check_dataset

BORDER = 426  # two thirds of 640 columns


def corners(patch, photograph):
    """Where a patch lies in a photograph, by looking everywhere."""
    pixels = ((patch.double() + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    windows = sliding_window_view(photograph, pixels.shape)[:, :, 0]
    return np.argwhere((windows == pixels).all((2, 3, 4)))


@pytest.mark.parametrize("size", [8, 16])
def test_a_patch_is_cut_from_its_photograph_on_its_side_of_the_border(size):
    photographs = load_sample_images().images
    for split, low, high in (("train", 0, BORDER), ("test", BORDER, 640)):
        data = Patches(size=size, count=3, split=split, seed=1)
        assert data.event_shape == (3, size, size)
        for patch, label in zip(data.read(0, 3), data.labels, strict=True):
            lefts = corners(patch, photographs[label])[:, 1]
            assert any(low <= left <= high - size for left in lefts)


def test_a_normalised_patch_has_mean_0_and_a_standard_deviation_of_a_third_up_to_the_cut():
    raw, normalised = Patches(count=500), Patches(count=500, contrast="normalised")
    x = raw.read(0, 500).double()
    x = x - x.mean((1, 2, 3), keepdim=True)
    scaled = x / (3 * x.std((1, 2, 3), correction=0, keepdim=True))
    assert torch.allclose(normalised.read(0, 500).double(), scaled.clamp(-1, 1), atol=1e-4)
    uncut = scaled.abs().amax((1, 2, 3)) < 1
    assert uncut.any()
    kept = normalised.read(0, 500)[uncut]
    assert torch.allclose(kept.std((1, 2, 3), correction=0), torch.full((len(kept),), 1 / 3), atol=1e-5)
    assert torch.equal(normalised.labels, raw.labels)


def test_a_patch_of_one_colour_becomes_0(monkeypatch):
    grey = np.full((2, 20, 30, 3), 100, np.uint8)
    monkeypatch.setattr("kinetic_data.patches._photographs", lambda: grey)
    assert torch.equal(Patches(count=4, contrast="normalised").read(0, 4), torch.zeros(4, 3, 8, 8))
    assert torch.allclose(Patches(count=4).read(0, 4), torch.tensor(100 / 127.5 - 1))


def test_every_corner_is_cut_once_and_fewer_patches_are_the_first(monkeypatch):
    """Photographs whose pixels number themselves: all 2 x 13 x 13 corners of the left two thirds, each once."""
    number = np.arange(2 * 20 * 30, dtype=np.float64).reshape(2, 20, 30, 1).repeat(3, -1)
    monkeypatch.setattr("kinetic_data.patches._photographs", lambda: number)
    data = Patches(count=2 * 13 * 13)
    corner = ((data.read(0, len(data))[:, 0, 0, 0].double() + 1) * 127.5).round().long()
    assert sorted(corner.tolist()) == sorted(
        p * 600 + 30 * row + column for p in (0, 1) for row in range(13) for column in range(13)
    )
    assert torch.equal(corner // 600, data.labels)
    assert torch.equal(Patches(count=20).read(0, 20), data.read(0, 20))
    assert not torch.equal(Patches(count=20, seed=1).read(0, 20), data.read(0, 20))
    with pytest.raises(OptionError, match="'count' must be an int from 1 to 338 for patches of 8 x 8"):
        Patches(count=339)


@pytest.mark.parametrize("contrast", ["raw", "normalised"])
def test_the_contract_of_a_data_set_is_kept_and_the_closed_form_field_copies_patches(contrast):
    data = Patches(count=200, contrast=contrast)
    check_dataset(data)
    metrics = {"memorisation": Memorisation(train=data)}
    run = Runner(field=Empirical(data), solver=Euler(steps=50), metrics=metrics).run(20)
    assert run.scores["memorisation"]["f_mem"] >= 0.9


@pytest.mark.parametrize(
    ("option", "value"), [("size", 3), ("size", 65), ("count", 0), ("contrast", "none"), ("seed", -1)]
)
def test_an_option_out_of_its_bounds_is_named(option, value):
    with pytest.raises(OptionError, match=f"'{option}' must be"):
        Patches(**{option: value})
