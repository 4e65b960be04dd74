"""The fence around a check."""

import contextlib
import random

import numpy as np
import torch

from kinetic.testing.globals import fenced, random_state, settings


def test_random_numbers_and_settings_are_put_back_after_an_error_too():
    before, drawn = settings(), random_state()
    with contextlib.suppress(ZeroDivisionError), fenced():
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(True)
        torch.set_num_threads(before["the number of threads"] + 1)
        np.seterr(all="raise")
        torch.manual_seed(3)
        np.random.seed(3)
        random.seed(3)
        assert sum(settings()[name] != value for name, value in before.items()) == 3
        assert all(random_state()[name] != value for name, value in drawn.items())
        raise ZeroDivisionError
    assert settings() == before
    assert random_state() == drawn
