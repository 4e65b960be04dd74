"""The command line, as a user types it."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from importlib.metadata import version

import numpy as np
import pyarrow.parquet as pq
import pytest

from kinetic._plugins.recipes import shipped

pytestmark = pytest.mark.proof  # a process for each command


def kinetic(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "kinetic", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **environment},
        timeout=300,
        check=False,
    )


def test_help_needs_neither_torch_nor_a_plugin():
    code = textwrap.dedent("""
        import sys
        sys.argv = ["kinetic", "--help"]
        from kinetic._cli import main
        try:
            main()
        except SystemExit:
            pass
        heavy = {"torch", "numpy", "matplotlib", "pyarrow", "rich.console", "kinetic_solvers", "open_clip"}
        heavy &= set(sys.modules)
        assert not heavy, heavy
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for command in (
        "run",
        "score",
        "statistics",
        "recipes",
        "plugins",
        "show",
        "report",
        "verify",
        "why",
        "status",
        "rescore",
    ):
        assert command in done.stdout


def test_the_version_is_that_of_the_distribution():
    done = kinetic("--version")
    assert done.returncode == 0
    assert done.stdout == f"kinetic {version('kinetic-flow')}\n"


def test_a_recipe_is_run_reported_and_reported_again(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(
        "[run]\nsamples = 8\n[field]\nname = 'gaussian'\n[solver]\nname = 'heun'\nsteps = 3\n[energy.kpe]\n"
        "[arms.a]\n[arms.b.schedule]\nname = 'constant'\n"
    )
    done = kinetic("run", path, "--out", tmp_path / "out", "--set", "solver.steps=4", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "a: 8 samples" in done.stderr
    assert "kpe" in done.stdout
    assert str(tmp_path / "out" / "report.html") in done.stdout
    (tmp_path / "out" / "report.html").unlink()
    again = kinetic("report", tmp_path / "out")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "out" / "report.html").exists()
    assert "steps = 4" in (tmp_path / "out" / "recipe.toml").read_text()


def test_samples_that_others_made_are_scored_printed_and_kept(tmp_path):
    for name, n in (("ours", 30), ("theirs", 40)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(n).normal(size=(n, 2)))
    words = [tmp_path / "ours.npy", "--reference", tmp_path / "theirs.npy", "--metrics", "frechet,memorisation"]
    done = kinetic("score", *words, "--set", "metrics.frechet.name=kid", "--out", tmp_path / "out", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "samples: 30 samples" in done.stderr
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert list(scores) == ["frechet", "memorisation"]
    assert f"{scores['memorisation']['f_mem']['value']:.2f}" in done.stdout
    assert len(pq.read_table(tmp_path / "out" / "samples.parquet")) == 30
    assert f"scores: {tmp_path / 'out'}" in done.stdout


def test_statistics_are_written_and_used_in_place_of_a_reference(tmp_path):
    for name, n in (("ours", 30), ("theirs", 40)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(n).normal(size=(n, 2)))
    done = kinetic("statistics", tmp_path / "theirs.npy", "--features", "pixels", "--out", tmp_path / "s.npz")
    assert done.returncode == 0, done.stderr
    assert f"statistics: {tmp_path / 's.npz'}" in done.stdout
    against = ("--set", f"metrics.frechet.statistics={tmp_path / 's.npz'}")
    words = [tmp_path / "ours.npy", "--metrics", "frechet", "--device", "cpu"]
    kept = []
    for more in (against, ("--reference", tmp_path / "theirs.npy")):
        done = kinetic("score", *words, *more, "--out", tmp_path / "out")
        assert done.returncode == 0, done.stderr
        kept.append(json.loads((tmp_path / "out" / "scores.json").read_text())["frechet"]["fd"]["value"])
    assert kept[0] == pytest.approx(kept[1], rel=1e-9)


def test_recipes_plugins_and_show_say_what_there_is():
    assert "goldilocks" in kinetic("recipes").stdout
    plugins = kinetic("plugins").stdout
    assert "kinetic_solvers" in plugins
    assert " solver " in plugins
    assert " heun," in plugins
    shown = kinetic("show", "schedule", "kts").stdout
    assert "beta" in shown
    assert "0.01" in shown
    assert "strength of the landing" in shown
    assert "midpoint" in kinetic("show", "solver").stdout


def test_a_shipped_recipe_is_printed_as_its_file_and_listed_with_its_whole_path():
    path = shipped()["goldilocks"]
    assert kinetic("recipes", "goldilocks").stdout == path.read_text()
    assert str(path) in kinetic("recipes", COLUMNS="20").stdout


def test_show_says_each_thing_once():
    shown = kinetic("show", "metric", "class-margin").stdout
    assert "Args:" not in shown
    assert shown.count("a feature space whose features are the logits of C classes") == 1


def test_a_broken_plugin_is_shown_with_its_error_and_the_rest_works(install):
    site = install("acme-broken", "acme_broken", "raise ValueError('boom [bold]')")
    done = kinetic("plugins", PYTHONPATH=str(site))
    assert done.returncode == 0
    assert "acme_broken is off: ValueError: boom [bold]" in done.stdout
    assert " heun," in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "goldilock"), "Did you mean 'goldilocks'?"),
        (("show", "solver", "hein"), "Did you mean 'heun'?"),
        (("show", "wizard"), "there is no role 'wizard'"),
        (("run", "goldilocks", "--set", "arms.nobody.schedule.beta=1"), "there is no arm 'nobody'"),
        (("recipes", "goldilock"), "Did you mean 'goldilocks'?"),
        (("report", "/no/such/run"), "holds no run"),
        (
            ("score", "/no/such", "--metrics", "vendi"),
            "samples: dataset 'image-folder': images: there is no '/no/such'",
        ),
        (("statistics", "/no/such", "--features", "pixels", "--out", "/no/s.npz"), "'out' must be a .npz file"),
        (
            ("run", "goldilocks", "--device", "warp9", "--out", "/dev/null/x"),
            "'device' must be one that torch has here, or \"auto\": 'warp9'\n  Here: cpu",
        ),
    ],
)
def test_an_error_is_one_message_and_status_2(words, said):
    done = kinetic(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_shipped_recipe_is_shown_with_its_error_and_the_rest_is_listed(install):
    site = install("acme-late", "acme_late_unused", "")
    (site / "acme_late" / "recipes").mkdir(parents=True)
    (site / "acme_late" / "__init__.py").write_text("raise SystemExit('imported')")
    (site / "acme_late" / "recipes" / "late.toml").write_text("[run\n")
    (site / "acme_late-1.0.dist-info" / "entry_points.txt").write_text("[kinetic]\nacme_late = acme_late\n")
    done = kinetic("recipes", PYTHONPATH=str(site), COLUMNS="1000")
    assert done.returncode == 0, done.stderr
    assert "late.toml is not valid TOML" in done.stdout
    assert "goldilocks" in done.stdout


SLOW = """
    import attrs, kinetic, time, torch

    @attrs.frozen(eq=False)
    class Slow(kinetic.VelocityField):
        @property
        def event_shape(self):
            return torch.Size([2])

        def velocity(self, x, t, batch=None):
            time.sleep(0.05)
            return torch.ones_like(x)

    @kinetic.hookimpl
    def register_fields(register):
        register("slow", Slow)
"""


def _hears_interrupts():
    """Tests that a shell has put in the background inherit that SIGINT is ignored, and so would the run."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupted_run_says_that_it_can_go_on(install, recipe, tmp_path):
    site = install("acme-slow", "acme_slow", SLOW)
    path = recipe("[run]\nsamples = 400\nbatch = 2\n[field]\nname = 'slow'\n[solver]\nname = 'euler'\nsteps = 5\n")
    words = [sys.executable, "-m", "kinetic", "run", str(path), "--device", "cpu", "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    running = subprocess.Popen(
        words,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hears_interrupts,  # noqa: PLW1509 - one call of the system, no lock
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").rglob("0*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "stopped; what was finished is kept" in said
    assert "Traceback" not in said
    assert list((tmp_path / "out").rglob("0*.safetensors"))
    assert not (tmp_path / "out" / "samples.parquet").exists()


NASTY = """
    title = "[red]é\\u001b]52;c;cm0=\\u0007 :bug:\\r"
    [run]
    samples = 8
    [field]
    name = "gaussian"
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
"""
SHOWN = "[red]\\xe9\\x1b]52;c;cm0=\\x07 :bug:\\r"


def test_text_is_printed_as_it_is_whatever_it_holds_and_the_encoding_lacks(recipe, tmp_path):
    """Titles, paths and errors: no markup, no escape sequences, no UnicodeEncodeError, no cut at 80 columns."""
    path = recipe(NASTY)
    out = tmp_path / ("[kts]" + "x" * 90) / "c[/x] é"
    plain = {"PYTHONIOENCODING": "ascii", "COLUMNS": ""}
    done = kinetic("run", path, "--out", out, "--device", "cpu", **plain)
    assert done.returncode == 0, done.stderr
    assert SHOWN in done.stdout
    assert f"report: {out}/report.html".replace("é", "\\xe9") in done.stdout
    again = kinetic("report", out, **plain)
    assert again.returncode == 0, again.stderr
    assert SHOWN in again.stdout
    other = kinetic("run", path, "--out", out, "--set", "title=x", **plain)
    assert other.returncode == 2
    assert f"error: {out} holds another run:\n  title is '[red]".replace("é", "\\xe9") in other.stderr
    assert "\x1b" not in done.stdout + again.stdout + other.stderr + done.stderr


def test_a_run_that_may_only_be_read_is_printed_and_the_page_left_as_it_is(tmp_path, recipe, monkeypatch, capsys):
    from kinetic import _cli

    path, out = recipe(NASTY), tmp_path / "out"
    monkeypatch.setattr("sys.argv", ["kinetic", "run", str(path), "--out", str(out), "--device", "cpu"])
    with pytest.raises(SystemExit) as ended:
        _cli.main()
    assert ended.value.code == 0
    before = (out / "report.html").read_bytes()
    monkeypatch.setattr("os.replace", closed)
    monkeypatch.setattr("sys.argv", ["kinetic", "report", str(out)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        _cli.main()
    assert ended.value.code == 0
    printed = capsys.readouterr()
    assert "kpe" in printed.out
    assert "the report was not written: " in printed.err
    assert "report.html cannot be written: Read-only file system" in printed.err
    assert (out / "report.html").read_bytes() == before


def closed(*given):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_scores_that_cannot_be_kept_are_printed_first(tmp_path, monkeypatch, capsys):
    from kinetic import _cli

    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 2)))
    words = ["kinetic", "score", str(tmp_path / "x.npy"), "--metrics", "vendi", "--out", str(tmp_path / "out")]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr("os.replace", closed)  # the disk fills up after all that was checked
    with pytest.raises(SystemExit) as ended:
        _cli.main()
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert "x.npy: 30 samples" in printed.out
    assert "vendi" in printed.out
    assert "scores.json cannot be written: Read-only file system" in printed.err


def test_where_nothing_can_be_written_nothing_is_computed(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 2)))
    words = ("score", tmp_path / "x.npy", "--metrics", "vendi", "--out", tmp_path / "x.npy" / "out")
    done = kinetic(*words)
    assert done.returncode == 2
    assert f"{tmp_path}/x.npy/out cannot be written to: Not a directory\n  Choose another folder" in done.stderr
    assert "samples" not in done.stderr
