"""The schedulers whose steps are those of a flow along its velocity, one for each state and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs
from kinetic_features.images import need

from kinetic.errors import OptionError

_FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}


@attrs.frozen
class Kind:
    """A scheduler that can be weighed.

    Args:
        needs: `{key: value}` that its config must hold.
        stages: "one" where a call is a step by the velocity it is given, "pair" where two calls are one, "mean" where
            a step combines velocities of several.
    """

    needs: Mapping[str, Any]
    stages: str


ALLOWED: Mapping[str, Kind] = MappingProxyType(
    {
        "FlowMatchEulerDiscreteScheduler": Kind({"stochastic_sampling": False}, "one"),
        "FlowMatchHeunDiscreteScheduler": Kind({}, "pair"),
        "UniPCMultistepScheduler": Kind(_FLOW, "mean"),
        "DPMSolverMultistepScheduler": Kind({**_FLOW, "algorithm_type": "dpmsolver++"}, "mean"),
        "DPMSolverSinglestepScheduler": Kind({**_FLOW, "algorithm_type": "dpmsolver++"}, "mean"),
        "DEISMultistepScheduler": Kind({**_FLOW, "algorithm_type": "deis"}, "mean"),
    }
)
"""`{class: Kind}`. An allow-list: stochastic schedulers, and those of other parametrisations, have no path to weigh."""


def kind_of(scheduler: Any) -> Kind:
    """How the steps of a scheduler are weighed.

    Raises:
        OptionError: they are not.
    """
    cls = type(scheduler)
    kind = ALLOWED.get(cls.__name__)
    if kind is None or getattr(diffusers(), cls.__name__, None) is not cls:
        raise OptionError(
            f"paths of the scheduler {cls.__module__}.{cls.__name__} cannot be weighed: it is stochastic, moves along "
            f"something else than a flow's velocity, or is not known to do neither\n  Can be: {', '.join(ALLOWED)}, "
            "as diffusers has them."
        )
    default: Callable[[str], Any] = lambda key: False if key == "stochastic_sampling" else None  # noqa: E731
    for key, value in kind.needs.items():
        given = scheduler.config.get(key, default(key))
        if given != value:
            raise OptionError(
                f"paths of {cls.__name__} can be weighed with {key} = {value!r} alone: {given!r}\n  Otherwise it is "
                "stochastic, or moves along something else than the velocity of a flow from noise to data."
            )
    return kind


def diffusers() -> Any:
    """The package.

    Raises:
        MissingPackageError: it does not import.
    """
    return need("diffusers", "diffusers", "Install it: `pip install kinetic-flow[diffusers]`.")
