"""The features of the FID."""

from __future__ import annotations

from importlib.metadata import version
from typing import final
from unittest import mock

import attrs
from torch import Tensor, nn

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


def _known_dims(instance: object, attribute: attrs.Attribute[int], value: object) -> None:
    if isinstance(value, bool) or value not in (64, 192, 768, 2048):
        raise OptionError(f"'dims' must be 64, 192, 768 or 2048: {value!r}")


@final
@attrs.frozen(eq=False)
class Inception(FeatureSpace):
    """The features of pytorch-fid's Inception network: with its 2,048 pool3 features the Frechet distance is the FID.

    Images `(m, 1 or 3, h, w)` in [-1, 1]; gray is repeated to three channels. The network itself resizes to 299 x 299
    (bilinear, align_corners=False) and scales to [-1, 1], as pytorch-fid does.

    Args:
        dims: which layer, by the width of its features: 2048 is pool3; the earlier ones are averaged over the image.
        weights: its tensors alone are read. None takes it from torch's cache, or from
            pytorch-fid's releases to there, and checks its SHA-256.

    Source: Heusel et al., arXiv 1706.08500; the network is pytorch-fid 0.3.0's.
    """

    dims: int = attrs.field(
        default=2048,
        kw_only=True,
        validator=_known_dims,
        metadata={options.BOUND: "64, 192, 768 or 2048"},
    )
    weights: str | None = attrs.field(default=None, metadata={options.BOUND: f"the path of {FILE}, or nothing"})
    _net: nn.Module = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_net", self._load().eval().requires_grad_(False))

    def _load(self) -> nn.Module:
        inception = need("pytorch_fid.inception", "pytorch-fid")
        block = [inception.InceptionV3.BLOCK_INDEX_BY_DIM[self.dims]]
        path = self.weights or downloaded(inception.FID_WEIGHTS_URL, SHA256, _WHAT, _GIVEN)
        state = state_dict(path, _WHAT, f"Get {FILE} from pytorch-fid's releases.")
        with mock.patch.object(inception, "load_state_dict_from_url", return_value=state), float32_layers():
            try:
                return inception.InceptionV3(block)
            except (RuntimeError, AttributeError, TypeError) as error:
                raise OptionError(f"'weights' does not hold pytorch-fid's Inception network: {path}") from error

    @property
    def preprocessing(self) -> str:
        return (
            f"{RGB}, resized to 299 x 299 (bilinear, not antialiased, align_corners=False), scaled to [-1, 1], by "
            f"pytorch-fid {version('pytorch-fid')}"
        )

    def features(self, x: State) -> Tensor:
        return in_blocks(lambda rows: self._net(as_rgb(rows))[0].mean((2, 3)), x)
