"""Any metric of torchmetrics as a metric of kinetic."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, final

import attrs
import torch
from torch import Tensor

import kinetic
from kinetic import (
    Column,
    Dataset,
    Estimate,
    FeatureSpace,
    Metric,
    Samples,
    SampleTable,
    Score,
    embed,
    evidence,
    options,
)
from kinetic.errors import OptionError
from kinetic_metrics.classes import classes_asked
from kinetic_metrics.images import images
from kinetic_metrics.jackknife import LEAST
from kinetic_metrics.torchmetrics_class import (
    WORDS,
    by_signature,
    check_arguments,
    make,
    merges,
    metric_class,
    numbers,
    translated,
)
from kinetic_metrics.torchmetrics_states import States

_BLOCK = 256  # reference points at a time
_LARGEST = 2**21  # elements of a state that is kept 20 times
_PLAIN = str | int | float | bool


def _plain_values(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    def plain(each: Any) -> bool:
        return isinstance(each, _PLAIN) or (isinstance(each, list) and all(map(plain, each)))

    if not isinstance(value, Mapping) or not all(isinstance(key, str) and plain(each) for key, each in value.items()):
        raise OptionError(f"'options' must be a table of numbers, strings, booleans and lists of these: {value!r}")
    if own := {"feature", "sync_on_compute"} & value.keys():
        raise OptionError(f"'options' must not hold {min(own)!r}: give the network as 'features', a feature space")


@final
@attrs.frozen(eq=False)
class TorchMetric(Metric):
    """A metric of torchmetrics by its name, equal to torchmetrics called by hand in float64.

    It is shown what `arguments` says, one word for each argument of its `update`: `samples`; `features`, of the samples
    in the feature space; `reference`, the point of the reference with the number of the sample; `classes`, that samples
    were asked for; `real`, False for samples, and the whole reference is shown with True. Left out they are, of
    `update(imgs)`, the samples, and where it has a network the features; of `update(imgs, real)` features and `real`.

    Values: `value`, or `value_0`, `value_1`, ... where it gives several, up to 20. Interval by the jackknife over 20
    groups of sample ids, for 60 samples or more, where its states are sums, extremes or lists; with others it keeps all
    samples, and there is none. Against a whole reference (`real`) there is no difference between arms, since what such
    a score owes to the numbers of points is not known: `frechet` and `kid` have one. What it draws at random follows
    `seed` and the order of ids.

    Args:
        metric: MODULE.CLASS of `torchmetrics`, MODULE being `classification`, `clustering`, `image` or `regression`;
            of `image` those that load no network of their own.
        arguments: what `update` is given.
        options: of the class, plain values.
        scale: `unit` shows images in [0, 1], clipped, `signed` samples as they are.
        features: the space; it stands for the option `feature` of the class, whose network is never loaded.
        reference: the data that `reference` and `real` speak of.
        seed: of what it draws.

    Source: Detlefsen et al., TorchMetrics, JOSS 7 (2022).
    """

    metric: str = options.text(doc="MODULE.CLASS of torchmetrics")
    arguments: tuple[str, ...] = options.texts((), doc=f"what its `update` is given: {', '.join(WORDS)}")
    given: Mapping[str, Any] = attrs.field(
        factory=dict,
        alias="options",
        validator=_plain_values,
        metadata={options.BOUND: "a table of plain values", options.DOC: "of the class"},
    )
    scale: str = options.choice("unit", "signed", default="unit", doc="the range in which it is shown images")
    features: FeatureSpace | None = options.component(FeatureSpace, None, doc="the space of 'features'")
    reference: Dataset | None = options.component(
        Dataset, None, converter=kinetic.as_dataset, doc="what it compares with"
    )
    seed: int = options.integer(0, at_least=0, at_most=options.LARGEST, doc="of what it draws")
    _merges: bool = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        cls = metric_class(self.metric)
        object.__setattr__(self, "arguments", self.arguments or by_signature(self.metric, cls))
        check_arguments(self.metric, cls, self.arguments)
        for option, used in (("features", {"features"}), ("reference", {"reference", "real"})):
            words = sorted(used & set(self.arguments))
            if words and getattr(self, option) is None:
                raise OptionError(f"{option!r} must be given: {words[0]!r} is among the arguments of {self.metric}")
            if not words:  # a recipe's own fills it in whether it is asked or not
                object.__setattr__(self, option, None)
        object.__setattr__(self, "_merges", merges(make(cls, self.given, 2)))

    def _column(self, name: str) -> Column:
        better = {True: "higher", False: "lower"}.get(metric_class(self.metric).higher_is_better, "neither")
        return Column(name, f"{self.metric} of torchmetrics.", better=better)

    def check(self, samples: Samples) -> None:
        self.observe(self.begin(), samples)
        if self.features is not None and self.reference is not None:
            kinetic.check_reference(self.features, embed(self.features, samples.x), self.reference)

    def begin(self) -> Any:
        return States() if self._merges else SampleTable()

    def observe(self, state: Any, samples: Samples) -> Any:
        if not bool(torch.isfinite(samples.x).all()):
            raise OptionError("samples must be finite: some are NaN or infinite")
        if len(samples.ids) == 0:
            return state
        shown, ids = self._shown(samples), samples.ids.cpu()
        if not self._merges:
            return state.append(ids, {str(i): value for i, value in enumerate(shown)})
        metric = self._made(width := _width(shown[0]), shown[0].device)
        groups = torch.from_numpy(evidence.groups(ids.numpy(), 1 if _large(metric) else evidence.GROUPS))
        for group in groups.unique().tolist():
            rows = (groups == group).nonzero().flatten()
            rows = rows[torch.argsort(ids[rows])]
            metric.reset()
            self._update(metric, [value[rows.to(value.device)] for value in shown])
            state = state.concat(States.of(metric, width, group, ids[rows]), metric)
        return state

    def merge(self, a: Any, b: Any) -> Any:
        return a.concat(b, self._made(2)) if self._merges else a.concat(b)

    def finish(self, state: Any) -> Score:
        n = len(state.ids) if self._merges else len(state)
        if n == 0:
            raise OptionError("this score needs 1 samples or more: 0")
        if not self._merges:
            why = "No interval: its states cannot be put together without a group of samples."
            return self._score(numbers(self._of_rows(state)), {}, (self._note(n), why))
        metric = self._made(state.width)
        whole = state.concat(self._reference_states(metric, state.width), metric)
        values = numbers(self._computed(metric, whole))
        known, why = self._known(metric, whole, values) if n >= LEAST else ({}, f"{n} samples, below {LEAST}")
        if why:
            return self._score(values, {}, (self._note(n), f"No interval: {why}."))
        if "real" not in self.arguments:
            return self._score(values, known, (self._note(n),))
        given = "The interval is given this reference. No difference between arms: the bias is not known."
        single = {name: attrs.evolve(estimate, leave_out=None) for name, estimate in known.items()}
        return self._score(values, single, (self._note(n), given))

    def _known(self, metric: Any, whole: States, values: Mapping[str, float]) -> tuple[dict[str, Estimate], str]:
        """The values with the jackknife over groups, and why there are none."""
        groups = sorted(group for group in whole.sums if group >= 0)
        if len(groups) < 2:
            return {}, "its states are too large to be kept by group"
        try:
            without = [numbers(self._computed(metric, whole, group)) for group in groups]
        except OptionError as error:
            return {}, f"without a group of samples, {error}"
        known = {}
        for name, value in values.items():
            left = [each.get(name, math.nan) for each in without]
            if all(map(math.isfinite, (value, *left))):
                known[name] = evidence.jackknife(value, left)
        return known, "" if known else "its values are not finite without some group of samples"

    def _score(self, values: Mapping[str, float], known: Mapping[str, Estimate], notes: tuple[str, ...]) -> Score:
        estimates = {name: known.get(name, Estimate(value)) for name, value in values.items()}
        return Score(estimates, notes=notes, described={name: self._column(name) for name in values})

    def _note(self, n: int) -> str:
        from torchmetrics import __version__

        shown = {"samples": self._range, "features": f"their {type(self.features).__name__} features"}
        words = " and ".join(shown.get(word, word) for word in self.arguments)
        against = "" if self.reference is None else f", {len(self.reference)} reference points"
        return f"{self.metric} of torchmetrics {__version__} for {n} samples{against}: update is given {words}."

    @property
    def _range(self) -> str:
        return "samples, images clipped to [0, 1]" if self.scale == "unit" else "samples as they are"

    def _made(self, width: int, device: torch.device | None = None) -> Any:
        return make(metric_class(self.metric), self.given, width).to(device or torch.device("cpu"))

    def _shown(self, samples: Samples) -> list[Tensor]:
        """What samples are shown as, a tensor `(m, ...)` for each argument but `real`."""
        shown = {
            "samples": lambda: self._scaled(samples.x),
            "features": lambda: embed(self._space, samples.x).double(),
            "reference": lambda: self._scaled(self._partners(samples.ids).to(samples.x.device)),
            "classes": lambda: classes_asked(samples, 2**62, "classes"),
        }
        return [shown[word]() for word in self.arguments if word != "real"]

    def _scaled(self, x: Tensor) -> Tensor:
        return (images(x).clamp(-1, 1) + 1) / 2 if self.scale == "unit" else x.double()

    def _partners(self, ids: Tensor) -> Tensor:
        """The reference points with the numbers of samples."""
        data, last = self._data, int(ids.max())
        if last >= len(data):
            raise OptionError(
                f"'reference' must hold a point for every sample: it has {len(data)}, and sample {last} none"
            )
        return data.take(ids.cpu())

    @property
    def _space(self) -> FeatureSpace:
        assert self.features is not None
        return self.features

    @property
    def _data(self) -> Dataset:
        assert self.reference is not None
        return self.reference

    def _update(self, metric: Any, shown: list[Tensor], real: bool = False) -> None:
        values: list[Any] = list(shown)
        if "real" in self.arguments:
            values.insert(self.arguments.index("real"), real)
        with translated(self.metric):
            metric.update(*values)

    def _reference_states(self, metric: Any, width: int) -> States:
        """Of the whole reference, shown as real; of none where it is not asked for."""
        if "real" not in self.arguments:
            return States()
        metric.reset()
        for shown in self._reference_blocks():
            self._update(metric, [shown], real=True)
        states = States.of(metric, width, -1, torch.arange(len(self._data)))
        return attrs.evolve(states, ids=torch.zeros(0, dtype=torch.int64))

    def _reference_blocks(self) -> Iterator[Tensor]:
        if "features" in self.arguments:
            yield from self._space.table(self._data).double().split(_BLOCK)
        else:
            yield from (self._scaled(block) for _, block in self._data.blocks(_BLOCK))

    def _computed(self, metric: Any, state: States, without: int | None = None) -> Any:
        metric.reset()
        state.load(metric, without)
        return self._result(metric)

    def _of_rows(self, table: SampleTable) -> Any:
        """Of all samples, shown at once."""
        _, rows = table.sort()
        shown = [rows[str(i)] for i in range(len(rows))]
        metric = self._made(_width(shown[0]))
        self._update(metric, shown)
        for block in self._reference_blocks() if "real" in self.arguments else ():
            self._update(metric, [block], real=True)
        return self._result(metric)

    def _result(self, metric: Any) -> Any:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), translated(self.metric):
            warnings.simplefilter("ignore", UserWarning)  # that it was not shown anything: its states were loaded
            torch.default_generator.manual_seed(self.seed)
            return metric.compute()


def _width(first: Tensor) -> int:
    """Of the features that a metric is shown, where it is shown such."""
    return first.shape[1] if first.dim() > 1 else 1


def _large(metric: Any) -> bool:
    """Whether some state is too large to be kept for each of 20 groups."""
    states = (getattr(metric, name) for name in metric._defaults)
    return any(isinstance(state, Tensor) and state.numel() > _LARGEST for state in states)
