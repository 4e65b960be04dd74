from kinetic_digits.nets import Classifier, VelocityNet
from kinetic_digits.train import CLIP, f_mem, main, zero_shot
from safetensors import safe_open
from safetensors.torch import load_file


def test_a_few_steps_write_files_that_load(tmp_path, capsys):
    main(["--out", str(tmp_path), "--steps", "3"])
    for name, net in (
        ("digits", VelocityNet()),
        ("digits-memorised", VelocityNet()),
        ("digits-classifier", Classifier()),
    ):
        path = tmp_path / "weights" / f"{name}.safetensors"
        net.load_state_dict({key: tensor.float() for key, tensor in load_file(path).items()})
        with safe_open(path, "pt") as opened:
            assert "about" in opened.metadata()
    assert 0 <= zero_shot(tmp_path / "clip") <= 1
    assert "held-out accuracy" in capsys.readouterr().out


def test_the_shipped_clip_names_the_held_out_digits():
    assert zero_shot(CLIP) >= 0.97


def test_f_mem_counts_what_a_perfect_copier_makes():
    import torch

    class Copier(torch.nn.Module):
        """The velocity of one atom: everything ends on it."""

        def forward(self, x, t, labels):
            return (torch.ones_like(x) - x) / (1 - t[:, None, None, None])

    train = torch.stack([torch.ones(1, 8, 8), -torch.ones(1, 8, 8)])
    share, samples = f_mem(Copier(), train, samples=20, steps=10)
    assert share == 1
    assert torch.allclose(samples, torch.ones_like(samples), atol=1e-5)
