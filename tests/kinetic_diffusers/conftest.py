"""Pipelines of diffusers, where it is installed."""

import importlib.util
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def diffusers():
    pytest.importorskip("transformers", reason="transformers is not installed: tox -e peers")
    return pytest.importorskip("diffusers", reason="diffusers is not installed: tox -e peers")


@pytest.fixture(scope="session")
def tiny(diffusers):
    """The tiny pipelines of tiny.py."""
    spec = importlib.util.spec_from_file_location("tiny_pipelines", Path(__file__).parent / "tiny.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def draw():
    """draw(pipe, asked): the latents that a call makes, always from the same noise."""

    def call(pipe, asked, steps=4, **more):
        pipe.set_progress_bar_config(disable=True)
        generator = torch.Generator().manual_seed(3)
        given = {"num_inference_steps": steps, "generator": generator, "output_type": "latent", **asked, **more}
        out = pipe(**given)
        return out.images if hasattr(out, "images") else out.frames

    return call
