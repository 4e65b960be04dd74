import pytest
import torch
from kinetic_features.images import as_rgb, need

from kinetic.errors import MissingPackageError, ShapeError


def test_gray_is_repeated_and_the_range_becomes_0_to_1():
    x = torch.tensor([-2.0, -1.0, 0.0, 1.0]).view(1, 1, 2, 2)
    found = as_rgb(x)
    assert found.shape == (1, 3, 2, 2)
    assert found[0, 2].tolist() == [[0.0, 0.0], [0.5, 1.0]]


@pytest.mark.parametrize(
    ("shape", "way"),
    [
        ((2, 4, 8, 8), r"transparency, drop it: x\[:, :3\]"),
        ((2, 8, 8, 3), r"channels first: x\.permute\(0, 3, 1, 2\)\."),
        ((2, 8, 8, 4), r"channels first: x\.permute\(0, 3, 1, 2\), and drop the fourth"),
        ((2, 8, 8), r"x\[:, None\]"),
        ((2, 64), r"x\.reshape\(-1, channels, height, width\)"),
        ((2, 16, 8, 8), "with 1 or 3 channels"),
    ],
)
def test_what_is_no_image_is_refused_with_what_makes_it_one(shape, way):
    with pytest.raises(ShapeError, match=rf"images must have shape \(n, 1 or 3, height, width\): .*\n  .*{way}"):
        as_rgb(torch.zeros(shape))


def test_a_package_that_does_not_import_is_named_with_a_way_on(tmp_path, monkeypatch):
    (tmp_path / "broken_vision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingPackageError) as caught:
        need("broken_vision", "broken-vision")
    assert "broken-vision does not import here: operator torchvision::nms does not exist" in str(caught.value)
    assert "take both from the same index" in str(caught.value)
