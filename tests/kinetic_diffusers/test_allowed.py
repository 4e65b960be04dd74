import kinetic_diffusers
import pytest
from kinetic_diffusers.allowed import ALLOWED, kind_of

from kinetic.errors import OptionError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of diffusers with numpy 2
FLOW = {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
GOOD = [
    ("FlowMatchEulerDiscreteScheduler", {}),
    ("FlowMatchHeunDiscreteScheduler", {}),
    ("UniPCMultistepScheduler", FLOW),
    ("DPMSolverMultistepScheduler", FLOW),
    ("DPMSolverSinglestepScheduler", FLOW),
    ("DEISMultistepScheduler", FLOW),
]
BAD = [
    ("FlowMatchEulerDiscreteScheduler", {"stochastic_sampling": True}, "stochastic_sampling"),
    ("DPMSolverMultistepScheduler", {**FLOW, "algorithm_type": "sde-dpmsolver++"}, "algorithm_type"),
    ("DPMSolverSinglestepScheduler", {**FLOW, "algorithm_type": "sde-dpmsolver++"}, "algorithm_type"),
    ("UniPCMultistepScheduler", {}, "use_flow_sigmas"),
    ("UniPCMultistepScheduler", {"use_flow_sigmas": True}, "prediction_type"),
    ("DEISMultistepScheduler", {"prediction_type": "flow_prediction"}, "use_flow_sigmas"),
    ("FlowMatchLCMScheduler", {}, "cannot be weighed"),
    ("SASolverScheduler", FLOW, "cannot be weighed"),
    ("EulerDiscreteScheduler", {}, "cannot be weighed"),
    ("EulerAncestralDiscreteScheduler", {}, "cannot be weighed"),
    ("DDIMScheduler", {}, "cannot be weighed"),
    ("DDPMScheduler", {}, "cannot be weighed"),
]


@pytest.mark.parametrize(("name", "config"), GOOD)
def test_schedulers_of_the_list_are_weighed(diffusers, name, config):
    assert kind_of(getattr(diffusers, name)(**config)) is ALLOWED[name]


def test_the_list_is_that_of_the_tests():
    assert set(ALLOWED) == {name for name, _ in GOOD}


@pytest.mark.parametrize(("name", "config", "why"), BAD)
def test_stochastic_schedulers_and_those_of_other_paths_are_refused_by_name(diffusers, name, config, why):
    scheduler = getattr(diffusers, name)(**config)
    with pytest.raises(OptionError, match=why) as error, kinetic_diffusers.metered(scheduler):
        pass
    assert name in str(error.value)
    assert type(scheduler) is getattr(diffusers, name)


def test_a_subclass_of_a_known_scheduler_may_do_anything_and_is_refused(diffusers):
    known = diffusers.FlowMatchEulerDiscreteScheduler
    for cls in (type("Mine", (known,), {}), type(known.__name__, (known,), {})):
        with pytest.raises(OptionError, match="cannot be weighed"):
            kind_of(cls())
