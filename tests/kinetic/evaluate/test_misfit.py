import pytest
import torch

from kinetic import TensorData
from kinetic._evaluate.misfit import check_shape, way_on
from kinetic.errors import ShapeError

LAST = r"channels of the samples first: x.permute(0, 3, 1, 2)."
ALPHA = "If the fourth channel of the samples is transparency, drop it: x[:, :3]."


@pytest.mark.parametrize(
    ("samples", "points", "ways"),
    [
        ((8, 8, 3), (3, 8, 8), ["Put the " + LAST]),
        ((3, 8, 8), (8, 8, 3), ["Put the channels of 'train' first: x.permute(0, 3, 1, 2)."]),
        ((8, 8, 4), (3, 8, 8), ["Put the " + LAST, ALPHA]),
        ((4, 8, 8), (3, 8, 8), [ALPHA]),
        ((3, 8, 8), (4, 8, 8), ["If the fourth channel of 'train' is transparency, drop it: x[:, :3]."]),
        ((1, 8, 8), (3, 8, 8), ["Make both RGB or both gray"]),
        ((8, 8, 3), (1, 8, 8), ["Put the " + LAST, "Make both RGB or both gray"]),
        ((192,), (3, 8, 8), ["Give the samples the shape they were flattened from, in the order they were: x.resh"]),
        ((3, 8, 8), (192,), ["Give 'train' the shape they were flattened from"]),
        ((8, 8), (1, 8, 8), ["x.reshape(-1, 1, 8, 8)"]),
        ((3, 8, 8), (3, 9, 9), ["Resize one of them by a method you can name"]),
        ((8, 8, 3), (3, 9, 9), ["Put the " + LAST, "Resize one of them"]),
        ((8, 8, 3), (9, 9, 3), ["Put the channels of both first", "Resize one of them"]),
        ((16, 8, 8), (4, 8, 8), ["Compare points of as many channels: they have 4, the samples 16."]),
        ((3,), (2,), ["Compare points of one kind"]),
        ((64,), (3, 8, 8), ["Compare points of one kind"]),
    ],
)
def test_what_is_advised_fits_the_shapes(samples, points, ways):
    lines = way_on("'train'", torch.Size(points), torch.Size(samples)).split("\n  ")
    assert len(lines) == len(ways)
    for line, way in zip(lines, ways, strict=True):
        assert way in line
    assert ("Resize" in lines[-1]) == (ways[-1].startswith("Resize"))


def test_points_of_another_shape_are_refused():
    data = TensorData(torch.zeros(2, 8, 8, 3))
    said = r"'train' holds points of shape \(8, 8, 3\), the samples have shape \(3, 8, 8\)\n  Put the channels"
    with pytest.raises(ShapeError, match=said):
        check_shape("'train'", data, torch.Size([3, 8, 8]))
    check_shape("'train'", data, torch.Size([8, 8, 3]))
