import contextlib
import importlib.util
import json
import socket

import huggingface_hub
import open_clip
import pytest
import torch
from kinetic_digits.train import CLIP_CONFIG
from kinetic_features import CLIPImage
from kinetic_features.open_clip_model import open_clip_model
from kinetic_metrics import CLIPScore
from safetensors.torch import load_file, save_file

from kinetic.errors import MissingFileError, OptionError
from kinetic.fetch import no_hub


@pytest.fixture
def folder(tmp_path):
    """A CLIP of random weights whose preprocessing differs from every default."""
    config = json.loads(json.dumps(CLIP_CONFIG))
    config["preprocess_cfg"] = {"mean": [0.1, 0.2, 0.3], "std": [0.7, 0.8, 0.9], "interpolation": "bilinear"}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    net = open_clip.CLIP(**config["model_cfg"])
    save_file(
        {name: tensor.contiguous() for name, tensor in net.state_dict().items()},
        tmp_path / "open_clip_model.safetensors",
    )
    return tmp_path


def test_the_preprocessing_is_the_models_own(folder):
    model = open_clip_model(f"local-dir:{folder}", None)
    assert (model.size, model.mean, model.std, model.interpolation) == (
        (8, 8),
        (0.1, 0.2, 0.3),
        (0.7, 0.8, 0.9),
        "bilinear",
    )
    x = torch.rand(3, 3, 8, 8) * 2 - 1
    mean, std = torch.tensor([[0.1, 0.2, 0.3], [0.7, 0.8, 0.9]])[:, :, None, None]
    expected = model.net.encode_image(((x + 1) / 2 - mean) / std, normalize=True)
    assert torch.allclose(model.images(model.net, x), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("key", "value"),
    [("mean", "abc"), ("mean", [0.5]), ("std", [1, 1, 0]), ("std", [1, 1, True]), ("interpolation", "random")],
)
def test_preprocessing_that_is_none_is_named(key, value, folder):
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["preprocess_cfg"][key] = value
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(
        OptionError, match=r"must be normalised with a mean of three numbers .*: its preprocess_cfg says"
    ):
        open_clip_model(f"local-dir:{folder}", None)


def asked_of_the_library(*words, **options):
    pytest.fail("open_clip was asked")


def assert_runs(marker, monkeypatch, name, **options):
    """Where transformers is installed, open_clip itself runs what was planted: the trap is one."""
    if importlib.util.find_spec("transformers"):
        monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(marker.parent / "modules"))
        with contextlib.suppress(Exception), no_hub():
            open_clip.get_tokenizer(name, **options)
        marker.unlink()


@pytest.mark.parametrize("through", [CLIPImage, lambda model: CLIPScore(model=model, prompts=("a", "b"))])
def test_no_code_of_a_folder_is_run(through, folder, marker, monkeypatch):
    """The folder's Python would run while its tokenizer loads, where transformers is installed."""
    payload = f"open({str(marker)!r}, 'w').close()\nclass T: pass\n"
    (folder / "evil.py").write_text(payload)
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["evil.T", None]}}))
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "x", "tokenizer_kwargs": {"trust_remote_code": True}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    assert_runs(marker, monkeypatch, f"local-dir:{folder}")
    monkeypatch.setattr(open_clip, "create_model", asked_of_the_library)
    monkeypatch.setattr(open_clip, "get_tokenizer", asked_of_the_library)
    with pytest.raises(OptionError, match=r"open_clip_config\.json': model_cfg\.text_cfg\.(hf_)?tokenizer_\w+ makes"):
        through(model=f"local-dir:{folder}")
    assert not marker.exists()


def assert_refused(folder, trap, marker):
    (folder / "open_clip_model.safetensors").unlink()
    torch.save({"a": torch.zeros(2), "evil": trap}, folder / "open_clip_pytorch_model.bin")
    with pytest.raises(OptionError, match=r"cannot be loaded: .* a pickle of more than tensors, which is never loaded"):
        open_clip_model(f"local-dir:{folder}", None)
    assert not marker.exists()


def test_a_pickle_of_more_than_tensors_is_never_loaded(folder, trap, marker):
    assert_refused(folder, trap, marker)


def test_nor_is_it_in_open_clips_second_try(folder, trap, marker, second_try):
    assert_refused(folder, trap, marker)


