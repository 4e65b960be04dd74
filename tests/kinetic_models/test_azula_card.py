"""Published denoisers of azula, from tensors alone; the cards here are tiny ones of the real classes."""

import sys
from types import SimpleNamespace

import pytest
import torch
from kinetic_models import AzulaCard, AzulaField

from kinetic import Batch, load_recipe, testing
from kinetic.errors import OptionError

SIZES = {
    "image_size": 8,
    "num_channels": 32,
    "channel_mult": [1, 1],
    "attention_resolutions": [4],
    "num_heads": 2,
    "num_res_blocks": 1,
}


@pytest.fixture
def adm(monkeypatch):
    """azula's ADM, with cards of tiny networks."""
    module = pytest.importorskip("azula.plugins.adm", reason="azula is not installed: tox -e peers")
    cards = {"tiny": SimpleNamespace(config=SIZES), "classes": SimpleNamespace(config={**SIZES, "num_classes": 4})}
    monkeypatch.setattr("azula.plugins.utils.load_cards", lambda plugin: cards)
    return module


def filled(adm, path, **more):
    denoiser = adm.make_model(**SIZES, **more)
    generator = torch.Generator().manual_seed(5)
    for p in denoiser.parameters():
        p.data = 0.05 * torch.randn(p.shape, generator=generator)
    torch.save(denoiser.backbone.state_dict(), path)
    return denoiser.eval()


def test_a_card_is_the_denoiser_that_azula_makes_of_it(adm, tmp_path):
    denoiser = filled(adm, tmp_path / "w.pt", num_classes=4)
    field = AzulaCard(plugin="adm", card="classes", shape=[3, 8, 8], weights=str(tmp_path / "w.pt"))
    by_hand = AzulaField(module=denoiser, shape=[3, 8, 8], label="label", classes=4)
    x, t, batch = torch.randn(2, 3, 8, 8), torch.tensor([0.3, 0.7]), Batch(torch.arange(2), torch.tensor([0, 3]))
    assert torch.equal(field.velocity(x, t, batch), by_hand.velocity(x, t, batch))
    assert field.time_map == by_hand.time_map
    assert field.event_shape == torch.Size([3, 8, 8])
    with pytest.raises(OptionError, match="a class from 0 to 3"):
        field.velocity(x, t, Batch(torch.arange(2), torch.tensor([0, 4])))


def test_a_recipe_may_name_one_since_it_holds_no_code(adm, tmp_path):
    filled(adm, tmp_path / "w.pt")
    (tmp_path / "r.toml").write_text(
        f'[field]\nname = "azula-card"\nplugin = "adm"\ncard = "tiny"\nshape = [3, 8, 8]\nweights = "{tmp_path}/w.pt"\n'
        '[solver]\nname = "euler"\nsteps = 2\n[run]\nsamples = 2\n'
    )
    recipe = load_recipe(tmp_path / "r.toml")
    (runner,) = recipe.runners.values()
    testing.check_field(runner.field)
    assert runner.run(2).samples.shape == (2, 3, 8, 8)


def test_cards_and_files_that_do_not_fit_are_named(adm, trap, marker, tmp_path, monkeypatch):
    filled(adm, tmp_path / "w.pt", num_classes=4)
    given = {"plugin": "adm", "shape": [3, 8, 8], "weights": str(tmp_path / "w.pt")}
    with pytest.raises(OptionError, match="'card' must be one of adm's, 'tiny', 'classes': 'large'"):
        AzulaCard(card="large", **given)
    with pytest.raises(OptionError, match=r"does not hold adm tiny: .* 1 of \d+ unexpected: label_emb"):
        AzulaCard(card="tiny", **given)
    torch.save({"x": trap}, tmp_path / "trap.pt")
    with pytest.raises(OptionError, match="cannot be read as tensors alone"):
        AzulaCard(card="tiny", **{**given, "weights": str(tmp_path / "trap.pt")})
    assert not marker.exists()
    with pytest.raises(OptionError, match="'plugin' must be one of 'adm', 'jit', 'vdm'"):
        AzulaCard(card="x", **{**given, "plugin": "edm"})
    monkeypatch.setitem(sys.modules, "azula.plugins.adm", None)
    with pytest.raises(OptionError, match=r'needs azula: pip install "kinetic-flow\[azula\]"'):
        AzulaCard(card="tiny", **given)


@pytest.mark.parametrize("plugin", ["adm", "jit", "vdm"])
def test_the_cards_of_the_installed_azula_are_known(plugin):
    pytest.importorskip(f"azula.plugins.{plugin}", reason="azula is not installed: tox -e peers")
    with pytest.raises(OptionError, match="must be one of"):
        AzulaCard(plugin=plugin, card="none such", shape=[3, 8, 8], weights="none")
