import pytest
import torch
from kinetic_metrics.images import images

from kinetic.errors import ShapeError


def test_images_come_in_float64():
    assert images(torch.zeros(2, 3, 4, 5)).dtype == torch.float64


@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 1, 8), (3, 8, 3), (4, 8, 8), (2, 2, 2)])
def test_channels_first_are_images_whatever_their_size(shape):
    assert images(torch.zeros(2, *shape), 1).shape == (2, *shape)


@pytest.mark.parametrize("shape", [(6,), (4, 4), (1, 1, 9), (0, 4, 4), (1, 2, 4, 4)])
def test_what_is_no_image_is_refused_in_one_sentence(shape):
    with pytest.raises(ShapeError, match="this score is of images") as error:
        images(torch.zeros(2, *shape))
    assert str(shape) in str(error.value)


@pytest.mark.parametrize("shape", [(8, 8, 3), (8, 8, 1), (2, 5, 3)])
def test_channels_last_are_refused_with_the_way_on(shape):
    with pytest.raises(ShapeError, match=r"Put the channels first: x\.permute\(0, 3, 1, 2\)") as error:
        images(torch.zeros(2, *shape))
    assert str(shape) in str(error.value)
