"""Whole recipes, end to end."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import attrs
import numpy as np
import pytest
import torch
from kinetic_metrics import jackknife
from rich.console import Console

from kinetic import load_recipe, load_run
from kinetic._evaluate.checked_data import Checked
from kinetic._experiment.experiment import arms_of
from kinetic._report import print_report
from kinetic._store.manifest import Manifest
from kinetic.errors import OptionError, RecipeError, ShapeError, StoreError

SMALL = """
    title = "small"
    [run]
    samples = 60
    seed = 3
    batch = 25
    classes = 10
    [data]
    name = "digits"
    size = 80
    [field]
    name = "digits-memorised"
    [solver]
    name = "euler"
    steps = 10
    [energy.kpe]
    [energy.power]
    bins = 5
    [metrics.memorisation]
    features = { name = "digits" }
    [metrics.frechet]
    reference = { name = "digits", split = "test" }
    features = { name = "digits-logits" }
    [arms.plain]
    [arms.kts.schedule]
    name = "kts"
    beta = 0.03
    [arms.closed]
    field = { name = "empirical" }
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    import textwrap

    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(textwrap.dedent(SMALL))
    return load_recipe(folder / "small.toml").run(folder / "out", device="cpu")


def test_the_folder_holds_what_the_design_names(finished):
    names = {path.name for path in finished.folder.iterdir()}
    assert {"recipe.toml", "provenance.json", "samples.parquet", "scores.json", "evidence.json", "report.html"} <= names
    assert {path.name for path in (finished.folder / "shards").iterdir()} == {"plain", "kts", "closed"}
    assert not list(finished.folder.rglob("*.part"))


def test_every_json_file_is_strict(finished):
    def refuse(constant):
        raise AssertionError(constant)

    for path in finished.folder.glob("*.json"):
        json.loads(path.read_text(), parse_constant=refuse)


def test_the_table_joins_energies_and_scores_of_all_arms(finished):
    table = finished.table
    assert len(table) == 180
    expected = {"arm", "sample", "class", "kpe", "bending", "power", "x0_sq", "gain", "memorisation.ratio"}
    assert expected <= set(table.column_names)
    assert finished.rows("plain")["gain"].null_count == 60
    assert finished.rows("kts")["gain"].null_count == 0
    assert finished.rows("kts")["class"].to_pylist() == [i % 10 for i in range(60)]


def test_all_arms_share_their_noise(finished):
    norms = [np.array(finished.rows(arm)["x0_sq"]) for arm in finished.arms]
    assert np.array_equal(norms[0], norms[1])
    assert np.array_equal(norms[0], norms[2])


def test_scores_and_differences_are_those_of_the_table(finished):
    for arm in finished.arms:
        rows = finished.rows(arm)
        scores = finished.scores[arm]
        assert scores["energy"]["kpe"]["value"] == pytest.approx(np.mean(rows["kpe"]))
        assert scores["memorisation"]["f_mem"]["value"] == pytest.approx(np.mean(rows["memorisation.memorised"]))
    found = {(d["arm"], d["metric"], d["name"]): d for d in finished.evidence["differences"]}
    a, b = (np.array(finished.rows(arm)["kpe"]) for arm in ("kts", "plain"))
    assert found["kts", "energy", "kpe"]["value"] == pytest.approx((a - b).mean())
    assert found["kts", "energy", "kpe"]["high"] < 0  # a gain below 1 at the end takes energy away
    assert ("kts", "frechet", "fd") in found
    assert not any("index" in name for _, _, name in found)


def test_arms_whose_scores_left_out_other_groups_are_not_compared(recipe, tmp_path, monkeypatch):
    """64 pixels in one arm, 48 features in the other: the jackknife has 10 and 20 groups."""
    monkeypatch.setattr(jackknife, "_WIDE", 50)
    path = recipe(
        "[run]\nsamples = 60\nclasses = 10\n[field]\nname = 'digits'\n[solver]\nname = 'euler'\nsteps = 2\n"
        "[energy.kpe]\n[metrics.vendi]\n[arms.pixels]\n[arms.same]\n[arms.features]\n"
        "metrics.vendi.features = { name = 'digits' }\n"
    )
    run = load_recipe(path).run(tmp_path / "run", device="cpu")
    compared = {(row["arm"], row["metric"]) for row in run.evidence["differences"]}
    assert ("same", "vendi") in compared
    assert ("features", "vendi") not in compared
    assert ("features", "energy") in compared


