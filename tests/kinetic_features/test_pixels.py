import torch
from kinetic_features import Pixels

from kinetic.testing import check_features


def test_pixels_are_the_elements_in_order():
    x = torch.arange(12.0).view(2, 1, 2, 3)
    assert Pixels().features(x).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    check_features(Pixels(), (3, 2))
