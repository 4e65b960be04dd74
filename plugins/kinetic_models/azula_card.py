"""Published denoisers of azula, made by their cards and filled from a file of tensors."""

from __future__ import annotations

import importlib
from typing import Any, final

import attrs
import torch
from torch import nn

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.networks import fill, float32_layers
from kinetic.types import PerSample, State
from kinetic_models.azula_denoiser import AzulaField
from kinetic_models.module import shape_option

_PLUGINS = ("adm", "jit", "vdm")  # those whose files are state dicts: EDM's are pickles, the others are folders


@final
@attrs.frozen(eq=False)
class AzulaCard(VelocityField):
    """The velocity of a published denoiser of azula, of ADM, JiT or VDM, as `AzulaField` asks it.

    Its card says how it is built, and nothing is fetched: `weights` is the file from the card's address, of tensors
    alone. JiT's has `key = "model_ema1"` and `prefix = "net."`. A class is the number of the condition.

    Raises:
        OptionError: azula is not installed, or has no such card; weights do not fit (counted and shown).

    Source: Rozet, azula (github.com/probabilists/azula); Dhariwal & Nichol, arXiv 2105.05233 (ADM); Li & He,
    arXiv 2511.13720 (JiT); Crowson, github.com/crowsonkb/v-diffusion-pytorch (VDM).
    """

    plugin: str = options.choice(*_PLUGINS, doc="whose cards")
    card: str = options.text(doc='name of the card, such as "imagenet_64x64_cond"')
    shape: tuple[int, ...] = shape_option()
    weights: str = options.text(doc="path of its state dict")
    key: str | None = options.text(None, doc='where in the file it is, such as "model_ema1"')
    prefix: str | None = options.text(None, doc='how its names begin in the file, such as "net."')
    t_max: float = options.number(0.999, above=0, below=1, doc="kinetic's t it is asked at, the latest")
    _field: VelocityField = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        denoiser = _made(self.plugin, self.card)
        fill(denoiser.backbone, self.weights, f"{self.plugin} {self.card}", key=self.key, prefix=self.prefix)
        classes = getattr(denoiser.backbone, "num_classes", None)
        field = AzulaField(
            module=denoiser.eval().requires_grad_(False),
            shape=self.shape,
            label=None if classes is None else "label",
            classes=classes,
            t_max=self.t_max,
        )
        object.__setattr__(self, "_field", field)

    @property
    def event_shape(self) -> torch.Size:
        return self._field.event_shape

    @property
    def time_map(self) -> str:
        return self._field.time_map

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        return self._field.velocity(x, t, batch)


def _made(plugin: str, card: str) -> Any:
    """The denoiser of a card, not filled."""
    try:
        module = importlib.import_module(f"azula.plugins.{plugin}")
        utils = importlib.import_module("azula.plugins.utils")
    except ImportError as error:
        raise OptionError(f"field 'azula-card' needs azula: pip install \"kinetic-flow[azula]\" ({error})") from error
    cards = utils.load_cards(module)
    if card not in cards:
        raise OptionError(f"'card' must be one of {plugin}'s, {', '.join(map(repr, cards))}: {card!r}")
    with float32_layers():
        denoiser: nn.Module = module.make_model(**cards[card].config)
    return denoiser
