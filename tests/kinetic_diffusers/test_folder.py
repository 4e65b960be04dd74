import json
import sys

import pytest
import torch
from kinetic_diffusers.folder import class_of, diffusers_package, folder_of, loaded
from safetensors.torch import load_file, save_file

from kinetic.errors import MissingFileError, OptionError


def test_a_part_is_found_below_a_pipeline_and_by_itself(tmp_path):
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    for place in (tmp_path, tmp_path / "vae"):
        assert folder_of(str(place), "vae", "vae", ("AutoencoderKL",)) == tmp_path / "vae"
    with pytest.raises(MissingFileError, match="there is no"):
        folder_of(str(tmp_path), "pretrained", "transformer", ("X",))
    for text in ("[1]", "{", ""):
        (tmp_path / "vae" / "config.json").write_text(text)
        with pytest.raises(OptionError, match="'vae' has no readable config"):
            class_of(tmp_path / "vae", "vae")


@pytest.fixture
def folder(diffusers, tmp_path):
    """Of a tiny autoencoder."""
    diffusers.AutoencoderKL(block_out_channels=(4,), norm_num_groups=1, latent_channels=4).save_pretrained(tmp_path)
    return tmp_path


def resaved(folder, **more):
    path = folder / "diffusion_pytorch_model.safetensors"
    held = {name: each for name, each in load_file(path).items() if name != more.get("without")}
    save_file(held | more.get("beside", {}), path)


def test_a_network_has_the_tensors_of_its_folder_and_is_in_evaluation(folder):
    net = loaded(folder, "vae", "field 'decoded'", torch.float64)
    assert not net.training
    held = load_file(folder / "diffusion_pytorch_model.safetensors")
    assert all(torch.equal(each, held[name].double()) for name, each in net.state_dict().items())


def test_tensors_that_are_missing_or_not_expected_are_counted_and_not_drawn_at_random(folder):
    resaved(folder, without="decoder.conv_out.weight", beside={"stray": torch.zeros(2)})
    with pytest.raises(
        OptionError,
        match=r"not hold the tensors of AutoencoderKL: .*: 1 missing: decoder\.conv_out\.weight; 1 unexpected: stray",
    ):
        loaded(folder, "vae", "field 'decoded'", torch.float32)


@pytest.mark.parametrize("more", [{"norm_num_groups": "x"}, {"latent_channels": 5}, {"block_out_channels": 3}])
def test_a_config_of_which_no_network_is_made_is_named(folder, more):
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **more}))
    with pytest.raises(OptionError, match=r"'vae' cannot be loaded as safetensors: .*Error: "):
        loaded(folder, "vae", "field 'decoded'", torch.float32)


def test_without_diffusers_the_error_says_how_it_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(OptionError, match=r'needs diffusers: pip install "kinetic-flow\[diffusers\]"'):
        diffusers_package("field 'decoded'")
