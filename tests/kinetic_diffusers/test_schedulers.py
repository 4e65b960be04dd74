import itertools

import pytest
import torch
from kinetic_diffusers.schedulers import ALLOWED, schedulers_of, span_of

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", ALLOWED)
def test_the_steps_of_every_scheduler_on_the_list_lead_from_noise_to_data_without_gaps(diffusers, name):
    flow = {} if name.startswith("FlowMatch") else {"use_flow_sigmas": True, "prediction_type": "flow_prediction"}
    scheduler = getattr(diffusers, name)(**flow)

    class Pipe:
        components = {"scheduler": scheduler, "same": scheduler, "other": None}  # noqa: RUF012

    assert schedulers_of(Pipe()) == [scheduler]
    scheduler.set_timesteps(5)
    x, spans = torch.randn(1, 2, generator=torch.Generator().manual_seed(0)), []
    for t in scheduler.timesteps:
        spans.append(span_of(scheduler, t))
        x = scheduler.step(x, t, x, return_dict=False)[0]
    whole = [span for span in spans if not span.paired]
    assert whole[0].t0 == pytest.approx(0, abs=2e-3)
    assert whole[-1].t1 == 1 or (name.startswith("DEIS") and whole[-1].t1 == whole[-1].t0 < 1)  # it stops short
    assert all(a.t1 == b.t0 for a, b in itertools.pairwise(whole))
    assert [span.last for span in spans] == [False] * (len(spans) - 1) + [True]
    assert any(span.second for span in spans) == ("Heun" in name)
