import torch
from kinetic_diffusers.transformers import stable_diffusion_3


def test_its_time_0_is_data_in_thousandths_and_its_answer_the_other_way():
    told = {}

    def net(hidden_states, timestep, encoder_hidden_states, pooled_projections, return_dict):
        told.update(t=timestep, text=encoder_hidden_states, pooled=pooled_projections)
        return (2 * hidden_states,)

    x, asked = torch.randn(2, 4, 3, 3), {"prompt_embeds": torch.ones(2, 5, 7), "pooled_prompt_embeds": torch.ones(2, 3)}
    v = stable_diffusion_3.velocity(net, x, torch.tensor([0.25, 1.0]), asked, None)
    assert torch.equal(v, -2 * x)
    assert told["t"].tolist() == [750, 0]
    assert told["text"] is asked["prompt_embeds"]
    assert told["pooled"] is asked["pooled_prompt_embeds"]
