import errno
import io
import json
import os

import numpy as np
import pytest
import torch
from kinetic_digits import DigitsFeatures
from kinetic_features import Pixels
from kinetic_metrics import FrechetDistance
from PIL import Image
from rich.console import Console
from safetensors.torch import save_file

from kinetic import TensorData, score_samples
from kinetic._experiment.score_command import check_files, data_table, load_score_job, write_statistics
from kinetic._progress import Reporter
from kinetic._roles.tree import hash_of
from kinetic.errors import MissingFileError, OptionError, RecipeError, StoreError, UnknownNameError


@pytest.fixture
def files(tmp_path):
    """Samples and reference, gray 8 x 8 images."""
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.rand(n, 1, 8, 8, generator=generator) * 2 - 1 for n in (24, 30))
    np.save(tmp_path / "x.npy", x.numpy())
    save_file({"samples": y}, tmp_path / "y.safetensors")
    return str(tmp_path / "x.npy"), str(tmp_path / "y.safetensors"), x, y


KEY = "reference.key=samples"


def test_names_become_metrics_that_compare_with_the_reference(files, tmp_path):
    scoring = load_score_job(files[0], "frechet,kid", files[1], overrides=[KEY, "metrics.kid.subsets=3"])
    assert list(scoring.metrics) == ["frechet", "kid"]
    assert scoring.metrics["kid"].subsets == 3
    assert isinstance(scoring.metrics["frechet"].features, Pixels)
    quiet = Reporter(Console(file=io.StringIO()))
    scored = scoring.run(tmp_path / "out", "cpu", batch=5, reporter=quiet)
    direct = score_samples(files[2], {"frechet": FrechetDistance(files[3])}, device="cpu")
    assert scored.scores["frechet"]["fd"] == pytest.approx(direct.scores["frechet"]["fd"], rel=1e-12)
    files = {"scores.json", "samples.parquet", "notes.json", "protocols.json", "provenance.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files


def test_scores_say_where_they_come_from(files, tmp_path, monkeypatch):
    words = ["kinetic", "score", files[0], "--metrics", "kid"]
    monkeypatch.setattr("sys.argv", words)
    quiet = Reporter(Console(file=io.StringIO()))
    scoring = load_score_job(files[0], "kid", files[1], "digits", [KEY, "metrics.kid.subsets=3"])
    scored = scoring.run(tmp_path / "out", "cpu", batch=5, reporter=quiet)
    found = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert found["command"] == f"kinetic score {files[0]} --metrics kid"
    assert found["content"]["metrics"] == {"kid": {"subsets": 3}}
    assert found["content"]["reference"] == {"name": "tensor-file", "path": files[1], "key": "samples"}
    kid = found["parts"]["metrics.kid"]
    assert (kid["seed"], kid["subsets"], kid["reference"]["name"]) == (2020, 3, "tensor-file")
    assert kid["features"] == {"name": "digits"}
    assert found["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert (found["batch"], found["device"]) == (5, "cpu")
    weights = hash_of(DigitsFeatures())
    assert f"DigitsFeatures looks at digits of 8 x 8 as they are, in float32; weights {weights[:12]}." in (
        scored.details["kid"].notes
    )


def test_a_table_of_metrics_is_read_as_in_a_recipe(files, tmp_path):
    (tmp_path / "m.toml").write_text(
        "[metrics.plain]\nname = 'frechet'\n[metrics.deep]\nname = 'frechet'\nfeatures = { name = 'pixels' }\n"
        f"[metrics.copies]\nname = 'memorisation'\ntrain = {{ name = 'tensor-file', path = '{files[0]}' }}\n"
    )
    scoring = load_score_job(files[0], str(tmp_path / "m.toml"), files[1], "digits", [KEY])
    assert isinstance(scoring.metrics["plain"].features, DigitsFeatures)
    assert isinstance(scoring.metrics["deep"].features, Pixels)
    assert len(scoring.metrics["copies"].train) == 24


def test_a_path_says_what_it_is(tmp_path):
    assert data_table("a.npz") == {"name": "tensor-file", "path": "a.npz"}
    assert data_table(str(tmp_path)) == {"name": "image-folder", "path": str(tmp_path)}
    assert {data_table(f"x{suffix}")["name"] for suffix in (".npy", ".safetensors", ".NPZ")} == {"tensor-file"}
    (tmp_path / "x.pt").write_text("")
    with pytest.raises(OptionError, match=r"(?s)data must be a folder of images, or a .npy, .*No pickle is loaded"):
        data_table(str(tmp_path / "x.pt"))


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"metrics": "frechte"}, UnknownNameError, "Did you mean 'frechet'"),
        ({"metrics": " , "}, OptionError, "metrics must be names with commas"),
        ({"metrics": "/no/such.toml"}, RecipeError, "cannot be read"),
        ({"metrics": "/no/such.TOML"}, RecipeError, "cannot be read"),
        ({"reference": None}, OptionError, "needs the option 'reference' or 'statistics'.*--reference"),
        ({"samples": "/no/such.npy"}, MissingFileError, "samples: dataset 'tensor-file': data: there is no"),
        ({"reference": "/no/such.npy"}, MissingFileError, "reference: dataset 'tensor-file': data: there is no"),
        ({"features": "pixel"}, UnknownNameError, "Did you mean 'pixels'"),
        ({"overrides": ["metric.kid=1"]}, UnknownNameError, "a score has no key 'metric'"),
        ({"overrides": [KEY, "metrics.frechet=1"]}, RecipeError, "holds tables"),
        ({"overrides": ["reference.key=x"]}, UnknownNameError, "holds no tensor named 'x'"),
        ({"metrics": "fid"}, UnknownNameError, "The FID is `frechet` with --features inception"),
        ({"metrics": "sfid"}, UnknownNameError, "The sFID is `frechet` with --features inception"),
        ({"metrics": "is"}, UnknownNameError, "The Inception Score is `inception-score`"),
        ({"metrics": "class-margin"}, OptionError, "'logits': a feature space;.*--set metrics.class-margin.OPTION="),
        (
            {"metrics": "class-margin", "overrides": [KEY, "metrics.class-margin.logits=3"]},
            OptionError,
            "'logits' must be a feature space: 3",
        ),
        ({"overrides": [KEY, "metrics=1"]}, RecipeError, r"\[metrics\] must be a table: 1"),
        ({"overrides": [KEY, "features=1"]}, OptionError, "a feature space must be a table or a name: 1"),
        ({"metrics": "ct"}, OptionError, "'held_out' must be .*\n.*As in held_out = { name.*--set metrics.ct.OPTION="),
    ],
)
def test_a_wrong_word_is_named(files, given, error, said):
    words = {"samples": files[0], "metrics": "frechet", "reference": files[1], "overrides": [KEY], **given}
    if words["reference"] is None:
        words["overrides"] = []
    with pytest.raises(error, match=f"(?s){said}"):
        load_score_job(**words)


