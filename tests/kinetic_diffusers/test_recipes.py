"""The recipes of diffusers' models run offline on tiny ones of the real classes."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kinetic import Batch, load_recipe

pytestmark = pytest.mark.filterwarnings("ignore")
CLIP = 'metrics.clip={ model = "local-dir:package:kinetic_digits/clip" }'


@pytest.fixture
def folder(pipelines, tmp_path, monkeypatch):
    """folder(pipe, asked): a folder with two prompts, their conditions, and the saved pipeline."""
    monkeypatch.chdir(tmp_path)

    def saved(pipe, asked):
        (tmp_path / "prompts.txt").write_text("a red cube\n\na <b>blue</b> ball\n")
        pipe.transformer.save_pretrained(tmp_path / "pipe" / "transformer")
        pipe.vae.save_pretrained(tmp_path / "pipe" / "vae")
        rows = {
            name: torch.cat([asked[name], asked.get(f"negative_{name}", asked[name])[:1]]).contiguous()
            for name in ("prompt_embeds", "pooled_prompt_embeds")
        }
        save_file(rows, "conditions.safetensors")
        return tmp_path / "run"

    return saved


@pytest.mark.parametrize(
    ("name", "field", "own"),
    [
        ("sd3", "field.field.field.", ["field.field.field.null=2"]),
        ("flux", "field.field.", ["field.field.height=8", "field.field.width=8"]),
    ],
)
def test_a_study_of_prompts_runs_with_clip_on_decoded_images(name, field, own, pipelines, folder):
    out = folder(*pipelines.PIPELINES[name]())
    overrides = ["field.vae=pipe", f"{field}pretrained=pipe"]
    overrides += [f"{field}dtype=float32", "run.samples=6", "run.batch=3", "solver.steps=2", CLIP, *own]
    run = load_recipe(f"{name}-prompts", overrides).run(out, device="cpu")
    assert run.table["prompt"].to_pylist() == ["a red cube", "a <b>blue</b> ball"] * 12
    assert run.arms == ["plain", "balanced", "launch", "landing"]
    for arm in run.arms:
        assert run.samples(arm).shape[1] == 3
        assert -1 <= run.samples(arm).min() <= run.samples(arm).max() <= 1
        assert {"score", "margin_mean", "margin_hard"} <= {*run.scores[arm]["clip"]}
    page = (out / "report.html").read_text()
    assert "a &lt;b&gt;blue&lt;/b&gt; ball" in page
    assert "<b>blue</b>" not in page


NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.word = nn.Embedding(1001, 4)

    def forward(self, x, t, y):
        return -x + 0.1 * self.conv(x) + 0.1 * t.view(-1, 1, 1, 1) * x + 0.1 * self.word(y)[:, :, None, None]
"""


@pytest.fixture
def sit(pipelines, tmp_path, monkeypatch):
    """The recipe for SiT on a tiny network of its signature, and that network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "tiny_sit.py").write_text(NET)
    import tiny_sit

    torch.manual_seed(0)
    net = tiny_sit.Net()
    torch.save(net.state_dict(), "sit.pt")
    pipelines.vae(4).save_pretrained(tmp_path / "vae")
    images = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    np.savez("reference.npz", arr_0=images)
    overrides = ["field.vae=vae", "field.field.field.weights=sit.pt", "reference.path=reference.npz", "solver.steps=2"]
    overrides += [f"metrics.{name}.features=pixels" for name in ("frechet", "prdc")]
    recipe = load_recipe("sit-imagenet", [*overrides, "run.samples=20", "run.batch=7"], field="module:tiny_sit:Net")
    return recipe, net


def test_the_recipe_for_sit_runs_with_its_class_and_its_null_class_and_is_seen_as_images(sit, tmp_path):
    recipe, net = sit
    field = recipe.runners["plain"].field
    x, t, y = torch.randn(3, 4, 32, 32), torch.full((3,), 0.3), torch.tensor([0, 1, 2])
    with torch.no_grad():
        conditional, none = net(x, t, y), net(x, t, torch.full((3,), 1000))
        v = field.velocity(x, t, Batch(torch.arange(3), y))
    assert torch.allclose(v, none + 1.5 * (conditional - none), atol=1e-5)
    run = recipe.run(tmp_path / "run", device="cpu")
    assert run.arms == ["plain", "balanced", "launch", "landing"]
    assert run.samples("plain").shape == (20, 3, 32, 32)
    assert {*run.scores["plain"]} == {"energy", "frechet", "prdc"}
