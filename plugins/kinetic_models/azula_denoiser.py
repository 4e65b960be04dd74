"""Denoisers of azula by their probability-flow ODE."""

from __future__ import annotations

from typing import Any, ClassVar, final

import attrs
import torch
from torch import nn

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State
from kinetic_models.module import shape_option
from kinetic_models.network import check_evaluation, network_of
from kinetic_models.predictions import of_data

_HALVINGS = 60  # of [0, 1], until float64 tells no times apart


@final
@attrs.frozen(eq=False)
class AzulaField(VelocityField):
    """dx/dt = (E[x1 | x] - x) / (1 - t) of a denoiser of azula: EDM, ADM, DiT, JiT and what else it loads.

    Its samples y = a x1 + b e move along the line x = y / (a + b), t = a / (a + b), with a and b of the denoiser's own
    schedule, inverted by halving. Energies are those along the line. It is asked without a condition, or with the class
    under the keyword `label`.

    A name in words runs the code that it names, so no recipe may hold it: `kinetic run RECIPE --field
    azula:PACKAGE.MODULE:ATTRIBUTE`, one's own function that calls `azula.plugins.edm.load_model`, say.

    Raises:
        OptionError: it is no denoiser, or in training mode.

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
    t_max: float = options.number(0.999, above=0, below=1, doc="kinetic's t it is asked at, the latest")
    _net: Any = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        net = network_of(self.module, "a Denoiser of azula")
        if not (isinstance(net, nn.Module) and callable(getattr(net, "schedule", None))):
            raise OptionError(f"'module' must be a Denoiser of azula, with a schedule: {type(net).__name__}")
        check_evaluation(net)
        object.__setattr__(self, "_net", net)

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size(self.shape)

    @property
    def time_map(self) -> str:
        who = type(self._net.schedule).__name__
        return f"x = y / (a + b), t = a / (a + b), a and b of {who}, t at most {self.t_max:g}"

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        s = self._time(t.double().clamp_max(self.t_max))
        a, b = self._net.schedule(s)
        size, at = (each.to(x.dtype).view(-1, *[1] * (x.dim() - 1)) for each in (a + b, a / (a + b)))
        labels = None if batch is None else batch.condition
        if labels is not None and self.label is None:
            raise OptionError("samples are asked for classes, and the denoiser takes none: `label` is their keyword")
        asked = {} if labels is None or self.label is None else {self.label: labels}
        mean = self._net(x * size, s.to(x.dtype), **asked).mean
        return of_data(mean.to(x.dtype), x, at, size, 1.0, 1.0)

    def _time(self, t: PerSample) -> PerSample:
        """The denoiser's time in [0, 1], 1 the noise, at which a / (a + b) = t; its ends where t is beyond them."""
        low, high = torch.zeros_like(t), torch.ones_like(t)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            a, b = self._net.schedule(middle)
            clean = a / (a + b) > t
            low, high = torch.where(clean, middle, low), torch.where(clean, high, middle)
        return high