def test_statistics_are_the_mean_and_covariance_of_all_points(files, tmp_path):
    told = io.StringIO()
    out = tmp_path / "s.NPZ"
    write_statistics(files[1], "pixels", out, [KEY], "cpu", Reporter(Console(file=told)))
    assert "reference: 30 samples" in told.getvalue()
    points = files[3].flatten(1).double().numpy()
    with np.load(out) as found:
        assert np.allclose(found["mu"], points.mean(0), atol=1e-12)
        assert np.allclose(found["sigma"], np.cov(points, rowvar=False), atol=1e-12)
    with pytest.raises(UnknownNameError, match="statistics has no key 'metrics'"):
        write_statistics(files[1], "pixels", out, ["metrics.a=1"])


def test_statistics_that_cannot_be_written_are_refused_before_they_are_computed(files, tmp_path, monkeypatch):
    def closed(**options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    told = io.StringIO()
    (tmp_path / "taken.npz").mkdir()
    with pytest.raises(OptionError, match=r"'out' must be a \.npz file"):
        write_statistics(files[1], "pixels", tmp_path / "taken.npz", [KEY], "cpu", Reporter(Console(file=told)))
    monkeypatch.setattr("tempfile.TemporaryFile", closed)
    with pytest.raises(StoreError, match="cannot be written to: Read-only file system\n  Choose another file"):
        write_statistics(files[1], "pixels", tmp_path / "s.npz", [KEY], "cpu", Reporter(Console(file=told)))
    assert told.getvalue() == ""


def test_equal_tables_of_a_score_are_one_object(files):
    job = load_score_job(files[0], "frechet,kid,memorisation", files[1], "digits", [KEY, "metrics.kid.features=digits"])
    spaces = {id(metric.features) for metric in job.metrics.values()}
    assert len(spaces) == 1
    assert job.metrics["frechet"].reference is job.metrics["kid"].reference is job.metrics["memorisation"].train


def test_a_reference_out_of_range_is_refused_and_one_in_0_to_1_is_flagged(files, tmp_path):
    quiet = Reporter(Console(file=io.StringIO()))
    save_file({"samples": files[3] * 127.5 + 127.5}, tmp_path / "bytes.safetensors")
    scoring = load_score_job(files[0], "frechet", str(tmp_path / "bytes.safetensors"), overrides=[KEY])
    with pytest.raises(
        OptionError, match=r"metric 'frechet': reference points that are images must be in .*\n.* give x / 127"
    ):
        scoring.run(device="cpu", reporter=quiet)
    save_file({"samples": files[3] / 2 + 0.5}, tmp_path / "unit.safetensors")
    scored = load_score_job(files[0], "frechet", str(tmp_path / "unit.safetensors"), overrides=[KEY]).run(
        device="cpu", reporter=quiet
    )
    assert "No value of the reference points is below 0" in scored.details["frechet"].notes[-1]


def test_a_folder_in_use_is_refused_before_anything_is_computed(files, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").write_text("")
    scoring = load_score_job(files[0], "frechet", files[1], overrides=[KEY])
    with pytest.raises(StoreError, match="holds no scores"):
        scoring.run(tmp_path / "out")


def test_a_run_folder_and_its_shards_are_pointed_to_the_report(tmp_path):
    shards = tmp_path / "run" / "shards" / "base"
    shards.mkdir(parents=True)
    (tmp_path / "run" / "pictures").mkdir()
    (tmp_path / "run" / "recipe.toml").write_text("")
    for folder in (shards, shards.parent, tmp_path / "run"):
        with pytest.raises(OptionError, match=f"is of a run, which is scored already: `kinetic report {tmp_path}/run`"):
            data_table(str(folder))
    assert data_table(str(tmp_path / "run" / "pictures"))["name"] == "image-folder"
    assert data_table(str(shards / "00000000-00000500.safetensors"))["name"] == "tensor-file"


def test_every_file_of_both_sides_is_looked_at_before_anything_is_computed(tmp_path):
    rng = np.random.default_rng(0)
    for side in ("a", "b"):
        (tmp_path / side).mkdir()
        for number in range(30):
            Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(
                tmp_path / side / f"{number:02}.png"
            )
    told = io.StringIO()
    words = (str(tmp_path / "a"), "frechet,kid", str(tmp_path / "b"))
    check_files(TensorData(torch.zeros(3, 2)), {})
    load_score_job(*words).run(device="cpu", reporter=Reporter(Console(file=told)))
    assert told.getvalue().count("checking samples: 30") == told.getvalue().count("checking reference points: 30") == 1
    for name in ("20", "29"):
        path = tmp_path / "b" / f"{name}.png"
        path.write_bytes(path.read_bytes()[:200])
    told = io.StringIO()
    with pytest.raises(OptionError, match=r"^reference points: 2 of 30 images in .*: 20\.png \(.*\), 29\.png \("):
        load_score_job(*words).run(device="cpu", reporter=Reporter(Console(file=told)))
    assert "\nsamples: 30" not in told.getvalue()
    assert "finishing" not in told.getvalue()
    with pytest.raises(OptionError, match=r"^samples: 2 of 30"):
        load_score_job(words[2], words[1], words[0]).run(device="cpu", reporter=Reporter(Console(file=told)))


def test_floats_with_channels_last_are_held_to_the_range_of_images(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).uniform(0, 255, (9, 8, 8, 3)))
    scoring = load_score_job(str(tmp_path / "x.npy"), "vendi")
    with pytest.raises(OptionError, match=r"(?s)samples that are images must be in \[-1, 1\].*x / 127.5 - 1"):
        scoring.run(device="cpu", reporter=Reporter(Console(file=io.StringIO())))


def test_bytes_as_guided_diffusion_saves_them_are_scored_and_the_note_says_how_they_were_read(tmp_path):
    np.savez(tmp_path / "adm.npz", np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8))
    scored = load_score_job(str(tmp_path / "adm.npz"), "vendi").run(
        device="cpu", reporter=Reporter(Console(file=io.StringIO()))
    )
    assert "channels put first: b is read as b / 127.5 - 1" in scored.notes[0]
