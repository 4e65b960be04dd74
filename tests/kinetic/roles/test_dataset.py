import attrs
import pytest
import torch

from kinetic import DataInMemory, TensorData, as_dataset, options
from kinetic.errors import OptionError, ShapeError
from kinetic.testing import check_dataset


def test_blocks_are_the_whole_in_order():
    data = TensorData(torch.arange(14.0).view(7, 2), torch.arange(7))
    blocks = list(data.blocks(3))
    assert [start for start, _ in blocks] == [0, 3, 6]
    assert torch.equal(torch.cat([block for _, block in blocks]), data.x)
    check_dataset(data)


@attrs.frozen(eq=False)
class Ramp(DataInMemory):
    n: int = options.integer(5, at_least=1, doc="points")
    classed: bool = options.flag(True, doc="whether they have classes")

    def points(self):
        return torch.arange(2.0 * self.n).view(-1, 2), torch.arange(self.n) if self.classed else None


def test_data_computed_when_they_are_made_are_read_as_a_tensor_is():
    data = Ramp(7)
    assert (len(data), data.event_shape) == (7, torch.Size([2]))
    assert data.read(2, 4).tolist() == [[4, 5], [6, 7]]
    assert data.take(torch.tensor([6, 0])).tolist() == [[12, 13], [0, 1]]
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert Ramp(3, classed=False).labels is None
    check_dataset(data)


def test_a_tensor_counts_as_the_data_it_holds():
    x = torch.randn(3, 4)
    assert as_dataset(x).x is x
    assert as_dataset("digits") == "digits"


@pytest.mark.parametrize(
    ("x", "labels", "error", "said"),
    [
        (torch.zeros(3, dtype=torch.int64), None, OptionError, "'x' must be a floating-point tensor: torch.int64"),
        ([1.0], None, OptionError, "'x' must be a floating-point tensor"),
        (torch.zeros(3), None, ShapeError, r"data must have shape \(n, \*event\) with n >= 1: \(3,\)"),
        (torch.zeros(0, 2), None, ShapeError, r"\(0, 2\)"),
        (torch.full((2, 2), torch.inf), None, OptionError, "2 point\\(s\\) are not, the first is number 0"),
        (torch.zeros(3, 2), torch.zeros(2), ShapeError, r"labels must have shape \(3,\): \(2,\)"),
    ],
)
def test_bad_data_is_named(x, labels, error, said):
    with pytest.raises(error, match=said):
        TensorData(x, labels)
