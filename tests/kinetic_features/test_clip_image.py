import torch
from kinetic_digits import Digits
from kinetic_features import CLIPImage

from kinetic.testing import check_features


def test_features_are_unit_vectors_and_know_their_own_class():
    space = CLIPImage(model="local-dir:package:kinetic_digits/clip")
    check_features(space, (1, 8, 8))
    test = Digits("test")
    vectors = space.features(test.read(0, 200))
    assert torch.allclose(vectors.norm(dim=1), torch.ones(200), atol=1e-5)
    cosines = vectors @ vectors.T
    cosines.fill_diagonal_(-1)
    nearest = cosines.argmax(1)
    assert (test.labels[:200][nearest] == test.labels[:200]).double().mean() > 0.9


def test_images_of_another_size_are_resized_to_the_models_own():
    space = CLIPImage(model="local-dir:package:kinetic_digits/clip")
    assert space.features(torch.rand(2, 3, 20, 16)).shape == (2, 32)


def test_another_default_dtype_changes_nothing(other_default):
    x, model = torch.rand(2, 3, 20, 16), "local-dir:package:kinetic_digits/clip"
    images, texts = CLIPImage(model=model).features(x), CLIPImage(model=model).texts(("one", "two"))
    with other_default():
        space = CLIPImage(model=model)
        assert torch.equal(space.features(x), images)
        assert torch.equal(space.texts(("one", "two")), texts)
