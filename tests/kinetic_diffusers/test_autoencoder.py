import pytest
import torch
from kinetic_diffusers import DiffusersField
from kinetic_diffusers.autoencoder import autoencoder, decoded
from kinetic_solvers import Euler
from safetensors.torch import save_file

from kinetic import Runner
from kinetic.errors import MissingFileError, OptionError

pytestmark = pytest.mark.filterwarnings("ignore")


def test_what_is_seen_is_what_the_pipeline_decodes(tiny, tmp_path):
    pipe, asked = tiny.sd3()
    pipe.vae.save_pretrained(tmp_path / "vae")
    latents = pipe(**asked, num_inference_steps=2, output_type="latent", generator=torch.manual_seed(3)).images
    images = pipe(**asked, num_inference_steps=2, output_type="pt", generator=torch.manual_seed(3)).images
    net = autoencoder(str(tmp_path), 4, torch.float32)
    assert torch.allclose(decoded(net, latents), 2 * images - 1, atol=1e-6)


def test_energies_are_those_of_latents_and_metrics_see_images(tiny, tmp_path):
    pipe, asked = tiny.sd3()
    pipe.transformer.save_pretrained(tmp_path / "transformer")
    pipe.vae.save_pretrained(tmp_path / "vae")
    save_file({name: asked[name] for name in ("prompt_embeds", "pooled_prompt_embeds")}, tmp_path / "c.safetensors")
    given = {"pretrained": str(tmp_path), "conditions": str(tmp_path / "c.safetensors")}
    plain = Runner(DiffusersField(**given), Euler(steps=2)).run(2, classes=2, device="cpu")
    shown = Runner(DiffusersField(**given, vae=str(tmp_path)), Euler(steps=2)).run(2, classes=["a", "b"], device="cpu")
    assert torch.equal(shown.state, plain.samples)
    assert torch.equal(shown.energy["x1_sq"], plain.energy["x1_sq"])
    assert shown.samples.shape == (2, 3, 8, 8)
    assert torch.equal(shown.samples, decoded(autoencoder(str(tmp_path), 4, torch.float32), plain.samples))


def test_another_autoencoder_is_refused(tiny, tmp_path):
    tiny.vae(4).save_pretrained(tmp_path / "vae")
    with pytest.raises(OptionError, match="'vae' decodes latents of 4 channels, the transformer moves 16"):
        autoencoder(str(tmp_path), 16, torch.float32)
    with pytest.raises(MissingFileError, match="vae: there is no"):
        autoencoder(str(tmp_path / "nowhere"), 4, torch.float32)
    (tmp_path / "vae" / "config.json").write_text('{"_class_name": "AutoencoderTiny"}')
    with pytest.raises(OptionError, match=r"'vae' must be an AutoencoderKL: .* is a 'AutoencoderTiny'"):
        autoencoder(str(tmp_path), 4, torch.float32)