def test_weights_that_are_junk_are_named_and_no_pickle_is_recommended(folder):
    (folder / "open_clip_model.safetensors").unlink()
    (folder / "open_clip_pytorch_model.bin").write_bytes(b"junk" * 9)
    with pytest.raises(OptionError, match="cannot be loaded") as caught:
        open_clip_model(f"local-dir:{folder}", None)
    assert "weights_only" not in str(caught.value)


def test_weights_that_are_cut_short_are_named(folder):
    weights = folder / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(OptionError, match="cannot be loaded"):
        open_clip_model(f"local-dir:{folder}", None)


def test_no_tensor_is_left_at_random(folder):
    weights = folder / "open_clip_model.safetensors"
    whole = load_file(weights)
    for name in ("visual.proj", "token_embedding.weight"):
        save_file({key: tensor for key, tensor in whole.items() if key != name}, weights)
        with pytest.raises(OptionError, match=rf"cannot be loaded: .*Missing key\(s\) in state_dict: \"{name}\""):
            open_clip_model(f"local-dir:{folder}", None)
    save_file({**whole, "visual.proj": torch.zeros(2, 2)}, weights)
    with pytest.raises(OptionError, match=r"cannot be loaded: .*size mismatch for visual\.proj"):
        open_clip_model(f"local-dir:{folder}", None)
    weights.unlink()
    with pytest.raises(MissingFileError, match="answers at random"):
        open_clip_model(f"local-dir:{folder}", None)


def planted(hub, repository, files):
    """A repository as the Hub's client keeps it, with files of a stranger."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    for name, content in ({"refs/main": "0" * 40} | {f"snapshots/{'0' * 40}/{k}": v for k, v in files.items()}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def test_no_code_that_was_planted_in_the_hubs_cache_is_run_with_a_tokenizer(tmp_path, marker, monkeypatch):
    pytest.importorskip("transformers")
    payload = f"open({str(marker)!r}, 'w').close()\nclass T: pass\n"
    config = {"tokenizer_class": "T", "auto_map": {"AutoTokenizer": ["evil.T", "evil.T"]}}
    files = {"evil.py": payload, "tokenizer_config.json": json.dumps(config), "config.json": '{"model_type": "evil"}'}
    planted(tmp_path, "timm/ViT-B-16-SigLIP", files)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert_runs(marker, monkeypatch, "ViT-B-16-SigLIP", trust_remote_code=True, cache_dir=tmp_path)
    tokenize = open_clip.get_tokenizer
    monkeypatch.setattr(open_clip, "create_model", lambda *words, **options: None)
    monkeypatch.setattr(open_clip, "get_tokenizer", lambda *words, **more: tokenize(*words, **more, cache_dir=tmp_path))
    with pytest.raises(
        MissingFileError, match="CLIP model 'ViT-B-16-SigLIP' with the weights 'webli' cannot be loaded"
    ):
        open_clip_model("ViT-B-16-SigLIP", "webli")
    assert not marker.exists()


def test_a_folder_asks_nobody(folder, monkeypatch):
    def looked_for(*words, **options):
        pytest.fail("a host was looked for")

    monkeypatch.setattr(socket, "getaddrinfo", looked_for)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    open_clip_model(f"local-dir:{folder}", None)


def test_a_built_in_model_that_is_not_cached_is_asked_for_once(monkeypatch, capsys, tmp_path):
    hosts = []

    def looked_for(host, *words, **options):
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", looked_for)
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    what = "CLIP model 'ViT-B-32' with the weights 'openai'"
    with pytest.raises(MissingFileError, match=rf"^{what}: not in .*, and https://huggingface\.co does not answer"):
        open_clip_model("ViT-B-32", "openai")
    assert hosts == ["huggingface.co"]
    origin = "https://huggingface.co/timm/vit_base_patch32_clip_224.openai"
    assert capsys.readouterr().err == f"fetching {what} from {origin}\n"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MissingFileError, match=rf"^{what}: not in .*, and HF_HUB_OFFLINE forbids to fetch {origin}\n"):
        open_clip_model("ViT-B-32", "openai")
    assert hosts == ["huggingface.co"]
    assert capsys.readouterr().err == ""


def test_weights_that_cannot_be_fetched_name_where_they_lie(monkeypatch):
    def fails(*words, **options):
        raise OSError("no route")

    monkeypatch.setattr(open_clip, "create_model", fails)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = (
        r"with the weights 'openai' cannot be loaded from https://huggingface\.co/timm/\S+ \(HF_HUB_OFFLINE forbids the"
    )
    with pytest.raises(MissingFileError, match=said + r" network\): OSError: no route\n  Offline, keep"):
        open_clip_model("ViT-B-32", "openai")
