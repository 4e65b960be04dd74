import pytest
import torch
from kinetic_diffusers.folder import class_of, loaded

from kinetic.errors import MissingFileError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore")


def test_the_class_is_the_one_of_the_config(tiny, tmp_path):
    tiny.vae(4).save_pretrained(tmp_path)
    assert class_of(tmp_path, "vae", "") == "AutoencoderKL"
    net = loaded("AutoencoderKL", tmp_path, "vae", "", torch.bfloat16)
    assert not net.training
    assert {p.dtype for p in net.parameters()} == {torch.bfloat16}


def test_a_folder_without_a_config_or_with_one_that_is_none_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"pretrained: there is no .*config\.json"):
        class_of(tmp_path, "pretrained", "Give one.")
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(OptionError, match="'pretrained' has no readable config"):
        class_of(tmp_path, "pretrained", "Give one.")


def test_weights_that_are_no_safetensors_are_refused(tiny, tmp_path):
    tiny.vae(4).save_pretrained(tmp_path, safe_serialization=False)
    with pytest.raises(OptionError, match="'vae' cannot be loaded as safetensors"):
        loaded("AutoencoderKL", tmp_path, "vae", "Give one.", torch.float32)
