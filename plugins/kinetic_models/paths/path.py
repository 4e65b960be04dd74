"""The abstract path: how a model's own state and time go with kinetic's."""

from __future__ import annotations

import abc

import attrs

from kinetic.types import PerSample


@attrs.frozen
class Path(abc.ABC):
    """A Gaussian path y_s = a(s) x1 + b(s) e, e ~ N(0, I), as the line x_t = t x1 + (1 - t) e.

    x = y / (a + b) and t = a / (a + b) carry each into the other, and the probability-flow ODE of the one into that of
    the other, so that samples are the same. Energies are those along the line: they are not invariant to the map.

    Source: Kingma et al., Variational Diffusion Models, arXiv 2107.00630, section 5 (paths differ by a change of
    variables); Lipman et al., Flow Matching Guide and Code, arXiv 2412.06264, section 4.6.
    """

    @property
    @abc.abstractmethod
    def words(self) -> str:
        """The map in a line, for the provenance."""

    def held(self, t: PerSample) -> PerSample:
        """The t that the model is asked at, all of it, `(m,)`: t, or that of its nearest step where steps are whole."""
        return t

    @abc.abstractmethod
    def time(self, t: PerSample) -> PerSample:
        """The model's own time s at kinetic's t, `(m,)` each, before any `scale`."""

    @abc.abstractmethod
    def size(self, t: PerSample) -> PerSample:
        """a + b at t, `(m,)`: the model's state is y = (a + b) x."""

    @property
    @abc.abstractmethod
    def ends(self) -> tuple[float, float]:
        """Kinetic's t of the model's noisiest and its cleanest time."""
