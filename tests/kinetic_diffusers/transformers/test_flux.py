import torch
from kinetic_diffusers.transformers import flux


def test_latents_are_packed_in_patches_with_their_places_and_come_back_the_other_way():
    told = {}

    def net(
        hidden_states, timestep, guidance, pooled_projections, encoder_hidden_states, txt_ids, img_ids, return_dict
    ):
        told.update(x=hidden_states, t=timestep, guidance=guidance, image=img_ids, text=txt_ids)
        return (hidden_states,)

    x, asked = torch.randn(2, 3, 4, 6), {"prompt_embeds": torch.ones(2, 5, 7), "pooled_prompt_embeds": torch.ones(2, 3)}
    v = flux.velocity(net, x, torch.tensor([0.25, 1.0]), asked, 3.5)
    assert torch.equal(v, -x)
    assert told["x"].shape == (2, 6, 12)
    assert torch.equal(told["x"][0, 4].view(3, 2, 2), x[0, :, 2:4, 2:4])  # row 1, column 1
    assert told["image"][4].tolist() == [0, 1, 1]
    assert told["text"].shape == (5, 3)
    assert told["t"].tolist() == [0.75, 0]
    assert told["guidance"].tolist() == [3.5, 3.5]
    assert flux.channels({"in_channels": 64}) == 16
