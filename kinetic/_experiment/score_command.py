"""What `kinetic score` is given, checked and built: the words of a command line to samples and metrics."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import attrs

from kinetic import options
from kinetic._evaluate.checked_data import Checked, checked, datasets
from kinetic._experiment.overrides import overridden
from kinetic._experiment.read_recipe import check_content, check_keys, component_tables
from kinetic._experiment.recipe_file import read_recipe
from kinetic._experiment.score_samples import score_samples
from kinetic._plugins.builder import ComponentBuilder, Defaults
from kinetic._plugins.registry import Registry, registry
from kinetic._progress import Reporter
from kinetic._roles.component import Component
from kinetic._roles.dataset import Dataset
from kinetic._roles.features import FeatureSpace
from kinetic._roles.metric import Metric
from kinetic._roles.tree import hash_of, to_device
from kinetic._sample.draw import find_device
from kinetic._store.feature_cache import cached
from kinetic._store.files import check_writable, write_json
from kinetic._store.layout import PROVENANCE, RECIPE, SHARDS
from kinetic._store.provenance import environment, now, options_of
from kinetic._store.score_folder import SetScores, free_folder
from kinetic.errors import OptionError, RecipeError, UnknownNameError, within
from kinetic.networks import import_from_here

_TENSORS = (".npy", ".npz", ".safetensors")
_PARTS = ("samples", "reference", "features", "metrics")
_OTHER_WORDS = {
    "fid": "The FID is `frechet` with --features inception.",
    "sfid": "The sFID is `frechet` with --features inception --set features.output=spatial.",
    "is": "The Inception Score is `inception-score`.",
    "precision": "Precision is one of `prdc`.",
    "recall": "Recall is one of `prdc`.",
    "density": "Density is one of `prdc`.",
    "coverage": "Coverage is one of `prdc`.",
    "clip-score": "The CLIP score is `clip`.",
}


@final
@attrs.frozen(eq=False)
class ScoreJob:
    """Samples and the metrics to evaluate them by, both built: nothing can still be misspelt or missing.

    Args:
        samples: the samples.
        metrics: `{name: Metric}`, in the order they were given.
        content: the tables they were built from, overrides applied.
        known: the registry they were built by.
    """

    samples: Dataset
    metrics: Mapping[str, Metric]
    content: Mapping[str, Any]
    known: Registry

    def run(
        self,
        out: Path | None = None,
        device: str = "auto",
        batch: int | None = None,
        reporter: Reporter | None = None,
        show: Callable[[SetScores], None] = lambda scored: None,
    ) -> SetScores:
        """Judge, and write the scores to a folder if there is one, with where they came from; see `score_samples`.

        `show` is given the scores before they are written, so that none is lost where they cannot be.
        """
        if out is not None:
            free_folder(out)  # before anything is computed
        began = now()
        with (reporter or Reporter()).running() as bars:
            check_files(self.samples, self.metrics, bars.arm)
            scored = score_samples(
                self.samples,
                self.metrics,
                batch,
                device,
                progress=bars.arm("samples", len(self.samples)),
                finishing=lambda name: bars.say(f"finishing {name}"),
            )
        show(scored)
        if out is not None:
            scored.save(out)
            write_json(out / PROVENANCE, {"started": began, "finished": now(), **self._provenance(device, batch)})
        return scored

    def _provenance(self, device: str, batch: int | None) -> dict[str, Any]:
        """What `provenance.json` holds: the command, what it was taken to mean, options, seeds, hashes and versions."""
        parts: dict[str, Component] = {"samples": self.samples}
        parts |= {f"metrics.{name}": metric for name, metric in self.metrics.items()}
        return {
            "command": shlex.join(sys.argv),
            "folder": os.getcwd(),
            "batch": batch,
            "content": self.content,
            "parts": {name: options_of(part, self.known) for name, part in parts.items()},
            "weights": {name: digest for name, part in parts.items() if (digest := hash_of(part)) is not None},
            **environment(find_device(device)),
            "plugins": [f"{plugin.name} ({plugin.distribution} {plugin.version})" for plugin in self.known.plugins],
        }


def load_score_job(
    samples: str,
    metrics: str,
    reference: str | None = None,
    features: str | None = None,
    overrides: Sequence[str] = (),
    known: Registry | None = None,
    cache: Path | None = None,
) -> ScoreJob:
    """Build what a score needs.

    Args:
        samples: a folder of images, or a `.npy`, `.npz` or `.safetensors` file.
        metrics: names with commas between them, or a TOML file with a table `[metrics.NAME]` for each, as in a recipe.
        reference: data like `samples`, for every data set that a metric needs and is not given.
        features: the feature space of metrics that are given none: a name, or `module:PACKAGE.MODULE:ATTRIBUTE`.
        overrides: such as `samples.mode=rgb` or `metrics.kid.subsets=20`; the value is TOML, or else a string.
        known: the registry to look names up in; the installed plugins by default.
        cache: a folder to keep features in, see `cached`; None keeps none.
    Raises:
        RecipeError, UnknownNameError, OptionError, MissingFileError: something in it cannot be; the message says what.
    """
    known = known or registry()
    content: dict[str, Any] = {"samples": data_table(samples), "metrics": metric_tables(metrics)}
    if reference is not None:
        content["reference"] = data_table(reference)
    if features is not None:
        content["features"] = features_table(features)
    content = overridden(content, overrides)
    check_content(content)
    check_keys("a score", content, _PARTS)
    builder, data, space = _builder(known, cache), None, None
    if "reference" in content:
        with within("reference"):
            data = checked("reference points", builder.build("dataset", content["reference"]))
    if "features" in content:
        space = build_features(builder, content["features"])
    defaults = Defaults(data=data, reference=data, features=space)
    built = {
        key: _metric(builder, key, table, defaults) for key, table in component_tables("metrics", content["metrics"])
    }
    with within("samples"):
        return ScoreJob(builder.build("dataset", content["samples"]), built, content, known)


def _builder(known: Registry, cache: Path | None) -> ComponentBuilder:
    """Builds components; feature spaces look in the cache first, where there is one."""

    def finish(component: Any) -> Any:
        return cached(component, cache, known) if cache and isinstance(component, FeatureSpace) else component

    return ComponentBuilder(known, finish)


def _metric(builder: ComponentBuilder, key: str, table: Mapping[str, Any], defaults: Defaults) -> Any:
    try:
        return builder.build("metric", table, defaults)
    except UnknownNameError as error:
        if key in _OTHER_WORDS and table["name"] not in builder.registry.classes["metric"]:
            error.args = (f"{error.args[0]}\n  {_OTHER_WORDS[key]}",)
        raise
    except OptionError as error:
        ways = [
            f"Say it as --set metrics.{key}.OPTION=VALUE (or NAME, for a component), or under [metrics.{key}] in a "
            f"file, --metrics FILE.toml; `kinetic show metric {table['name']}` lists the options."
        ]
        if defaults.data is None and "needs the option" in str(error):
            ways.append("Give data to compare the samples with: --reference PATH")
        error.args = ("\n  ".join([error.args[0], *ways]),)
        raise


def check_files(
    samples: Dataset,
    metrics: Mapping[str, Metric],
    bar: Callable[[str, int], Callable[[float], None]] = lambda name, n: lambda done: None,
) -> None:
    """Have every data set that lies in many files look at all of them (`check`, where it has one), each once.

    Args:
        samples: the samples.
        metrics: the metrics, whose data sets are looked at.
        bar: called with what is checked and how many points it has; what it returns, with how many more were.
    Raises:
        OptionError: some files cannot be read.
    """
    sides = {"samples": samples}
    for name, metric in metrics.items():
        sides |= {f"metric {name!r}: {option!r}": data for option, data in datasets(metric).items()}
    seen: list[Dataset] = []
    for side, given in sides.items():
        data, called = (given.data, given.what) if isinstance(given, Checked) else (given, side)
        if hasattr(data, "check") and not any(data is other for other in seen):
            seen.append(data)
            with within(called):
                data.check(bar(f"checking {called}", len(data)))


def write_statistics(
    reference: str,
    features: str,
    out: Path,
    overrides: Sequence[str] = (),
    device: str = "auto",
    reporter: Reporter | None = None,
    cache: Path | None = None,
) -> None:
    """Write the mean and the covariance of data in a feature space to a `.npz` file: those of the metric `frechet`."""
    known = registry()
    content: dict[str, Any] = {"reference": data_table(reference), "features": features_table(features)}
    content = overridden(content, overrides)
    check_content(content)
    check_keys("statistics", content, ("reference", "features"))
    if options.suffix(out) != ".npz" or not os.path.isdir(out.parent) or os.path.isdir(out):
        raise OptionError(f"'out' must be a .npz file in a folder that is there: {str(out)!r}")
    check_writable(out.parent, "Choose another file with --out.")
    on = find_device(device)
    builder = _builder(known, cache)
    data = builder.build("dataset", content["reference"])
    with (reporter or Reporter()).running() as bars:
        check_files(data, {}, bars.arm)
        data = checked("reference points", data, bars.arm("reference", len(data)))
        space = build_features(builder, content["features"])
        metric = builder.build("metric", "frechet", Defaults(reference=data, features=space))
        to_device(metric, on).save_statistics(out)


def data_table(location: str) -> dict[str, Any]:
    """The data set a path stands for, as a recipe would name it."""
    path = Path(location)
    of_a_run = [folder for folder in (path, *path.parents) if os.path.isfile(folder / RECIPE)]
    if os.path.isdir(path) and of_a_run and path.relative_to(of_a_run[0]).parts[:1] in ((), (SHARDS,)):
        raise OptionError(
            f"{location!r} is of a run, which is scored already: `kinetic report {of_a_run[0]}`\n"
            "  Elsewhere one file of its shards can be scored, with the key `samples`."
        )
    if options.suffix(path) in _TENSORS and not os.path.isdir(path):
        return {"name": "tensor-file", "path": location}
    if os.path.isfile(path):
        raise OptionError(
            f"data must be a folder of images, or a {', '.join(_TENSORS)} file: {location!r}\n"
            "  No pickle is loaded: save the tensor with numpy.save or safetensors."
        )
    return {"name": "image-folder", "path": location}


def features_table(words: str) -> dict[str, Any]:
    """The feature space that `--features` stands for, as a recipe would name it."""
    name, colon, target = words.partition(":")
    if colon and name != "module":
        raise OptionError(
            f"features must be a name, or module:PACKAGE.MODULE:ATTRIBUTE: {words!r}\n"
            "  Options are given apart: --set features.OPTION=VALUE"
        )
    return {"name": name, name: target} if colon else {"name": name}


def build_features(builder: ComponentBuilder, table: Any) -> Any:
    """The feature space of a command line, which may import code, also from where it is started."""
    if isinstance(table, Mapping) and table.get("name") == "module":
        import_from_here()
    return builder.build("features", table, imports_code=True)


def metric_tables(metrics: str) -> dict[str, Any]:
    """The tables that `--metrics` stands for: of names with commas between them, or of a file."""
    if options.suffix(metrics) == ".toml":
        content = read_recipe(Path(metrics))
        check_keys(metrics, content, ("title", "about", "metrics"))
        tables = content.get("metrics", {})
        if not isinstance(tables, dict) or not tables:
            raise RecipeError(f"{metrics} has no table [metrics.NAME]")
        return tables
    names = [name.strip() for name in metrics.split(",") if name.strip()]
    if not names:
        raise OptionError(f"metrics must be names with commas between them, or a .toml file: {metrics!r}")
    return {name: {} for name in names}
