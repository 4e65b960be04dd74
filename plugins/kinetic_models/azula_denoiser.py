"""Denoisers of azula by their probability-flow ODE."""

from __future__ import annotations

from typing import Any, ClassVar, final

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State
from kinetic_models.conditions import check_null, embeddings, rows_of
from kinetic_models.module import shape_option
from kinetic_models.network import check_evaluation, check_read, network_of
from kinetic_models.predictions import of_data

_HALVINGS = 60  # of [0, 1], until float64 tells no times apart


@final
@attrs.frozen(eq=False)
class AzulaField(VelocityField):
    """dx/dt = (E[x1 | x] - x) / (1 - t) of a denoiser of azula: EDM, ADM, JiT, VDM, SD, Sana, Flux, one's own.

    Its samples y = a x1 + b e move along the line x = y / (a + b), t = a / (a + b), with a and b of the denoiser's own
    schedule, inverted by halving. Energies are those along the line.

    It is asked without a condition, or with the class under the keyword `label`: ADM and JiT by its number, EDM and
    EDM2 `one_hot` over their `classes` (0 for EDM without any, whom azula tells an empty row). SD, Sana and Flux are
    told the tensors in `conditions`, each by its own name: `batch.condition` is the row, `null` that of none.

    A name in words runs the code that it names, so no recipe may hold it: `kinetic run RECIPE --field
    azula:PACKAGE.MODULE:ATTRIBUTE`, one's own function that calls `azula.plugins.edm.load_model`, say.

    Raises:
        OptionError: it is no denoiser, or in training mode; `conditions` is no file of tensors.

    Source: Rozet, azula (github.com/probabilists/azula); Song et al., arXiv 2011.13456.
    """

    imports_code: ClassVar[bool] = True

    module: Any = attrs.field(
        metadata={
            options.BOUND: "PACKAGE.MODULE:ATTRIBUTE; in Python a Denoiser of azula",
            options.DOC: "the denoiser, or what makes one when called without arguments",
        }
    )
    shape: tuple[int, ...] = shape_option()
    label: str | None = options.text(None, doc="keyword of the class; the denoiser takes none")
    classes: int | None = options.integer(None, at_least=0, doc="how many it knows")
    one_hot: bool = options.flag(False, doc="whether it is told a class as zeros and a one")
    conditions: str | None = options.text(None, doc="safetensors: what it is told by name, a row a prompt")
    null: int | None = options.integer(None, at_least=0, doc="the row of samples asked for nothing")
    t_max: float = options.number(0.999, above=0, below=1, doc="kinetic's t it is asked at, the latest")
    _net: Any = attrs.field(init=False, repr=False)
    _told: dict[str, Tensor] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        net = network_of(self.module, "a Denoiser of azula")
        if not (isinstance(net, nn.Module) and callable(getattr(net, "schedule", None))):
            raise OptionError(f"'module' must be a Denoiser of azula, with a schedule: {type(net).__name__}")
        check_evaluation(net)
        if self.one_hot and (self.label is None or self.classes is None):
            raise OptionError("'one_hot' needs `label`, the keyword of the class, and `classes`, how many there are")
        if self.label is not None and self.conditions is not None:
            raise OptionError("'label' and 'conditions' both say what samples are asked for: give one of them")
        check_read(self, "classes: give their keyword, `label`", self.label is not None, "classes")
        check_read(self, "prompts: give `conditions`", self.conditions is not None, "null")
        told = {} if self.conditions is None else embeddings(self.conditions)
        if told:
            check_null(self.null, len(next(iter(told.values()))))
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_told", told)

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size(self.shape)

    @property
    def time_map(self) -> str:
        who = type(self._net.schedule).__name__
        return f"x = y / (a + b), t = a / (a + b), a and b of {who}, t at most {self.t_max:g}"

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        s = self._time(t.double().clamp_max(self.t_max)).to(t.dtype)
        a, b = self._net.schedule(s.double())  # of the time it is told
        size, at = (each.to(x.dtype).view(-1, *[1] * (x.dim() - 1)) for each in (a + b, a / (a + b)))
        mean = self._net(x * size, s, **self._keywords(x, None if batch is None else batch.condition)).mean
        return of_data(mean.to(x.dtype), x, at, size, 1.0, 1.0)

    def _keywords(self, x: State, condition: Tensor | None) -> dict[str, Tensor]:
        """What it is told beside its state and time."""
        if self._told:
            which = rows_of(condition, len(x), len(next(iter(self._told.values()))), self.null)
            return {name: each[which.to(each.device)].to(x.device) for name, each in self._told.items()}
        if self.label is None:
            if condition is not None:
                raise OptionError(
                    "samples are asked for classes, and the denoiser takes none: `label` is their keyword"
                )
            return {}
        classes = self.classes or 0
        if condition is None:
            return {self.label: x.new_zeros(len(x), classes)} if self.one_hot else {}
        if self.classes == 0:
            raise OptionError("samples are asked for classes, and the denoiser knows none: classes = 0")
        if self.classes is not None:
            condition = rows_of(condition, len(x), classes, None, "class")
        return {self.label: functional.one_hot(condition, classes).to(x.dtype) if self.one_hot else condition}

    def _time(self, t: PerSample) -> PerSample:
        """The denoiser's time in [0, 1], 1 the noise, at which a / (a + b) = t; its ends where t is beyond them."""
        low, high = torch.zeros_like(t), torch.ones_like(t)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            a, b = self._net.schedule(middle)
            clean = a / (a + b) > t
            low, high = torch.where(clean, middle, low), torch.where(clean, high, middle)
        return high
