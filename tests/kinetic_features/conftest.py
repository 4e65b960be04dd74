"""A library that unpickles whatever it is given."""

import pytest
import torch


@pytest.fixture
def second_try(monkeypatch):
    """Ends a library's first try, tensors alone, in a TypeError; its next asks for anything, as torch before 2.6."""
    load = torch.load

    def loads(file, weights_only=False, **options):
        if weights_only:
            raise TypeError("unexpected")
        return load(file, weights_only=False, **options)

    monkeypatch.setattr(torch, "load", loads)
