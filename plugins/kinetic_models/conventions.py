"""How published models are called: presets of the field `module`, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONVENTIONS: Mapping[str, Mapping[str, Any]] = {
    # SiT-main/models.py, transport/path.py: t = 0 noise, forward(x, t, y) keeps the velocity's channels itself
    "sit": {"order": "xt", "zero": "noise", "predicts": "velocity", "path": "linear", "classes": 1000, "null": 1000},
    # REPA/models/sit.py, samplers.py: t = 1 noise, forward answers (velocity, projected features)
    "repa": {
        "order": "xt", "zero": "data", "predicts": "velocity", "path": "linear", "output": 0,
        "classes": 1000, "null": 1000,
    },
    # RAE/src/stage2: t = 1 noise
    "rae": {"order": "xt", "zero": "data", "predicts": "velocity", "path": "linear", "classes": 1000, "null": 1000},
    # JiT/denoiser.py: t = 0 noise, predicts x1; v = (x1 - x) / max(1 - t, 0.05)
    "jit": {
        "order": "xt", "zero": "noise", "predicts": "x1", "path": "linear", "t_max": 0.95,
        "classes": 1000, "null": 1000,
    },
    # MeanFlow: u(z, t, t - r), t = 1 noise; r = t gives the velocity
    "meanflow": {
        "order": "xt", "zero": "data", "predicts": "velocity", "path": "linear", "second_time": "zero",
        "classes": 1000, "null": 1000,
    },
    # edm/training/networks.py EDMPrecond: D(y, sigma, one-hot labels), sigma from 80 to 0.002; classes as the net has
    "edm": {
        "order": "xt", "predicts": "denoised", "path": "sigma", "sigma_min": 0.002, "sigma_max": 80.0,
        "labels": "one-hot",
    },
    # DiT/diffusion: noise of 1,000 steps, betas 1e-4 to 0.02, forward answers noise and variance
    "dit": {
        "order": "xt", "predicts": "noise", "path": "vp", "beta_min": 1e-4, "beta_max": 0.02, "train_steps": 1000,
        "channels": 4, "classes": 1000, "null": 1000,
    },
    # torchcfm: net(t, x), t = 0 noise
    "torchcfm": {"order": "tx", "zero": "noise", "predicts": "velocity", "path": "linear"},
    # flow_matching.utils.ModelWrapper: model(x=x, t=t), t of no dimension while it samples
    "flow-matching": {
        "order": "keywords", "zero": "noise", "predicts": "velocity", "path": "linear", "t": "scalar",
    },
}  # fmt: skip
"""`{name: {option: value}}`; options that are given beside a convention take the place of its own."""