def test_correlations_are_spearmans_of_the_table(finished):
    from scipy.stats import spearmanr

    rows = finished.rows("plain")
    for row in finished.evidence["correlations"]["plain"]:
        if row["raw"]:
            end = "" if row["view"] == "plain" else "_denoised"
            column = rows[f"{row['metric']}.{row['score']}{end}"]
            expected = spearmanr(rows[row["energy"]], column).statistic
            assert row["raw"]["value"] == pytest.approx(expected, abs=1e-9)
    assert sum(share["value"] for share in finished.evidence["shares"]["plain"]["kpe"].values()) == pytest.approx(1)


def test_the_closed_form_copies_its_data(finished):
    assert finished.scores["closed"]["memorisation"]["f_mem"]["value"] == 1
    kept = finished.neighbours("closed")
    assert torch.allclose(kept["samples"], kept["nearest"], atol=1e-4)
    ratios = np.array(finished.rows("closed")["memorisation.ratio"])
    assert ratios[kept["ids"].numpy()].max() <= np.partition(ratios, 11)[11]


def test_samples_are_read_back_in_order(finished):
    samples = finished.samples("plain")
    assert samples.shape == (60, 1, 8, 8)
    squared = samples.double().flatten(1).square().sum(1)
    assert np.allclose(squared, finished.rows("plain")["x1_sq"])


def test_provenance_says_where_the_numbers_come_from(finished):
    found = finished.provenance
    assert found["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert found["run"] == {"samples": 60, "seed": 3, "batch": 25, "classes": 10}
    assert found["arms"]["kts"]["schedule"]["beta"] == 0.03
    assert found["arms"]["kts"]["schedule"]["tau"] == 0.6  # a default, spelt out
    assert len(found["weights"]["plain"]["field"]) == 64
    assert found["weights"]["plain"]["field"] == found["weights"]["kts"]["field"] != found["weights"]["closed"]["field"]
    assert "t = 0 noise" in found["time_map"]
    assert set(found["seconds"]) == {"plain", "kts", "closed"}


def test_a_finished_run_is_not_sampled_again(finished):
    before = {path: path.stat().st_mtime_ns for path in (finished.folder / "shards").rglob("*.safetensors")}
    table = finished.table
    again = load_recipe(finished.folder.parent / "small.toml").run(finished.folder, device="cpu")
    assert {path: path.stat().st_mtime_ns for path in (finished.folder / "shards").rglob("*.safetensors")} == before
    assert again.table.equals(table)
    assert again.provenance["seconds"] == finished.provenance["seconds"]


def test_a_folder_of_another_run_is_left_alone(finished, tmp_path):
    path = finished.folder.parent / "small.toml"
    with pytest.raises(StoreError) as caught:
        load_recipe(path, ["arms.kts.schedule.beta=0.02"]).run(finished.folder, device="cpu")
    assert "holds another run:\n  arms.kts.schedule.beta is 0.03 there and 0.02 here" in str(caught.value)
    assert "--out" in str(caught.value)
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(StoreError, match="exists but holds no run"):
        load_recipe(path).run(tmp_path, device="cpu")


def test_a_folder_made_with_other_weights_is_left_alone(finished, tmp_path, rewrite):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished.folder, copy)
    found = json.loads((copy / "provenance.json").read_text())
    found["made_by"]["plain"]["field"] = "0" * 64
    rewrite(copy, "provenance.json", found)
    with pytest.raises(StoreError, match=r"with other weights or data:\n  plain\.field is '0000"):
        load_recipe(finished.folder.parent / "small.toml").run(copy, device="cpu")


NAN = """
    import attrs, kinetic, os, time, torch

    @attrs.frozen(eq=False)
    class Fragile(kinetic.VelocityField):
        wait: float = 0.0

        @property
        def event_shape(self):
            return torch.Size([2])

        def velocity(self, x, t, batch=None):
            time.sleep(self.wait)
            v = torch.ones_like(x)
            if os.environ.get("FRAGILE") and batch is not None:
                v[(batch.ids == 7) & (t > 0.5)] = float("nan")
            return v

    @kinetic.hookimpl
    def register_fields(register):
        register("fragile", Fragile)
"""
FRAGILE = """
    [run]
    samples = 12
    batch = 4
    [field]
    name = "fragile"
    [solver]
    name = "euler"
    steps = 10
    [energy.kpe]
    [arms.one]
    [arms.two.schedule]
    name = "constant"
    value = 0.5
"""


