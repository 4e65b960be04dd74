import numpy as np
import pytest
import torch
from kinetic_data.byte_images import ByteImages

from kinetic._roles.tree import to_device
from kinetic.errors import ShapeError
from kinetic.testing import check_dataset


def pixels(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize("c", [1, 3])
def test_channels_come_first_and_byte_b_is_b_over_127_and_a_half_less_1(c):
    last = pixels(6, 5, 4, c)
    first = last.permute(0, 3, 1, 2).contiguous()
    expected = first.float() / 127.5 - 1
    for x, said in ((last, "(n, height, width, channels), channels put first"), (first, "(n, channels, ...)")):
        data = ByteImages(x, torch.arange(6))
        assert data.event_shape == (c, 5, 4)
        assert torch.equal(data.read(1, 4), expected[1:4])
        assert data.read(0, 6).is_contiguous()
        assert torch.equal(data.take(torch.tensor([5, 0])), expected[[5, 0]])
        assert data.notes == (f"Bytes of 6 images, {said}: b is read as b / 127.5 - 1.",)
        check_dataset(data)


def test_a_mapped_array_is_read_as_a_tensor_is_and_stays_in_its_file(tmp_path):
    x = pixels(6, 5, 4, 3)
    np.save(tmp_path / "a.npy", x.numpy())
    array = np.load(tmp_path / "a.npy", mmap_mode="r")
    data, held = ByteImages(array, torch.arange(6)), ByteImages(x)
    assert data.event_shape == held.event_shape == (3, 5, 4)
    assert torch.equal(data.read(1, 4), held.read(1, 4))
    assert torch.equal(data.take(torch.tensor([5, 0])), held.take(torch.tensor([5, 0])))
    assert data.notes == held.notes
    assert to_device(data, torch.device("meta")).x is array
    check_dataset(data)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ((4, 3, 5, 3), r"could be either\n  Save them as x / 127\.5 - 1"),
        ((4, 1, 5, 3), r"could be either\n  Save them as x / 127\.5 - 1"),
        ((4, 28, 28), r"is neither\n  Give gray images their channel: x\[:, None\]"),
        ((4, 8, 8, 4), r"is neither\n  If the fourth channel is transparency, drop it: x\[\.\.\., :3\]"),
        ((4, 4, 8, 8), r"is neither\n  If the fourth channel is transparency, drop it: x\[:, :3\]"),
        ((4, 192), r"is neither\n  Give flattened images their shape"),
        ((0, 8, 8, 3), r"is neither\n  Give one image or more"),
    ],
)
def test_a_shape_that_leaves_doubt_is_refused_with_the_way_on(shape, why):
    with pytest.raises(ShapeError, match=rf"\(n, height, width, 1 or 3\) or .*: it {why}"):
        ByteImages(pixels(*shape))


def test_labels_are_as_many_as_images():
    with pytest.raises(ShapeError, match=r"labels must have shape \(4,\): \(3,\)"):
        ByteImages(pixels(4, 8, 8, 3), torch.arange(3))
