import attrs
import pytest
from kinetic_solvers import Heun


def test_a_final_class_cannot_be_subclassed_and_the_error_says_what_to_do():
    with pytest.raises(TypeError, match="Better subclasses Heun, which is final: wrap a Heun"):

        @attrs.frozen(eq=False)
        class Better(Heun):
            pass
