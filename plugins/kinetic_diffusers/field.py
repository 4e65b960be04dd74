"""The velocity of a transformer of diffusers, from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, final

import attrs
import torch
from kinetic_models.conditions import Widths, check_null, embeddings, rows_of
from torch import Tensor

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State
from kinetic_diffusers.folder import config_of, folder_of, loaded
from kinetic_diffusers.transformers import dit, flux, lumina2, stable_diffusion_3

TRANSFORMERS: Mapping[str, ModuleType] = {
    "SD3Transformer2DModel": stable_diffusion_3,
    "FluxTransformer2DModel": flux,
    "Lumina2Transformer2DModel": lumina2,
    "DiTTransformer2DModel": dit,
}
"""The classes that are asked, each in its own convention; no other one is."""

_DTYPES = ("float32", "bfloat16", "float16")


@final
@attrs.frozen(eq=False)
class DiffusersField(VelocityField):
    """The velocity dx/dt of latents by a transformer of diffusers: Stable Diffusion 3, Flux, Lumina 2 or DiT.

    Loaded from a local folder, tensors alone: nothing is fetched, no code of the folder is run. The samples are latents
    `(channels, height, width)`, as the autoencoder has them after its scaling; Flux packs them itself. DiT goes by
    the probability-flow ODE along x = y / (a + b), t = a / (a + b).

    `batch.condition` is the row of a prompt in `conditions`, int64 `(n,)`, or DiT's class. Samples that are asked for
    nothing get the row `null`. Times are told in float32.

    Raises:
        OptionError: diffusers is not installed, the class is none of `TRANSFORMERS`, weights are no safetensors, or
            `conditions` lacks what the transformer takes; sizes are no multiples of its patches; DiT's own pipeline has
            another noise.

    Source: Esser et al., arXiv 2403.03206 (rectified flow transformers); Peebles & Xie, arXiv 2212.09748 (DiT).
    """

    pretrained: str = options.text(doc="folder of a pipeline or of its transformer")
    conditions: str | None = options.text(None, doc="safetensors: prompt_embeds (P, L, D), pooled_prompt_embeds (P, D)")
    height: int | None = options.integer(None, at_least=1, doc="of a latent; as the transformer was trained")
    width: int | None = options.integer(None, at_least=1, doc="of a latent; as the transformer was trained")
    guidance: float | None = options.number(None, at_least=0, doc="what a distilled Flux is told")
    null: int | None = options.integer(None, at_least=0, doc="the row, or class, of samples asked for nothing")
    dtype: str = options.choice(*_DTYPES, default="float32", doc="of the weights")
    _net: Any = attrs.field(init=False, repr=False)
    _way: ModuleType = attrs.field(init=False, repr=False)
    _asked: dict[str, Tensor] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        folder = folder_of(self.pretrained, "pretrained", "transformer", TRANSFORMERS)
        net = loaded(folder, "pretrained", "field 'diffusers'", getattr(torch, self.dtype))
        way = TRANSFORMERS[type(net).__name__]
        if way is dit:
            _check_noise(Path(self.pretrained))
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_way", way)
        object.__setattr__(self, "_asked", _conditions(self.conditions, way.needs(net.config)))
        for name in ("height", "width"):
            if getattr(self, name) is None and not isinstance(net.config.get("sample_size"), int):
                raise OptionError(f"{name!r} must be given: the transformer names no sample_size")
        patch = way.patch(net.config)
        for name, side in zip(("height", "width"), self.event_shape[1:], strict=True):
            if side % patch:
                raise OptionError(
                    f"{name!r} must be a multiple of {patch}, the size of the transformer's patches: {side}"
                )
        if way is dit and self.event_shape[1] != self.event_shape[2]:
            sides = tuple(self.event_shape[1:])
            raise OptionError(f"'height' and 'width' must be alike, as DiT's latents are squares: {sides}")
        if (way is flux and net.config["guidance_embeds"]) != (self.guidance is not None):
            raise OptionError(f"'guidance' is told to a distilled Flux and to no other one: {self.guidance!r}")
        check_null(self.null, self._known())

    @property
    def event_shape(self) -> torch.Size:
        config = self._net.config
        sides = (given or config["sample_size"] for given in (self.height, self.width))
        return torch.Size([self._way.channels(config), *sides])

    @property
    def time_map(self) -> str:
        return dit.PATH.words if self._way is dit else ""

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        dtype = getattr(torch, self.dtype)
        condition = None if batch is None else batch.condition
        which = self._rows(condition, len(x)).to(x.device)
        asked = {name: each[which].to(x.device) for name, each in self._asked.items()} | {"labels": which}
        asked = {name: each.to(dtype) if each.is_floating_point() else each for name, each in asked.items()}
        return self._way.velocity(self._ask, x, t.float(), asked, self.guidance).to(x.dtype)

    def _ask(self, hidden_states: State, **told: Any) -> Any:
        """The transformer's answer, the state told in the dtype of its weights; x itself is not rounded."""
        return self._net(hidden_states=hidden_states.to(getattr(torch, self.dtype)), **told)

    def _rows(self, condition: Tensor | None, n: int) -> Tensor:
        return rows_of(condition, n, self._known(), self.null, "row" if self._asked else "class")

    def _known(self) -> int:
        """How many rows, or classes, it can be asked for; the last class stands for none."""
        if self._asked:
            return len(next(iter(self._asked.values())))
        return int(self._net.config.get("num_embeds_ada_norm", 0)) + 1


def _check_noise(folder: Path) -> None:
    """Refuse a pipeline whose noise is another one than the transformer is asked with."""
    path = folder / "scheduler" / "scheduler_config.json"
    named = config_of(path, "pretrained") if path.exists() else {}
    other = {name: named[name] for name, value in dit.NOISE.items() if named.get(name, value) != value}
    if other:
        asked = {name: dit.NOISE[name] for name in other}
        raise OptionError(f"'pretrained' was trained with {other}, and is asked with {asked}: {path}")


def _conditions(location: str | None, widths: Widths) -> dict[str, Tensor]:
    if location is None:
        if widths:
            raise OptionError(f"'conditions' must be given: a safetensors file with {' and '.join(widths)}")
        return {}
    if not widths:
        raise OptionError(f"'conditions' is for prompts, and the transformer is asked for classes: {location}")
    return embeddings(location, widths)
