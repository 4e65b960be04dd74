"""Latents seen as images by a real autoencoder, and scored as such."""

import pytest
import torch
from kinetic_diffusers import Decoded
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_metrics import Sharpness
from kinetic_solvers import Euler

from kinetic import Runner, VelocityField
from kinetic.errors import MissingFileError, OptionError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore")


class Latents(VelocityField):
    event_shape = torch.Size([4, 4, 4])

    def velocity(self, x, t, batch=None):
        return Gaussian(size=64, std=0.6).velocity(x.flatten(1), t).view_as(x)


def test_metrics_and_report_see_images_and_energies_are_of_latents(pipelines, tmp_path):
    vae = pipelines.vae()
    vae.save_pretrained(tmp_path / "vae")
    parts = {"solver": Euler(steps=3), "meters": {"kpe": KPE()}}
    plain = Runner(Latents(), **parts).run(5)
    run = Runner(Decoded(Latents(), vae=str(tmp_path)), metrics={"sharp": Sharpness()}, **parts).run(5)
    assert torch.equal(run.state, plain.samples)
    assert torch.equal(run.energy["kpe"], plain.energy["kpe"])
    with torch.no_grad():
        images = vae.decode(run.state / 1.5 + 0.06, return_dict=False)[0].clamp(-1, 1)
    assert torch.allclose(run.samples, images, atol=1e-6)
    assert run.samples.shape[1] == 3
    assert torch.allclose(run.details["sharp"].columns["sharpness"], Sharpness().columns(_samples(images))["sharpness"])


def _samples(x):
    from kinetic import Samples

    return Samples(torch.arange(len(x)), x)


def test_what_cannot_decode_is_named(pipelines, tmp_path):
    pipelines.vae(8).save_pretrained(tmp_path / "eight")
    with pytest.raises(ShapeError, match=r"'vae' decodes latents of 8 channels, 'field' moves samples of \(4, 4, 4\)"):
        Decoded(Latents(), vae=str(tmp_path / "eight"))
    with pytest.raises(MissingFileError, match="there is no"):
        Decoded(Latents(), vae=str(tmp_path / "none"))
    (tmp_path / "eight" / "config.json").write_text('{"_class_name": "UNet"}')
    with pytest.raises(OptionError, match="'vae' is a 'UNet'; known are AutoencoderKL"):
        Decoded(Latents(), vae=str(tmp_path / "eight"))
