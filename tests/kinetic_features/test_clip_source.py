"""What is refused before open_clip is asked for anything."""

import json
import os

import open_clip
import pytest
from kinetic_digits.train import CLIP_CONFIG
from kinetic_features.clip_source import clip_source

from kinetic.errors import MissingFileError, OptionError, UnknownNameError


def folder(path, change=lambda config: None, weights="open_clip_model.safetensors"):
    """A CLIP folder as a stranger may hand it over, and its name."""
    config = json.loads(json.dumps(CLIP_CONFIG))
    change(config)
    (path / "open_clip_config.json").write_text(json.dumps(config))
    if weights:
        (path / weights).write_bytes(b"")
    return f"local-dir:{path}"


def put(table, key, value):
    def change(config):
        (config["model_cfg"][table] if table else config["model_cfg"])[key] = value

    return change


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("text_cfg", "tokenizer_kwargs", {"trust_remote_code": True}),
        ("text_cfg", "hf_tokenizer_name", "org/name"),
        ("text_cfg", "tokenizer_mode", "clips"),
        ("text_cfg", "hf_model_name", "org/name"),
        ("vision_cfg", "timm_model_name", "hf-hub:org/name"),
        ("vision_cfg", "timm_model_pretrained", True),
        ("multimodal_cfg", "hf_model_name", "org/name"),
        ("", "hf_model_name", "org/name"),
    ],
)
def test_a_config_that_hands_over_to_transformers_or_timm_is_refused_by_file_and_key(table, key, value, tmp_path):
    def change(config):
        config["model_cfg"].setdefault("multimodal_cfg", {})
        put(table, key, value)(config)

    dotted = ".".join(filter(None, ("model_cfg", table, key)))
    said = rf"open_clip_config\.json': {dotted} makes transformers or timm load what it names, which may run code"
    with pytest.raises(OptionError, match=said):
        clip_source(open_clip, folder(tmp_path, change), None)


def test_keys_that_say_nothing_are_taken(tmp_path):
    change = put("text_cfg", "hf_model_name", None)
    assert clip_source(open_clip, folder(tmp_path, change), None).name == f"local-dir:{tmp_path}"


def test_a_folder_without_weights_is_refused(tmp_path):
    name = folder(tmp_path, weights="notes.txt")
    with pytest.raises(
        MissingFileError, match=r"no file \*\.safetensors or \*\.bin or \*\.pth in .* answers at random"
    ):
        clip_source(open_clip, name, None)
    (tmp_path / "model.pth").write_bytes(b"")
    assert clip_source(open_clip, name, None).origin == str(tmp_path)


def test_weights_that_are_a_pipe_or_a_folder_are_refused_and_not_waited_for(tmp_path):
    name = folder(tmp_path, weights="")
    os.mkfifo(tmp_path / "open_clip_model.safetensors")
    with pytest.raises(MissingFileError, match=r"CLIP weights: '.*safetensors' is neither a file nor a folder"):
        clip_source(open_clip, name, None)
    (tmp_path / "open_clip_model.safetensors").unlink()
    (tmp_path / "model.pth").mkdir()
    with pytest.raises(MissingFileError, match=r"CLIP weights: '.*model\.pth' is a folder, and must be a file"):
        clip_source(open_clip, name, None)


@pytest.mark.parametrize("text", ["{", "[1]", "{}", '{"model_cfg": 3}', '{"model_cfg": {"text_cfg": {}}}', "[" * 9999])
def test_a_config_that_is_none_is_named(text, tmp_path):
    name = folder(tmp_path)
    (tmp_path / "open_clip_config.json").write_text(text)
    with pytest.raises(
        OptionError, match=r"CLIP config '.*open_clip_config\.json' (cannot be read|must hold a model_cfg)"
    ):
        clip_source(open_clip, name, None)


@pytest.mark.parametrize("name", ["hf-hub:org/name", "https://a.org/b", "hf-hub:"])
def test_a_name_from_elsewhere_is_refused(name):
    with pytest.raises(
        OptionError, match="'model' must be a built-in name of open_clip or local-dir:PATH, since a con"
    ):
        clip_source(open_clip, name, "openai")


def test_a_model_or_tag_nobody_knows_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"open_clip has no model named 'ViT-B-33'\. Did you mean 'ViT-B-32'\?"):
        clip_source(open_clip, "ViT-B-33", "openai")
    with pytest.raises(UnknownNameError, match=r"no weights of 'ViT-B-32' tagged 'openia'\. Did you mean 'openai'\?"):
        clip_source(open_clip, "ViT-B-32", "openia")


def test_a_built_in_model_says_where_its_weights_lie(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = clip_source(open_clip, "ViT-B/32", "openai")
    assert (source.name, source.tag, source.tokenizer) == ("ViT-B-32", "openai", {})
    assert source.origin == f"https://huggingface.co/{source.repositories[0]}"
    assert source.repositories == ("timm/vit_base_patch32_clip_224.openai",)
    siglip = clip_source(open_clip, "ViT-B-16-SigLIP", "webli")
    assert (siglip.tokenizer, siglip.repositories) == ({"trust_remote_code": False}, ("timm/ViT-B-16-SigLIP",))


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        (name, tag)
        for name in open_clip.list_models()
        if open_clip.get_model_config(name)["text_cfg"].get("hf_model_name")
        for tag in open_clip.list_pretrained_tags_by_model(name)
    ],
)
def test_a_built_in_model_whose_text_tower_the_hub_describes_is_refused(name, tag):
    with pytest.raises(
        OptionError, match=rf"^CLIP model '{name}' has transformers build its text tower as the Hub's '"
    ):
        clip_source(open_clip, name, tag)


def test_weights_that_are_not_on_the_hub_are_refused_with_their_address(monkeypatch):
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda name, tag: {"url": "https://a.org/w.pt"})
    with pytest.raises(OptionError, match=r"whose weights lie on the Hub: 'x' of 'ViT-B-32' is https://a\.org/w\.pt\n"):
        clip_source(open_clip, "ViT-B-32", "x")


def test_a_folder_that_would_be_taken_for_the_hubs_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = open_clip.get_model_config("ViT-B-16-SigLIP")["text_cfg"]["hf_tokenizer_name"]
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(
        OptionError, match=f"its tokenizer from the Hub's '{name}', in whose stead '{tmp_path}/{name}' would be loaded"
    ):
        clip_source(open_clip, "ViT-B-16-SigLIP", "webli")
