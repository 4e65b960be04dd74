import pytest
import torch
from kinetic_digits import DigitsField
from kinetic_energy import KPE
from kinetic_fields import Blocked, Gaussian, Momentum
from kinetic_solvers import Euler

from kinetic import Runner, load_recipe


@pytest.mark.parametrize("batch", [1, 7, 33, 63])
def test_samples_and_energies_are_the_same_bytes_at_any_batch(batch):
    runner = Runner(Blocked(DigitsField(), rows=64), Euler(steps=5), meters={"kpe": KPE()})
    whole, parts = runner.run(63, batch=63, classes=10), runner.run(63, batch=batch, classes=10)
    assert torch.equal(whole.samples, parts.samples)
    assert torch.equal(whole.energy["kpe"], parts.energy["kpe"])


def test_every_block_has_the_same_rows_and_no_answer_of_a_copy_is_kept():
    asked = []

    field = Gaussian(size=2, std=0.5)
    own = type(field).velocity
    x, t = torch.randn(10, 2), torch.rand(10)

    def counted(self, x, t, batch=None):
        asked.append(len(x))
        return own(self, x, t, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gaussian, "velocity", counted)
        v = Blocked(field, rows=4).velocity(x, t)
    assert asked == [4, 4, 4]
    assert torch.equal(v, field.velocity(x, t))


def test_a_field_with_a_memory_keeps_it_sample_by_sample():
    field = Momentum(Gaussian(size=2, std=0.5), weight=0.5)
    plain, blocked = (
        Runner(each, Euler(steps=5)).run(10, dtype=torch.float64) for each in (field, Blocked(field, rows=4))
    )
    assert torch.allclose(plain.samples, blocked.samples)


RECIPE = """
[run]
samples = 70
batch = 64
classes = 10
[data]
name = "digits"
size = 80
[features]
name = "digits"
[field]
name = "blocked"
rows = 64
field = { name = "digits" }
[solver]
name = "heun"
steps = 2
[energy.kpe]
[metrics.memorisation]
[metrics.knn-support]
[metrics.frechet]
[metrics.class-margin]
logits = "digits-logits"
[arms.plain]
[arms.half]
schedule = { name = "constant", value = 0.5 }
"""


def test_samples_energies_scores_and_evidence_of_a_recipe_are_the_same_bytes_at_any_batch(tmp_path, monkeypatch):
    monkeypatch.setattr("kinetic._report.page.pictures", lambda run: [])
    (tmp_path / "r.toml").write_text(RECIPE)
    runs = {
        batch: load_recipe(tmp_path / "r.toml", [f"run.batch={batch}"]).run(tmp_path / f"{batch}", "cpu")
        for batch in (256, 63, 7, 1)
    }
    for batch, run in runs.items():
        for arm in ("plain", "half"):
            assert torch.equal(run.samples(arm), runs[256].samples(arm)), batch
        for name in ("samples.parquet", "scores.json", "evidence.json", "neighbours/half.safetensors"):
            assert (run.folder / name).read_bytes() == (runs[256].folder / name).read_bytes(), (batch, name)