def test_a_sample_that_is_not_finite_is_named_and_left_out_while_the_rest_goes_on(
    install, recipe, tmp_path, monkeypatch
):
    install("acme-fragile", "acme_fragile", NAN)
    found = load_recipe(recipe(FRAGILE))
    whole = found.run(tmp_path / "whole", device="cpu")
    monkeypatch.setenv("FRAGILE", "1")
    run = found.run(tmp_path / "out", device="cpu")
    good = [i for i in range(12) if i != 7]
    for arm in ("one", "two"):
        assert run.left_out[arm] == {7: pytest.approx(0.6)}
        assert "7 (t = 0.6)" in " ".join(run.evidence["notes"][arm]["energy"])
        assert run.rows(arm)["status"].to_pylist()[7] == "stopped: not finite"
        assert run.rows(arm)["kpe"].take(good).equals(whole.rows(arm)["kpe"].take(good))
        mean = np.mean(whole.rows(arm)["kpe"].take(good).to_numpy())
        assert run.scores[arm]["energy"]["kpe"]["value"] == pytest.approx(mean, rel=1e-12)
        assert torch.equal(run.stored(arm)[torch.tensor(good)], whole.stored(arm)[torch.tensor(good)])
    events = [json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines()]
    left_out = [(e["arm"], e["samples"], e["t"]) for e in events if e["event"] == "left out"]
    assert [(arm, ids) for arm, ids, _ in left_out] == [("one", [7]), ("two", [7])]
    assert left_out[0][2] == pytest.approx([0.6])


