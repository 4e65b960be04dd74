import pytest

from kinetic import Column
from kinetic._roles.column import BETTER, KINDS, described
from kinetic.errors import OptionError


def test_a_column_says_what_its_mean_is_called():
    assert Column("memorised", mean="f_mem").value == "f_mem"
    assert Column("ratio").value == "ratio"


def test_a_kind_or_a_direction_that_does_not_exist_is_named():
    with pytest.raises(OptionError, match=f"column 'a': 'kind' must be one of {', '.join(KINDS)}: 'number'"):
        Column("a", kind="number")
    with pytest.raises(OptionError, match=f"column 'a': 'better' must be one of {', '.join(BETTER)}: 'up'"):
        Column("a", better="up")


def test_those_that_say_what_they_are_come_first_and_in_their_order_and_absent_ones_not_at_all():
    told = (Column("b", "Second."), Column("c", "Absent."), Column("a", "First.", kind="count"))
    columns = described(told, {"z": "index", "a": "score", "b": "score"})
    assert list(columns) == ["b", "a", "z"]
    assert columns["a"].kind == "count"
    assert columns["z"] == Column("z", kind="index")
