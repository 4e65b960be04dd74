import torch
from kinetic_diffusers.transformers import lumina2


def test_its_time_and_sign_are_kinetics_own():
    def net(hidden_states, timestep, encoder_hidden_states, encoder_attention_mask, return_dict):
        return (hidden_states * timestep.view(-1, 1, 1, 1) + encoder_attention_mask.sum(),)

    x, t = torch.randn(2, 4, 3, 3), torch.tensor([0.25, 1.0])
    asked = {"prompt_embeds": torch.ones(2, 5, 7), "prompt_attention_mask": torch.ones(2, 5)}
    assert torch.equal(lumina2.velocity(net, x, t, asked, None), x * t.view(-1, 1, 1, 1) + 10)
