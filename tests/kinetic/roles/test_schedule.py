import pytest

from kinetic import Schedule


def test_an_abstract_schedule_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Schedule()
