"""The recipes of diffusers' models run offline on tiny ones of the real classes."""

import pytest
import torch
from safetensors.torch import save_file

from kinetic import load_recipe

pytestmark = pytest.mark.filterwarnings("ignore")
CLIP = 'metrics.clip={ model = "local-dir:package:kinetic_digits/clip" }'


@pytest.fixture
def folder(tiny, tmp_path, monkeypatch):
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
        ("sd3", "field.field.", ["field.field.null=2"]),
        ("flux", "field.", ["field.height=8", "field.width=8"]),
    ],
)
def test_a_study_of_prompts_runs_with_clip_on_decoded_images(name, field, own, tiny, folder):
    out = folder(*tiny.PIPELINES[name]())
    overrides = [f"{field}{key}=pipe" for key in ("pretrained", "vae")]
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
