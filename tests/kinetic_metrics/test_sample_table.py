import pytest
import torch
from kinetic_metrics.sample_table import estimates, images, judged, listed

from kinetic import Samples, SampleTable, evidence
from kinetic.errors import OptionError, ShapeError


def norms(x):
    return {"norm": x.double().flatten(1).norm(dim=1)}


def test_columns_of_samples_and_denoised_samples_stand_side_by_side():
    x, denoised = torch.randn(5, 3), torch.randn(5, 3)
    ids, columns = listed(judged(SampleTable(), Samples(torch.tensor([3, 1, 4, 0, 2]), x, denoised), norms))
    order = [3, 1, 4, 0, 2]
    assert ids.tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(columns["norm"][order], norms(x)["norm"])
    assert torch.equal(columns["norm_denoised"][order], norms(denoised)["norm"])


def test_equal_samples_are_judged_once():
    asked = []
    x = torch.randn(4, 2)
    judged(SampleTable(), Samples(torch.arange(4), x, x.clone()), lambda x: asked.append(len(x)) or norms(x))
    assert asked == [4]


def test_means_are_bootstrapped_and_shares_are_wilsons():
    found = estimates({"a": torch.tensor([1.0, 2.0, 4.0]), "b": torch.tensor([True, False, True])})
    a, b = evidence.mean([1.0, 2.0, 4.0]), evidence.proportion([1, 0, 1])
    assert (found["a"].low, found["b"].low, found["b"].high) == (a.low, b.low, b.high)


def test_what_is_no_image_is_refused_in_one_sentence():
    assert images(torch.zeros(2, 3, 4, 5), 2).dtype == torch.float64
    for shape in ((2, 6), (2, 4, 4), (2, 1, 1, 9), (2, 0, 4, 4), (2, 1, 2, 4, 4)):
        with pytest.raises(ShapeError, match="this score is of images") as error:
            images(torch.zeros(shape), 2)
        assert str(shape[1:]) in str(error.value)


def test_images_with_their_channels_last_are_refused_and_latents_are_not():
    for shape, way in (((32, 32, 3), "0, 3, 1, 2)."), ((9, 8, 1), "0, 3, 1, 2)."), ((32, 32, 4), "drop the fourth")):
        with pytest.raises(ShapeError, match="Put the channels first") as error:
            images(torch.zeros(2, *shape), 2)
        assert way in str(error.value)
    for shape in ((16, 4, 4), (4, 32, 32), (3, 8, 3)):
        assert images(torch.zeros(2, *shape), 2).shape[1:] == shape


def test_bad_input_is_named():
    for n in (0, 1):
        x = torch.zeros(n, 2)
        with pytest.raises(OptionError, match=f"needs 2 samples or more: {n}"):
            listed(judged(SampleTable(), Samples(torch.arange(n), x, x), norms))
    with pytest.raises(OptionError, match="needs 2 samples or more: 0"):
        listed(SampleTable())
    for x, denoised in ((float("nan"), 0.0), (0.0, float("inf"))):
        samples = Samples(torch.arange(3), torch.full((3, 2), x), torch.full((3, 2), denoised))
        with pytest.raises(OptionError, match="samples must be finite"):
            judged(SampleTable(), samples, norms)
