"""A program that shows whether it ran."""

import pytest
import torch


class Trap:
    """Unpickled, it writes the marker."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (exec, (f"open({str(self.marker)!r}, 'w').close()",))


@pytest.fixture
def marker(tmp_path_factory):
    """The path of a file that nobody but a payload writes."""
    return tmp_path_factory.mktemp("marker") / "ran"


@pytest.fixture
def trap(marker):
    return Trap(marker)


@pytest.fixture
def second_try(monkeypatch):
    """Ends a library's first try, tensors alone, in a TypeError; its next asks for anything, as torch before 2.6."""
    load = torch.load

    def loads(file, weights_only=False, **options):
        if weights_only:
            raise TypeError("unexpected")
        return load(file, weights_only=False, **options)

    monkeypatch.setattr(torch, "load", loads)
