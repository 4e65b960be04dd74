"""Every check catches a component that breaks its promise and no other; every broken component is caught."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from kinetic.testing import CheckError, checks, promises

_spec = importlib.util.spec_from_file_location("mutants", Path(__file__).with_name("mutants.py"))
mutants = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(mutants)
ALL = [(role, mutant) for role, group in mutants.MUTANTS.items() for mutant in group]


@pytest.fixture(autouse=True)
def settings_put_back():
    dtype, threads, gradients, errors = (
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        np.geterr(),
    )
    yield
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)
    torch.set_grad_enabled(gradients)
    np.seterr(**errors)


def broken(mutant):
    """The checks that it fails."""
    failed = {}
    for check in checks(mutant.component, **mutant.allow):
        try:
            check()
        except CheckError as error:
            failed[check.name] = error
    return failed


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("role", "mutant"), ALL, ids=lambda each: re.sub(r"\W+", "_", str(each)))
def test_a_broken_component_fails_the_check_of_its_fault_and_no_other(role, mutant):
    failed = broken(mutant)
    assert set(failed) == set(mutant.fails), {name: str(error) for name, error in failed.items()}
    error = failed[mutant.fails[0]]
    assert type(mutant.component).__name__ in error.expected
    assert error.came
    assert error.remedy.endswith((".", ")"))


@pytest.mark.parametrize("role", list(mutants.MUTANTS))
def test_every_check_catches_a_mutant_of_its_own(role):
    own = set(promises(role)) - (set() if role == "every" else set(promises("every")))
    assert own == {mutant.fails[0] for mutant in mutants.MUTANTS[role]}
