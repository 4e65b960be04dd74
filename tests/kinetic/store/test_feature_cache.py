import io
import json
import shutil
from pathlib import Path

import attrs
import kinetic_digits
import numpy as np
import pytest
import torch
from kinetic_digits import DigitsFeatures
from kinetic_features import ModuleFeatures, Pixels
from rich.console import Console

import kinetic
from kinetic import options
from kinetic._experiment.score_command import load_score_job
from kinetic._plugins.registry import Registry
from kinetic._progress import Reporter
from kinetic._store.feature_cache import cache_folder, cached
from kinetic.errors import StoreError
from kinetic.testing import check_features

CLIP = Path(kinetic_digits.__file__).parent / "clip"
KNOWN, CALLS = Registry({}, {}), []


@attrs.frozen(eq=False)
class Scaled(kinetic.FeatureSpace):
    by: float = options.number(2.0)
    weight: torch.Tensor = attrs.field(factory=lambda: torch.ones(1))

    def features(self, x):
        CALLS.append(len(x))
        return x.flatten(1) * self.by * self.weight


@attrs.frozen(eq=False)
class Stated(kinetic.FeatureSpace):
    prepared: str
    net: torch.nn.Module

    @property
    def preprocessing(self):
        return self.prepared

    def features(self, x):
        CALLS.append(len(x))
        return self.net(x)


def calls(space, x):
    CALLS.clear()
    found = space.features(x)
    return found, len(CALLS)


def test_the_same_samples_are_computed_once_and_others_anew(tmp_path):
    x = torch.randn(5, 1, 2, 3)
    space = cached(Scaled(), tmp_path, KNOWN)
    for expected in (1, 0):
        found, n = calls(space, x)
        assert (n, torch.equal(found, x.flatten(1) * 2)) == (expected, True)
    assert calls(cached(Scaled(), tmp_path, KNOWN), x.clone())[1] == 0
    changed = x.clone()
    changed[4, 0, 1, 2] += 1e-6
    for other in (changed, x[:4], x.double(), x.view(5, 1, 3, 2)):
        assert calls(space, other)[1] == 1
    assert type(space).__name__ == "Scaled"
    check_features(space, (1, 2, 3))


def test_other_options_or_weights_are_another_space(tmp_path):
    x = torch.randn(5, 3)
    cached(Scaled(), tmp_path, KNOWN).features(x)
    for other in (Scaled(by=3), Scaled(weight=torch.ones(1) * 2), Scaled(weight=torch.ones(1, dtype=torch.float64))):
        found, n = calls(cached(other, tmp_path, KNOWN), x)
        assert n == 1
        assert torch.equal(found, other.features(x))
    assert len(list(tmp_path.glob("*/space.json"))) == 4


def test_a_file_that_cannot_be_read_is_written_again(tmp_path):
    x, space = torch.randn(5, 3), cached(Scaled(), tmp_path, KNOWN)
    space.features(x)
    (path,) = tmp_path.glob("*/*.safetensors")
    whole = path.read_bytes()
    for broken in (whole[:20], whole[:-8] + bytes(8), whole[:-1] + b"x"):  # cut off; a header, then wrong features
        path.write_bytes(broken)
        assert [calls(space, x)[1] for _ in range(2)] == [1, 0]
        assert torch.equal(space.features(x), x * 2)


def test_another_preprocessing_network_or_package_is_another_space(tmp_path, monkeypatch):
    x = torch.randn(5, 3)
    asked = []
    for _ in range(2):
        for prepared, net in (
            ("mean 0.5", torch.nn.ReLU()),
            ("mean 0.1", torch.nn.ReLU()),
            ("mean 0.1", torch.nn.GELU()),
        ):
            asked.append(calls(cached(Stated(prepared, net), tmp_path, KNOWN), x)[1])
    assert asked == [1, 1, 1, 0, 0, 0]
    monkeypatch.setattr("kinetic._store.feature_cache.versions", lambda: {"timm": "0.0.1"})
    assert calls(cached(Stated("mean 0.5", torch.nn.ReLU()), tmp_path, KNOWN), x)[1] == 1


def test_a_changed_config_of_a_clip_folder_is_a_miss(tmp_path):
    shutil.copytree(CLIP, tmp_path / "clip")
    config = tmp_path / "clip" / "open_clip_config.json"
    generator = torch.Generator().manual_seed(0)
    for name, n in (("x", 40), ("y", 50)):
        np.save(tmp_path / f"{name}.npy", torch.rand(n, 1, 8, 8, generator=generator).numpy() * 2 - 1)

    def distance():
        scoring = load_score_job(
            str(tmp_path / "x.npy"),
            "frechet",
            str(tmp_path / "y.npy"),
            "clip-image",
            [f"features.model='local-dir:{tmp_path / 'clip'}'"],
            cache=tmp_path / "cache",
        )
        scored = scoring.run(device="cpu", reporter=Reporter(Console(file=io.StringIO())))
        return scored.scores["frechet"]["fd"], " ".join(scored.details["frechet"].notes)

    (before, said), (again, _) = distance(), distance()
    assert again == before
    content = json.loads(config.read_text())
    mean = content["preprocess_cfg"]["mean"]
    content["preprocess_cfg"]["mean"] = [0.1] * len(mean)
    config.write_text(json.dumps(content))
    after, said_after = distance()
    assert abs(after - before) > 1e-3 * before
    assert f"mean {tuple(mean)}" in said
    assert "mean (0.1, 0.1, 0.1)" in said_after


def test_a_network_named_by_hand_is_not_kept(tmp_path):
    space = ModuleFeatures(torch.nn.Flatten())
    assert cached(space, tmp_path, KNOWN) is space
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    said = r"space\.json cannot be written: Not a directory\n  Choose another --cache, or KINETIC_CACHE"
    with pytest.raises(StoreError, match=said):
        cached(Pixels(), tmp_path / "file", KNOWN)


def test_the_folder_is_the_one_given_or_that_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.delenv("KINETIC_CACHE", raising=False)
    assert cache_folder(None) is None
    monkeypatch.setenv("KINETIC_CACHE", str(tmp_path))
    assert cache_folder(None) == tmp_path
    assert cache_folder(Path("given")) == Path("given")


@pytest.mark.parametrize("apart", [True, False])
def test_scores_are_the_same_and_the_net_is_not_asked_twice(apart, tmp_path, monkeypatch):
    for name, n in (("x", 40), ("y", 50)):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(n).uniform(-1, 1, (n, 1, 8, 8)).astype(np.float32))
    (tmp_path / "m.toml").write_text(
        "[metrics.a]\nname = 'kid'\nfeatures = { name = 'digits' }\n[metrics.b]\nname = 'vendi'\n"
        "features = { name = 'digits' }\n"
    )
    words = [str(tmp_path / "x.npy"), str(tmp_path / "m.toml") if apart else "kid,vendi", str(tmp_path / "y.npy")]
    asked, real = [], DigitsFeatures.features
    monkeypatch.setattr(DigitsFeatures, "features", lambda self, x: asked.append(len(x)) or real(self, x))
    found = []
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        asked.clear()
        scoring = load_score_job(
            *words, None if apart else "digits", ["metrics.kid.subset_size=20"][apart:], cache=cache
        )
        scored = scoring.run(device="cpu", reporter=Reporter(Console(file=io.StringIO())))
        found.append((scored.scores, sum(asked)))
        assert "DigitsFeatures" in " ".join(next(iter(scored.details.values())).notes)
    assert found[0][0] == found[1][0] == found[2][0]
    assert [n for _, n in found] == [2 + 2 + 40 + 50, 2 + 2 + 40 + 50, 0]
