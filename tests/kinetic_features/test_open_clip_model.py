import json

import pytest
import torch
from kinetic_digits.train import CLIP_CONFIG
from kinetic_features.open_clip_model import open_clip_model
from safetensors.torch import save_file

from kinetic.errors import MissingFileError


@pytest.fixture
def folder(tmp_path):
    """A CLIP of random weights whose preprocessing differs from every default."""
    import open_clip

    config = json.loads(json.dumps(CLIP_CONFIG))
    config["preprocess_cfg"] = {"mean": [0.1, 0.2, 0.3], "std": [0.7, 0.8, 0.9], "interpolation": "bilinear"}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    net = open_clip.CLIP(**config["model_cfg"])
    save_file(
        {name: tensor.contiguous() for name, tensor in net.state_dict().items()},
        tmp_path / "open_clip_model.safetensors",
    )
    return tmp_path


def test_the_preprocessing_is_the_models_own(folder):
    model = open_clip_model(f"local-dir:{folder}", None)
    assert (model.size, model.mean, model.std, model.interpolation) == (
        (8, 8),
        (0.1, 0.2, 0.3),
        (0.7, 0.8, 0.9),
        "bilinear",
    )
    x = torch.rand(3, 3, 8, 8) * 2 - 1
    mean, std = torch.tensor([[0.1, 0.2, 0.3], [0.7, 0.8, 0.9]])[:, :, None, None]
    expected = model.net.encode_image(((x + 1) / 2 - mean) / std, normalize=True)
    assert torch.allclose(model.images(model.net, x), expected, atol=1e-6)


def test_weights_that_are_junk_are_named_and_no_pickle_is_recommended(folder):
    (folder / "open_clip_model.safetensors").unlink()
    (folder / "open_clip_pytorch_model.bin").write_bytes(b"junk" * 9)
    with pytest.raises(MissingFileError, match="cannot be loaded") as caught:
        open_clip_model(f"local-dir:{folder}", None)
    assert "weights_only" not in str(caught.value)


def test_weights_that_are_cut_short_are_named(folder):
    weights = folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(MissingFileError, match="cannot be loaded"):
        open_clip_model(f"local-dir:{folder}", None)
