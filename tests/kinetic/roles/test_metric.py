import pytest
import torch

from kinetic import SampleTable, Score
from kinetic.errors import OptionError


def test_observations_come_back_by_ascending_id_however_they_were_joined():
    first = SampleTable().append(torch.tensor([5, 1]), {"a": torch.tensor([50.0, 10.0])})
    second = SampleTable().append(torch.tensor([3]), {"a": torch.tensor([30.0])})
    for table in (first.concat(second), second.concat(first)):
        ids, columns = table.sort()
        assert ids.tolist() == [1, 3, 5]
        assert columns["a"].tolist() == [10.0, 30.0, 50.0]


def test_adding_leaves_the_table_it_was_added_to():
    empty = SampleTable()
    empty.append(torch.tensor([1]), {})
    assert empty.parts == ()


def test_a_value_that_is_no_estimate_is_named():
    with pytest.raises(OptionError, match=r"'m' must be an Estimate: 1\.5\. Say Estimate\(1\.5\)"):
        Score({"m": 1.5})
