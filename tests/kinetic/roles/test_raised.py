import attrs
import pytest
import torch

from kinetic import Schedule
from kinetic._roles.raised import naming
from kinetic.errors import ComponentError, OptionError, OutOfMemoryError


@attrs.frozen(eq=False)
class Divides(Schedule):
    by: float = 0.0
    breakpoints = ()

    def gain(self, t, x, v):
        return self._half(t / self.by)

    def _half(self, t):
        return torch.tensor(1 / self.by)


def test_an_error_of_a_component_names_it_and_the_line():
    with pytest.raises(ComponentError) as caught, naming("samples 3 to 7", ""):
        Divides().gain(torch.zeros(2), None, None)
    said = str(caught.value)
    assert said.startswith("samples 3 to 7: Divides raised ZeroDivisionError: float division by zero\n  In ")
    assert f"{__file__}, line" in said
    assert said.endswith(", _half.")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no room"),
        ValueError("array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size."),
        RuntimeError("Storage size calculation overflowed with sizes=[4, 4611686018427387904]"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 7 bytes."),
    ],
)
def test_memory_that_ran_out_is_told_from_other_errors_with_the_way_on(error):
    said = r"^all: memory ran out: .*\n  Take less\.$"
    with pytest.raises(OutOfMemoryError, match=said), naming("all", "Take less."):
        raise error


def test_a_tensor_too_large_for_this_machine_is_memory_that_ran_out():
    with pytest.raises(OutOfMemoryError), naming("all", "Take less."):
        torch.empty(2**55)


@pytest.mark.parametrize("error", [OptionError("ours"), KeyboardInterrupt(), SystemExit(3)])
def test_errors_of_ours_and_what_stops_a_program_pass(error):
    with pytest.raises(type(error)) as caught, naming("all", ""):
        raise error
    assert caught.value is error
