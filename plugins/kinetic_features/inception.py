"""The features of the FID."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, final
from unittest import mock

import attrs
import torch
from torch import Tensor, nn
from torch.nn import functional

from kinetic import FeatureSpace, in_blocks, options
from kinetic.errors import OptionError
from kinetic.fetch import downloaded
from kinetic.networks import float32_layers, state_dict
from kinetic.types import State
from kinetic_features.images import RGB, as_rgb, need

FILE = "pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d"  # how that of the file begins, as its name says
_WHAT = "Inception weights"
_GIVEN = f"Get {FILE} from pytorch-fid's releases and give its path: " + 'weights = "PATH"'


_SIDE = 299
_POOL3 = 2048
_BEFORE_AUX = 768  # dims of the block that holds mixed_6
_MIXED_6 = 6  # its number there, from Mixed_5b (`mixed`), called Mixed_6d by pytorch-fid


def _known_dims(instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or value not in (64, 192, 768, 2048):
        raise OptionError(f"'dims' must be 64, 192, 768 or 2048: {value!r}")


@final
@attrs.frozen(eq=False)
class Inception(FeatureSpace):
    """The features of pytorch-fid's Inception network: with its 2,048 pool3 features the Frechet distance is the FID.

    Images `(m, 1 or 3, h, w)` in [-1, 1]; gray is repeated to three channels.

    Args:
        dims: which layer, by the width of its features: 2048 is pool3; the earlier ones are averaged over the image.
        output: `pooled` gives these; `logits` the pool3 features times the 1,008 rows of the last layer, without its
            bias, of which the Inception Score is made; `spatial` the first 7 channels of `mixed_6/conv`, 17 x 17 each,
            which make the Frechet distance the sFID. With either of these leave `dims` alone.
        resize: how images come to 299 x 299 and into range. `pytorch-fid` is bilinear between the centres of pixels and
            scales to [-1, 1]; `tensorflow` is bilinear from the corners of pixels and takes 128 of 255 for 0, as the
            network's own graph does, and with it the ADM evaluator and torch-fidelity.
        weights: its tensors alone are read. None takes it from torch's cache, or from
            pytorch-fid's releases to there, and checks its SHA-256.

    Source: Heusel et al., arXiv 1706.08500; the network is pytorch-fid 0.3.0's. Logits, spatial features and the resize
    of `tensorflow`: the evaluator of Dhariwal & Nichol, arXiv 2105.05233; sFID: Nash et al., arXiv 2103.03841.
    """

    dims: int = attrs.field(
        default=2048,
        kw_only=True,
        validator=_known_dims,
        metadata={options.BOUND: "64, 192, 768 or 2048"},
    )
    weights: str | None = attrs.field(default=None, metadata={options.BOUND: f"the path of {FILE}, or nothing"})
    output: str = options.choice("pooled", "logits", "spatial", default="pooled", doc="what it gives of the network")
    resize: str = options.choice("pytorch-fid", "tensorflow", default="pytorch-fid", doc="whose resizing and range")
    _net: nn.Module = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.output != "pooled" and self.dims != _POOL3:
            raise OptionError(f"'dims' must be left out with output {self.output!r}, which has its layer: {self.dims}")
        object.__setattr__(self, "_net", self._load().eval().requires_grad_(False))

    def _load(self) -> nn.Module:
        inception = need("pytorch_fid.inception", "pytorch-fid")
        path = self.weights or downloaded(inception.FID_WEIGHTS_URL, SHA256, _WHAT, _GIVEN)
        state = state_dict(path, _WHAT, f"Get {FILE} from pytorch-fid's releases.")
        with mock.patch.object(inception, "load_state_dict_from_url", return_value=state), float32_layers():
            try:
                return self._network(inception.InceptionV3, state)
            except (RuntimeError, AttributeError, TypeError, KeyError) as error:
                raise OptionError(f"'weights' does not hold pytorch-fid's Inception network: {path}") from error

    def _network(self, made: Any, state: dict[str, Tensor]) -> nn.Module:
        """Images `(16, 3, 299, 299)` in range to features; no layer that they do not need."""
        dims = _BEFORE_AUX if self.output == "spatial" else self.dims
        blocks = list(made([made.BLOCK_INDEX_BY_DIM[dims]]).blocks)
        if self.output == "spatial":
            *before, last = list(blocks.pop())[: _MIXED_6 + 1]
            return nn.Sequential(*blocks, *before, last.branch1x1, _FirstChannels())
        pooled = nn.Sequential(*blocks, _MeanOverImage())
        return nn.Sequential(pooled, _without_bias(state["fc.weight"])) if self.output == "logits" else pooled

    @property
    def preprocessing(self) -> str:
        if self.resize == "tensorflow":
            return (
                f"{RGB}, resized to 299 x 299 (bilinear, not antialiased, from the corners of pixels), 128 of 255 "
                "brought to 0, as by TensorFlow 1"
            )
        return (
            f"{RGB}, resized to 299 x 299 (bilinear, not antialiased, align_corners=False), scaled to [-1, 1], by "
            f"pytorch-fid {version('pytorch-fid')}"
        )

    def features(self, x: State) -> Tensor:
        prepared = like_tensorflow if self.resize == "tensorflow" else like_pytorch_fid
        return in_blocks(lambda rows: self._net(prepared(as_rgb(rows))), x)


def like_pytorch_fid(x: Tensor) -> Tensor:
    """Images `(m, 3, h, w)` in [0, 1] to `(m, 3, 299, 299)` in [-1, 1], as pytorch-fid's network does itself."""
    return 2 * functional.interpolate(x, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False) - 1


def like_tensorflow(x: Tensor) -> Tensor:
    """Images `(m, 3, h, w)` in [0, 1] to `(m, 3, 299, 299)`, (255 x - 128)/128.

    Pixel i of 299 is read at i h/299, between the pixels below and above that, as `ResizeBilinear` of TensorFlow 1.
    """
    x = 255 * x
    for dim in (2, 3):
        n = x.shape[dim]
        at = torch.arange(_SIDE, device=x.device, dtype=torch.float32) * (n / _SIDE)
        low = at.long().clamp_max(n - 1)
        share = (at - low).view(-1, 1) if dim == 2 else at - low
        below, above = x.index_select(dim, low), x.index_select(dim, (low + 1).clamp_max(n - 1))
        x = below + (above - below) * share
    return (x - 128) / 128


class _MeanOverImage(nn.Module):
    """`(m, f, h, w)` to `(m, f)`."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class _FirstChannels(nn.Module):
    """`(m, 192, 17, 17)` to the first 7 channels `(m, 2023)`, channel last, as the ADM evaluator has them."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :7].permute(0, 2, 3, 1).flatten(1)


def _without_bias(weight: Tensor) -> nn.Linear:
    """The layer x W^T."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data.copy_(weight)
    return layer
