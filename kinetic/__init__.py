"""kinetic runs, weighs, shapes and judges flow-matching models.

Every public name is imported on first use, so that `import kinetic` and `kinetic --help` do not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kinetic._evaluate.checked_data import checked as checked
    from kinetic._evaluate.protocol import unlike as unlike
    from kinetic._experiment.experiment import Recipe as Recipe
    from kinetic._experiment.plot import plot as plot
    from kinetic._experiment.read_recipe import load_recipe as load_recipe
    from kinetic._experiment.score_samples import score_samples as score_samples
    from kinetic._plugins.hooks import hookimpl as hookimpl
    from kinetic._plugins.registry import Registry as Registry
    from kinetic._plugins.registry import abstract_class as abstract_class
    from kinetic._plugins.registry import registry as registry
    from kinetic._report.plots import Plots as Plots
    from kinetic._roles.batch import Batch as Batch
    from kinetic._roles.calibrated import CalibratedGrid as CalibratedGrid
    from kinetic._roles.column import Column as Column
    from kinetic._roles.dataset import DataInMemory as DataInMemory
    from kinetic._roles.dataset import Dataset as Dataset
    from kinetic._roles.dataset import TensorData as TensorData
    from kinetic._roles.dataset import as_dataset as as_dataset
    from kinetic._roles.feature_metric import FeatureMetric as FeatureMetric
    from kinetic._roles.feature_metric import check_reference as check_reference
    from kinetic._roles.features import FeatureSpace as FeatureSpace
    from kinetic._roles.features import embed as embed
    from kinetic._roles.features import in_blocks as in_blocks
    from kinetic._roles.field import FieldWrapper as FieldWrapper
    from kinetic._roles.field import Shaped as Shaped
    from kinetic._roles.field import VelocityField as VelocityField
    from kinetic._roles.grid import TimeGrid as TimeGrid
    from kinetic._roles.meter import EnergyMeter as EnergyMeter
    from kinetic._roles.metric import Metric as Metric
    from kinetic._roles.metric import Samples as Samples
    from kinetic._roles.metric import Score as Score
    from kinetic._roles.parts import tell as tell
    from kinetic._roles.parts import told as told
    from kinetic._roles.sample_table import SampleMetric as SampleMetric
    from kinetic._roles.sample_table import SampleTable as SampleTable
    from kinetic._roles.sample_table import TableMetric as TableMetric
    from kinetic._roles.schedule import Schedule as Schedule
    from kinetic._roles.solver import Solver as Solver
    from kinetic._roles.solver import Stage as Stage
    from kinetic._roles.solver import Status as Status
    from kinetic._roles.solver import Step as Step
    from kinetic._roles.tree import device_of as device_of
    from kinetic._sample.metered import metered as metered
    from kinetic._sample.path_meter import PathMeter as PathMeter
    from kinetic._sample.run import Run as Run
    from kinetic._sample.runner import Runner as Runner
    from kinetic._store.finished_run import FinishedRun as FinishedRun
    from kinetic._store.finished_run import load_run as load_run
    from kinetic._store.score_folder import SetScores as SetScores
    from kinetic.errors import KineticError as KineticError
    from kinetic.evidence import Estimate as Estimate

_HOME = {
    "Column": "_roles.column",
    "FeatureMetric": "_roles.feature_metric",
    "SampleMetric": "_roles.sample_table",
    "SampleTable": "_roles.sample_table",
    "TableMetric": "_roles.sample_table",
    "embed": "_roles.features",
    "Batch": "_roles.batch",
    "CalibratedGrid": "_roles.calibrated",
    "DataInMemory": "_roles.dataset",
    "Dataset": "_roles.dataset",
    "EnergyMeter": "_roles.meter",
    "Estimate": "evidence",
    "FeatureSpace": "_roles.features",
    "FieldWrapper": "_roles.field",
    "FinishedRun": "_store.finished_run",
    "KineticError": "errors",
    "Metric": "_roles.metric",
    "PathMeter": "_sample.path_meter",
    "Plots": "_report.plots",
    "Recipe": "_experiment.experiment",
    "Registry": "_plugins.registry",
    "Run": "_sample.run",
    "Runner": "_sample.runner",
    "Samples": "_roles.metric",
    "Schedule": "_roles.schedule",
    "Score": "_roles.metric",
    "SetScores": "_store.score_folder",
    "Shaped": "_roles.field",
    "Solver": "_roles.solver",
    "Stage": "_roles.solver",
    "Status": "_roles.solver",
    "Step": "_roles.solver",
    "TensorData": "_roles.dataset",
    "TimeGrid": "_roles.grid",
    "VelocityField": "_roles.field",
    "abstract_class": "_plugins.registry",
    "as_dataset": "_roles.dataset",
    "check_reference": "_roles.feature_metric",
    "device_of": "_roles.tree",
    "checked": "_evaluate.checked_data",
    "hookimpl": "_plugins.hooks",
    "in_blocks": "_roles.features",
    "load_recipe": "_experiment.read_recipe",
    "load_run": "_store.finished_run",
    "metered": "_sample.metered",
    "plot": "_experiment.plot",
    "registry": "_plugins.registry",
    "tell": "_roles.parts",
    "told": "_roles.parts",
    "score_samples": "_experiment.score_samples",
    "unlike": "_evaluate.protocol",
}
__all__ = sorted(_HOME)  # noqa: PLE0605 - one table serves both the lazy import and the list of names


_MODULES = ("errors", "evidence", "fetch", "networks", "options", "testing")


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
