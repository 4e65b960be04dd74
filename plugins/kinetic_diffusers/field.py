"""The velocity of a transformer of diffusers, from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, final

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.types import PerSample, State
from kinetic_diffusers.folder import folder_of, loaded
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
            `conditions` lacks what the transformer takes.

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
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_way", way)
        object.__setattr__(self, "_asked", _conditions(self.conditions, way.NEEDS))
        for name in ("height", "width"):
            if getattr(self, name) is None and not isinstance(net.config.get("sample_size"), int):
                raise OptionError(f"{name!r} must be given: the transformer names no sample_size")
        if way is flux and (net.config["guidance_embeds"] != (self.guidance is not None)):
            raise OptionError(f"'guidance' is told to a distilled Flux and to no other one: {self.guidance!r}")

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
        return self._way.velocity(self._net, x.to(dtype), t.float(), asked, self.guidance).to(x.dtype)

    def _rows(self, condition: Tensor | None, n: int) -> Tensor:
        classes = self._net.config.get("num_embeds_ada_norm", 0) + 1  # the last one stands for none
        rows = len(next(iter(self._asked.values()))) if self._asked else int(classes)
        if condition is None:
            if self.null is None:
                raise OptionError(
                    "the transformer was asked for nothing, and 'null' says no row that stands for it\n  Under [run], "
                    "`classes = N` asks sample i for row i mod N."
                )
            condition = torch.full((n,), self.null, dtype=torch.int64)
        whole = condition.dtype == torch.int64 and condition.shape == (n,)
        if not whole or bool(((condition < 0) | (condition >= rows)).any()):
            raise OptionError(
                f"each sample needs a row from 0 to {rows - 1}, as int64 ({n},): {condition.dtype} "
                f"{tuple(condition.shape)} up to {condition.max().item():g}"
            )
        return condition


def _conditions(location: str | None, needs: tuple[str, ...]) -> dict[str, Tensor]:
    if location is None:
        if needs:
            raise OptionError(f"'conditions' must be given: a safetensors file with {' and '.join(needs)}")
        return {}
    path = options.existing_file(location, what="conditions", remedy="Save the embeddings of your prompts there.")
    try:
        held = load_file(path)
    except (SafetensorError, OSError) as error:
        raise OptionError(f"'conditions' cannot be read as safetensors: {path}: {error}") from error
    missing = [name for name in needs if name not in held]
    lengths = {name: len(held[name]) for name in needs if name in held}
    if missing or len(set(lengths.values())) > 1:
        words = f"lacks {' and '.join(missing)}" if missing else f"holds unlike numbers of prompts: {lengths}"
        raise OptionError(f"'conditions' {words}: {path}\n  It needs {' and '.join(needs)}, a row a prompt.")
    return {name: held[name] for name in needs}
