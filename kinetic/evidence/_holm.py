"""Several declared claims at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kinetic.errors import OptionError


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: those at 5% or below are wrong for one claim or more in 5% of runs at the most.

    Of m p-values in ascending order p_(1) to p_(m) the adjusted are max over j <= i of min(1, (m - j + 1) p_(j)).

    Args:
        p_values: one for each claim that was declared before the run, in any order.
    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6 (1979).
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise OptionError(f"'p_values' must be numbers of [0, 1], one for each claim: {p_values!r}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, (len(p) - np.arange(len(p))) * p[order]))
    return [float(each) for each in adjusted]
