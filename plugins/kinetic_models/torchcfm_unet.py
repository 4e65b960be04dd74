"""The U-Net of torchcfm."""

from __future__ import annotations

from typing import Any, final

import attrs
import torch

from kinetic import Batch, VelocityField, options
from kinetic.errors import OptionError
from kinetic.networks import fill, float32_layers, why
from kinetic.types import PerSample, State
from kinetic_models.conditions import rows_of
from kinetic_models.module import listed, shape_option


@final
@attrs.frozen(eq=False)
class TorchCFMUNet(VelocityField):
    """The velocity of torchcfm's `UNetModelWrapper`, its time first and t = 0 the noise: kinetic's own convention.

    Its checkpoints of CIFAR-10 are `key = "ema_model"` of a file of `torch.save`, read as tensors alone, with 128
    channels, two residual blocks, `channel_mult = [1, 2, 2, 2]`, four heads of 64 channels and attention at 16.

    Raises:
        OptionError: torchcfm is not installed, or weights do not fit: what is missing and unexpected is counted.

    Source: Tong et al., arXiv 2302.00482 (torchcfm); Dhariwal & Nichol, arXiv 2105.05233 (the network).
    """

    shape: tuple[int, ...] = shape_option()
    weights: str = options.text(doc="path of a state dict")
    key: str | None = options.text(None, doc='where in the file it is, such as "ema_model"')
    prefix: str | None = options.text(None, doc='how its names begin in the file, such as "module."')
    num_channels: int = options.integer(128, at_least=1, doc="of the first layer")
    num_res_blocks: int = options.integer(2, at_least=1, doc="at each resolution")
    channel_mult: tuple[int, ...] | None = attrs.field(
        default=None,
        converter=listed,
        metadata={options.BOUND: "a list of ints, or nothing", options.DOC: "of each resolution; by the size"},
    )
    num_heads: int = options.integer(1, at_least=1, doc="of attention")
    num_head_channels: int = options.integer(-1, at_least=-1, doc="of each head, in place of their number")
    attention_resolutions: str = options.text("16", doc="where there is attention")
    dropout: float = options.number(0.0, at_least=0, below=1, doc="it was trained with; it is not applied")
    classes: int | None = options.integer(None, at_least=1, doc="how many it knows")
    _net: Any = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        try:
            from torchcfm.models.unet.unet import UNetModelWrapper
        except ImportError as error:
            raise OptionError("field 'torchcfm-unet' needs torchcfm: pip install \"kinetic-flow[torchcfm]\"") from error
        if len(self.shape) != 3:
            raise OptionError(f"'shape' must be that of an image, channels, height and width: {self.shape}")
        net = self._made(UNetModelWrapper)
        fill(net, self.weights, "UNetModelWrapper", key=self.key, prefix=self.prefix)
        object.__setattr__(self, "_net", net.eval().requires_grad_(False))

    def _made(self, cls: type[torch.nn.Module]) -> torch.nn.Module:
        try:
            with float32_layers():
                return cls(
                    dim=self.shape,
                    num_channels=self.num_channels,
                    num_res_blocks=self.num_res_blocks,
                    channel_mult=self.channel_mult,
                    num_heads=self.num_heads,
                    num_head_channels=self.num_head_channels,
                    attention_resolutions=self.attention_resolutions,
                    dropout=self.dropout,
                    class_cond=self.classes is not None,
                    num_classes=self.classes,
                )
        except Exception as error:  # its layers raise whatever their sizes make of it
            raise OptionError(
                f"no U-Net of torchcfm can be made with these options: {why(error)}\n  Channels are multiples of 32 "
                "and of the heads; `channel_mult` is needed but for sizes 28, 32, 64, 128, 256 and 512."
            ) from error

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size(self.shape)

    def velocity(self, x: State, t: PerSample, batch: Batch | None = None) -> State:
        labels = None if batch is None else batch.condition
        if (labels is None) != (self.classes is None):
            raise OptionError(
                "the network takes classes, and the samples are asked for none"
                if labels is None
                else "samples are asked for classes, and the network takes none: say how many, classes = N"
            )
        asked = () if labels is None else (rows_of(labels, len(x), self.classes or 0, None, "class"),)
        answer: torch.Tensor = self._net(t.float(), x.float(), *asked)
        return answer.to(x.dtype)
