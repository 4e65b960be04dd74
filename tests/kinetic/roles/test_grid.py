import attrs
import pytest

from kinetic import TimeGrid
from kinetic.errors import OptionError


@attrs.frozen(eq=False)
class Fixed(TimeGrid):
    held: tuple

    def times(self, steps):
        return list(self.held)


def test_times_that_keep_their_promise_come_back_as_floats():
    found = Fixed((0, 0.25, 1)).checked(2)
    assert found == [0.0, 0.25, 1.0]
    assert all(type(t) is float for t in found)


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        ((0, 1), "it gives 2"),
        ((0.1, 0.5, 1), "they go from 0.1 to 1"),
        ((0, 0.5, 0.99), "they go from 0 to 0.99"),
        ((0, 0, 1), "number 1 is 0, after 0"),
        ((0, float("nan"), 1), "number 1 is nan, after 0"),
        ((0, 1, 1), "number 2 is 1, after 1"),
    ],
)
def test_times_that_do_not_are_refused_with_what_is_wrong(held, fault):
    with pytest.raises(OptionError) as caught:
        Fixed(held).checked(2)
    assert str(caught.value) == f"Fixed must give 3 times that rise from 0 (noise) to 1 (data): {fault}"
