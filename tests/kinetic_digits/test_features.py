import pytest
import torch
from kinetic_digits import Digits, DigitsFeatures, DigitsLogits

from kinetic.errors import ShapeError
from kinetic.testing import check_features


def test_the_classifier_knows_the_held_out_digits():
    test = Digits("test")
    logits = DigitsFeatures().class_logits(test.read(0, 360))
    assert (logits.argmax(1) == test.labels).double().mean() >= 0.97


def test_the_contract_of_a_feature_space_is_kept():
    check_features(DigitsFeatures(), (1, 8, 8))
    assert DigitsFeatures().features(torch.zeros(3, 1, 8, 8)).shape == (3, 48)


def test_the_logits_are_a_feature_space_of_ten_numbers():
    check_features(DigitsLogits(), (1, 8, 8))
    x = Digits("test").read(0, 20)
    assert torch.equal(DigitsLogits().features(x), DigitsFeatures().class_logits(x))
    assert DigitsLogits().features(x).shape == (20, 10)


def test_the_wrong_shape_is_named():
    with pytest.raises(ShapeError, match=r"digits have shape \(1, 8, 8\)"):
        DigitsFeatures().features(torch.zeros(3, 1, 9, 9))
    with pytest.raises(ShapeError, match=r"digits have shape \(1, 8, 8\)"):
        DigitsLogits().features(torch.zeros(3, 64))


@pytest.mark.parametrize("space", [DigitsFeatures, DigitsLogits])
def test_another_default_dtype_changes_nothing(space, other_default):
    x = Digits("test").read(0, 20)
    features = space().features(x)
    with other_default():
        assert torch.equal(Digits("test").read(0, 20), x)
        assert torch.equal(space().features(x), features)
        assert torch.equal(space().features(x.double()), features)
