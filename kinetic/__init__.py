"""kinetic runs, weighs, shapes and judges flow-matching models.

Every public name is imported on first use, so that `import kinetic` and `kinetic --help` do not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinetic._batch import Batch as Batch
    from kinetic._component import device_of as device_of
    from kinetic._dataset import Dataset as Dataset
    from kinetic._dataset import TensorData as TensorData
    from kinetic._dataset import as_dataset as as_dataset
    from kinetic._features import FeatureSpace as FeatureSpace
    from kinetic._features import in_blocks as in_blocks
    from kinetic._field import Shaped as Shaped
    from kinetic._field import VelocityField as VelocityField
    from kinetic._hooks import hookimpl as hookimpl
    from kinetic._meter import EnergyMeter as EnergyMeter
    from kinetic._metric import Metric as Metric
    from kinetic._metric import Observations as Observations
    from kinetic._metric import Samples as Samples
    from kinetic._metric import Score as Score
    from kinetic._recipe import Recipe as Recipe
    from kinetic._recipe import load_recipe as load_recipe
    from kinetic._registry import Registry as Registry
    from kinetic._registry import abstract_class as abstract_class
    from kinetic._registry import registry as registry
    from kinetic._run import Run as Run
    from kinetic._runner import Runner as Runner
    from kinetic._schedule import Schedule as Schedule
    from kinetic._score import Scored as Scored
    from kinetic._score import score_samples as score_samples
    from kinetic._solver import Solver as Solver
    from kinetic._solver import Stage as Stage
    from kinetic._solver import Status as Status
    from kinetic._solver import Step as Step
    from kinetic._store import FinishedRun as FinishedRun
    from kinetic._store import load_run as load_run
    from kinetic.errors import KineticError as KineticError
    from kinetic.evidence import Estimate as Estimate

_HOME = {
    "Batch": "_batch",
    "Dataset": "_dataset",
    "EnergyMeter": "_meter",
    "Estimate": "evidence",
    "FeatureSpace": "_features",
    "FinishedRun": "_store",
    "KineticError": "errors",
    "Metric": "_metric",
    "Observations": "_metric",
    "Recipe": "_recipe",
    "Registry": "_registry",
    "Run": "_run",
    "Runner": "_runner",
    "Samples": "_metric",
    "Schedule": "_schedule",
    "Score": "_metric",
    "Scored": "_score",
    "Shaped": "_field",
    "Solver": "_solver",
    "Stage": "_solver",
    "Status": "_solver",
    "Step": "_solver",
    "TensorData": "_dataset",
    "VelocityField": "_field",
    "abstract_class": "_registry",
    "as_dataset": "_dataset",
    "device_of": "_component",
    "hookimpl": "_hooks",
    "in_blocks": "_features",
    "load_recipe": "_recipe",
    "load_run": "_store",
    "registry": "_registry",
    "score_samples": "_score",
}
__all__ = sorted(_HOME)  # noqa: PLE0605 - one table serves both the lazy import and the list of names


_MODULES = ("errors", "evidence", "options", "testing")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"kinetic.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'kinetic' has no attribute {name!r}")
    value = getattr(import_module(f"kinetic.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
