"""Where a CLIP model comes from, checked before any library reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from kinetic.errors import MissingFileError, OptionError, unknown
from kinetic.options import existing_file, existing_folder

LOCAL = "local-dir:"
_CONFIG = "open_clip_config.json"
_WEIGHTS = (".safetensors", ".bin", ".pth")  # what open_clip looks for in a folder
_CODE = ("hf_", "timm_", "tokenizer_")  # how the keys of a config begin that hand over to transformers and timm
_FOLDER = f'Give the folder of an open_clip model, "{LOCAL}PATH", with {_CONFIG} and weights in it.'


@attrs.frozen
class ClipSource:
    """A model that open_clip may be asked for.

    Args:
        name: as open_clip takes it, a built-in name or `local-dir:PATH`.
        tag: open_clip's tag of the weights; None for a folder.
        origin: where its weights lie, in words.
        repositories: of the Hub, what its weights and its tokenizer are taken from; of a folder none.
        tokenizer: what open_clip's tokenizer is given besides.
    """

    name: str
    tag: str | None
    origin: str
    repositories: tuple[str, ...] = ()
    tokenizer: dict[str, Any] = attrs.field(factory=dict)


def clip_source(open_clip: Any, model: str, pretrained: str | None) -> ClipSource:
    """The model an option names, where nothing but weights and numbers would be loaded for it.

    Args:
        open_clip: the library.
        model: a built-in name of open_clip, or `local-dir:PATH`; PATH may be `package:NAME/REST`.
        pretrained: open_clip's tag, or None for `local-dir:`.
    Raises:
        MissingFileError: the folder, its config or its weights are not there.
        OptionError: a config that may run code, or a name without weights whose preprocessing is known.
        UnknownNameError: open_clip has no such model or tag.
    """
    if model.startswith(LOCAL):
        folder = existing_folder(model.removeprefix(LOCAL), what="CLIP model", remedy=_FOLDER)
        _check_folder(folder)
        return ClipSource(f"{LOCAL}{folder}", None, str(folder))
    if ":" in model:
        raise OptionError(
            f"'model' must be a built-in name of open_clip or {LOCAL}PATH, since a config from elsewhere may run code: "
            f'{model!r}\n  Download it, look at it, and use model = "{LOCAL}PATH".'
        )
    if pretrained is None or Path(pretrained).is_file():
        raise OptionError(
            f"'pretrained' must be a tag of open_clip for {model!r}, not nothing and not a file, whose preprocessing "
            f'could only be guessed: {pretrained!r}\n  For weights of your own use model = "{LOCAL}PATH".'
        )
    return _built_in(open_clip, model.replace("/", "-"), pretrained)  # OpenAI's own spelling is ViT-B/32


def _built_in(open_clip: Any, name: str, tag: str) -> ClipSource:
    config = open_clip.get_model_config(name)
    if config is None:
        raise unknown("open_clip has no model named", name, open_clip.list_models())
    weights = open_clip.get_pretrained_cfg(name, tag)
    if not weights:
        raise unknown(
            f"open_clip has no weights of {name!r} tagged", tag, open_clip.list_pretrained_tags_by_model(name)
        )
    tower, tokenizer = (config["text_cfg"].get(key) for key in ("hf_model_name", "hf_tokenizer_name"))
    if tower:
        raise OptionError(
            f"CLIP model {name!r} has transformers build its text tower as the Hub's {tower!r} says, which may run "
            "code from there\n  Take a model whose towers are open_clip's own or timm's, such as ViT-B-32 or "
            "ViT-B-16-SigLIP."
        )
    if tokenizer and Path(tokenizer).exists():  # transformers would take it for the repository
        raise OptionError(
            f"CLIP model {name!r} takes its tokenizer from the Hub's {tokenizer!r}, in whose stead "
            f"{str(Path(tokenizer).absolute())!r} would be loaded\n  Rename that, or start from another folder."
        )
    hub = weights.get("hf_hub")
    if not hub:
        raise OptionError(
            f"'pretrained' must be a tag whose weights lie on the Hub: {tag!r} of {name!r} is {weights.get('url')}\n"
            f'  Download it, put a {_CONFIG} beside it, and use model = "{LOCAL}PATH".'
        )
    repository = "/".join(hub.split("/")[:2])  # what follows is a file
    repositories = tuple(dict.fromkeys(filter(None, (repository, tokenizer))))
    refused = {"trust_remote_code": False} if tokenizer else {}
    return ClipSource(name, tag, f"https://huggingface.co/{repository}", repositories, refused)


def _check_folder(folder: Path) -> None:
    path = existing_file(folder / _CONFIG, what="CLIP preprocessing", remedy=_FOLDER)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        weights = [each for each in folder.iterdir() if each.suffix in _WEIGHTS]
    except (OSError, ValueError, RecursionError) as error:
        raise OptionError(f"CLIP config {str(path)!r} cannot be read: {error}") from error
    model = config.get("model_cfg") if isinstance(config, dict) else None
    if not isinstance(model, dict) or not all(isinstance(model.get(key), dict) for key in ("vision_cfg", "text_cfg")):
        raise OptionError(
            f"CLIP config {str(path)!r} must hold a model_cfg, with a vision_cfg and a text_cfg in it\n  {_FOLDER}"
        )
    for key in _handed_over(model):
        raise OptionError(
            f"CLIP config {str(path)!r}: {key} makes transformers or timm load what it names, which may run code from "
            "the folder or the network\n  From a folder only open_clip's own towers and tokenizer are loaded: remove "
            "the key where they are meant."
        )
    for each in weights:
        existing_file(each, what="CLIP weights", remedy=_FOLDER)
    if not weights:
        raise MissingFileError(
            f"CLIP weights: there is no file {' or '.join('*' + end for end in _WEIGHTS)} in {str(folder)!r}, and a "
            f"model without weights answers at random\n  {_FOLDER}"
        )


def _handed_over(model: dict[str, Any]) -> Iterator[str]:
    """The dotted keys of a model_cfg that say anything to transformers or timm."""
    tables = {"model_cfg": model} | {f"model_cfg.{k}": each for k, each in model.items() if isinstance(each, dict)}
    for name, table in tables.items():
        yield from (f"{name}.{key}" for key, value in table.items() if key.startswith(_CODE) and value)
