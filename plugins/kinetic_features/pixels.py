"""The samples themselves."""

from __future__ import annotations

from typing import final

import attrs
from torch import Tensor

from kinetic import FeatureSpace
from kinetic.types import State


@final
@attrs.frozen(eq=False)
class Pixels(FeatureSpace):
    """The elements of a sample as they are, `(m, *event)` to `(m, d)`."""

    @property
    def preprocessing(self) -> str:
        return "samples as they are"

    def features(self, x: State) -> Tensor:
        return x.flatten(1)