def test_a_killed_run_goes_on_where_it_stopped_and_gives_the_same(install, recipe, tmp_path):
    site = install("acme-slow", "acme_slow", NAN)
    path = recipe(FRAGILE.replace('name = "fragile"', 'name = "fragile"\n    wait = 0.05'))
    command = [sys.executable, "-m", "kinetic", "run", str(path), "--device", "cpu", "--out"]
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen([*command, str(tmp_path / "cut")], env=environment, stderr=subprocess.DEVNULL)
    shards = tmp_path / "cut" / "shards" / "one"
    deadline = time.monotonic() + 60
    while len(list(shards.glob("0*.safetensors"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    listed = Manifest.read(tmp_path / "cut").entries  # one that was not listed yet is drawn again
    kept = {
        part: part.stat().st_mtime_ns for part in shards.glob("0*.safetensors") if f"shards/one/{part.name}" in listed
    }
    assert kept
    assert not (tmp_path / "cut" / "samples.parquet").exists()
    subprocess.run([*command, str(tmp_path / "cut")], env=environment, check=True, capture_output=True)
    subprocess.run([*command, str(tmp_path / "whole")], env=environment, check=True, capture_output=True)
    assert {part: part.stat().st_mtime_ns for part in kept} == kept
    cut, whole = load_run(tmp_path / "cut"), load_run(tmp_path / "whole")
    assert cut.table.equals(whole.table)
    assert torch.equal(cut.samples("two"), whole.samples("two"))


def test_samples_and_data_of_different_shapes_are_named_before_sampling(recipe, tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(20, 3)).astype("float32"))
    changes = [f"data={{name='tensor-file', path='{tmp_path}/points.npy'}}", "field={name='gaussian'}"]
    found = load_recipe(recipe(FRAGILE), [*changes, "arms.two.metrics.mem={name='memorisation'}"])
    with pytest.raises(
        ShapeError,
        match=r"arm 'two': metric 'mem': 'train' holds points of shape \(3,\), the samples have shape \(2,\)",
    ):
        found.run(tmp_path / "out", device="cpu")
    assert not (tmp_path / "out" / "shards").exists()


def test_data_out_of_range_in_the_last_arm_are_named_before_the_first_arm_is_sampled(recipe, tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (60, 1, 8, 8)).astype("float32")
    x[59, 0, 0, 0] = 7
    np.save(tmp_path / "far.npy", x)
    far = f"{{name='tensor-file', path='{tmp_path}/far.npy'}}"
    changes = ["data={name='digits', size=40}", "field={name='empirical'}"]
    found = load_recipe(recipe(FRAGILE), [*changes, f"arms.two.metrics.mem={{name='memorisation', train={far}}}"])
    said = r"arm 'two': metric 'mem': points of 'train' that are images must be in .*: they range from -0\.9\d+ to 7\n"
    with pytest.raises(OptionError, match=said):
        found.run(tmp_path / "out", device="cpu")
    assert not (tmp_path / "out" / "shards").exists()


def test_the_data_that_arms_share_are_looked_at_once(recipe, monkeypatch):
    changes = ["data={name='digits', size=40}", "field={name='empirical'}", "metrics.mem={name='memorisation'}"]
    found = load_recipe(recipe(FRAGILE), changes)
    arms, looked, look = arms_of(found, torch.device("cpu")), [], Checked._look
    monkeypatch.setattr(Checked, "_look", lambda self, x, numbers: looked.extend(numbers) or look(self, x, numbers))
    arms.dry_run()
    assert looked == list(range(40))


def test_evidence_leaves_out_what_stopped_on_the_way_and_says_so():
    """Sample 1 stopped in one arm: differences pair the others alone, whatever its columns hold."""
    from kinetic import Column, Estimate, Run, Score
    from kinetic._experiment.compare import compare

    def run(kpe, status):
        n = len(kpe)
        values = torch.tensor(kpe, dtype=torch.float64)
        energy = {name: torch.rand(n, dtype=torch.float64) for name in ("x0_sq", "x0_dot_x1", "x1_sq")}
        energy |= {"kpe": values, "status": torch.tensor(status, dtype=torch.float64), "nfe": values}
        described = {"good": Column("good")}
        score = Score(
            {"good": Estimate(float(values.mean()) * 2)}, torch.arange(n), {"good": values * 2}, described=described
        )
        kinds = dict.fromkeys(energy, "energy") | {"status": "label", "nfe": "count"}
        columns = {name: Column(name, kind=kind) for name, kind in kinds.items()}
        return Run(torch.zeros(n, 2), torch.zeros(n, 2), energy, {"plain": {"metric": score}}, described=columns)

    n = 30
    plain = run([float(i) for i in range(n)], [0.0] * n)
    kpe = [i + 1.0 for i in range(n)]
    kpe[1] = 1e9
    found = compare({"plain": plain, "other": run(kpe, [0.0, 1.0, *[0.0] * (n - 2)])}, {"other": "plain"}, {})
    rows = {(row["metric"], row["name"]): row["value"] for row in found["differences"]}
    assert rows == {("energy", "kpe"): pytest.approx(1), ("metric", "good"): pytest.approx(2)}
    assert {row["n"] for row in found["correlations"]["other"]} == {n - 1}
    assert "1 of 30 samples did not reach t = 1" in found["notes"]["other"]["energy"][0]


def test_a_recipe_whose_samples_all_stop_still_ends_in_a_report(recipe, tmp_path):
    path = recipe("""
        title = "stopped"
        [run]
        samples = 40
        [data]
        name = "digits"
        [field]
        name = "digits"
        [energy.kpe]
        [metrics.memorisation]
        [arms.plain]
        solver = { name = "euler", steps = 5 }
        [arms.stopped]
        solver = { name = "dopri5", max_steps = 1 }
    """)
    done = load_recipe(path).run(tmp_path / "out", device="cpu")
    assert set(done.table["status"].to_pylist()[40:]) == {"stopped: step limit"}
    assert done.scores["stopped"]["energy"]["kpe"] is None
    assert "40 of 40 samples did not reach t = 1" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


NO_NUMBER = """
    import attrs, kinetic, numpy as np

    @attrs.frozen(eq=False)
    class NoNumber(kinetic.Metric):
        def begin(self):
            return 0

        def observe(self, state, samples):
            return state + len(samples.ids)

        def merge(self, a, b):
            return a + b

        def finish(self, state):
            nan, groups = float("nan"), np.full(20, float("nan"))
            return kinetic.Score({"bad": kinetic.Estimate(nan, nan, nan, groups), "n": kinetic.Estimate(float(state))})

    @kinetic.hookimpl
    def register_metrics(register):
        register("no-number", NoNumber)
"""


def test_a_score_that_is_no_number_is_null_everywhere_and_noted_with_its_name(install, recipe, tmp_path):
    install("acme-nan", "acme_nan", NO_NUMBER)
    path = recipe(
        "[run]\nsamples = 20\n[field]\nname = 'gaussian'\n[solver]\nname = 'euler'\nsteps = 2\n[energy.kpe]\n"
        "[metrics.mine]\nname = 'no-number'\n[arms.a]\n[arms.b]\n"
    )
    run = load_recipe(path).run(tmp_path / "run", device="cpu")
    nothing = {"value": None, "low": None, "high": None}
    assert run.scores["a"]["mine"] == {"bad": nothing, "n": {"value": 20.0, "low": None, "high": None}}
    (row,) = [row for row in run.evidence["differences"] if row["metric"] == "mine"]
    assert {**row, **nothing} == row
    said = "'bad' of metric 'mine' is nan, no finite number: it is kept as null."
    assert run.evidence["notes"]["a"]["mine"] == [said]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "of metric &#39;mine&#39; is nan" in page
    out = io.StringIO()
    print_report(run, Console(file=out, width=200))
    assert "mine" in out.getvalue()


FIELD_OF_MINE = """
import attrs, torch, kinetic

@attrs.frozen(eq=False)
class Mine(kinetic.VelocityField):
    event_shape = torch.Size([3])

    def velocity(self, x, t, batch=None):
        return (1 - 2 * t[:, None]) * {slope} * x
"""


def test_a_run_is_not_gone_on_with_after_the_code_of_its_field_changed(tmp_path, monkeypatch):
    import importlib
    import linecache

    from kinetic import registry
    from kinetic._experiment.read_recipe import build_recipe

    monkeypatch.syspath_prepend(str(tmp_path))
    content = {
        "run": {"samples": 4},
        "field": {"name": "mine"},
        "solver": {"name": "euler", "steps": 2},
        "energy": {"kpe": {}},
    }

    def recipe(slope):
        (tmp_path / "field_of_mine.py").write_text(FIELD_OF_MINE.format(slope=slope))
        importlib.invalidate_caches()
        linecache.clearcache()
        sys.modules.pop("field_of_mine", None)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        cls = importlib.import_module("field_of_mine").Mine
        known = registry()
        fields = {**known.classes["field"], "mine": cls}
        known = attrs.evolve(
            known,
            classes={**known.classes, "field": fields},
            origins={**known.origins, ("field", "mine"): "field_of_mine"},
        )
        return build_recipe("mine", content, known)

    recipe("-1.0").run(tmp_path / "out", "cpu")
    recipe("-1.0").run(tmp_path / "out", "cpu")
    with pytest.raises(StoreError, match=r"was made with other code:\n  base\.code of field_of_mine\.Mine is"):
        recipe("-2.00").run(tmp_path / "out", "cpu")


def small(tmp_path, run):
    parts = "[field]\nname = 'gaussian'\nsize = 64\n[solver]\nname = 'euler'\nsteps = 3\n[energy.kpe]\n"
    (tmp_path / "r.toml").write_text(f"[run]\nsamples = 5\n{run}\n{parts}")
    return load_recipe(tmp_path / "r.toml")


def test_samples_may_be_drawn_in_another_type(tmp_path):
    run = small(tmp_path, "dtype = 'float64'").run(tmp_path / "out", "cpu")
    assert run.samples("base").dtype == torch.float64
    low = small(tmp_path, "dtype = 'bfloat16'").run(tmp_path / "low", "cpu")
    assert low.samples("base").dtype == torch.bfloat16
    with pytest.raises(RecipeError, match=r"\[run\] 'dtype' must be one of"):
        small(tmp_path, "dtype = 'int8'")


def test_samples_may_begin_at_data_and_are_bound_to_them(tmp_path):
    torch.manual_seed(0)
    x = torch.randn(6, 64)
    np.save(tmp_path / "x.npy", x.numpy())
    recipe = small(tmp_path, f"start = {{ name = 'tensor-file', path = '{tmp_path / 'x.npy'}' }}")
    run = recipe.run(tmp_path / "out", "cpu")
    assert np.allclose(run.rows("base")["x0_sq"].to_numpy(), x[:5].double().square().sum(1).numpy())
    np.save(tmp_path / "x.npy", (x + 1).numpy())
    again = small(tmp_path, f"start = {{ name = 'tensor-file', path = '{tmp_path / 'x.npy'}' }}")
    with pytest.raises(StoreError, match=r"other weights or data:\n  \[run\]\.start is"):
        again.run(tmp_path / "out", "cpu")
    np.save(tmp_path / "x.npy", x[:3].numpy())
    with pytest.raises(OptionError, match="'start'"):
        small(tmp_path, f"start = {{ name = 'tensor-file', path = '{tmp_path / 'x.npy'}' }}").run(tmp_path / "b", "cpu")
