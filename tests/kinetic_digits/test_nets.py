import pytest
import torch
from kinetic_digits import nets
from kinetic_digits.nets import Classifier, VelocityNet, load
from kinetic_digits.train import CLIP

from kinetic.errors import MissingFileError


def test_all_shipped_weights_together_are_at_most_8_megabytes():
    files = [*nets.WEIGHTS.iterdir(), *CLIP.iterdir()]
    assert {path.name for path in files} >= {
        "digits.safetensors",
        "digits-memorised.safetensors",
        "digits-classifier.safetensors",
        "open_clip_model.safetensors",
        "open_clip_config.json",
    }
    assert sum(path.stat().st_size for path in files) <= 8_000_000


def test_a_loaded_net_is_for_inference_only():
    for net in (load(VelocityNet(), "digits"), load(Classifier(), "digits-classifier")):
        assert not net.training
        assert not any(p.requires_grad for p in net.parameters())
        assert all(p.dtype == torch.float32 for p in net.parameters())


def test_missing_weights_name_the_file_and_the_way_on(tmp_path, monkeypatch):
    monkeypatch.setattr(nets, "WEIGHTS", tmp_path)
    with pytest.raises(MissingFileError) as caught:
        load(VelocityNet(), "digits")
    assert f"weights of 'digits': there is no '{tmp_path}/digits.safetensors'" in str(caught.value)
    assert "python -m kinetic_digits.train" in str(caught.value)
