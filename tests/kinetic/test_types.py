import pytest

from kinetic.types import is_channels_last, way_to_images


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (8, 6, 3), (32, 32, 4)])
def test_channels_are_last_where_the_shape_leaves_no_doubt(shape):
    assert is_channels_last(shape)
    assert way_to_images(shape).startswith("Put the channels first: x.permute(0, 3, 1, 2)")


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 8, 3), (16, 4, 4), (4, 32, 32), (64, 2, 1, 3), (8, 8), (3,)])
def test_elsewhere_they_are_not(shape):
    assert not is_channels_last(shape)
