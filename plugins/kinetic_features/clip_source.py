"""Where a CLIP model comes from, checked before any library reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from kinetic.errors import MissingFileError, OptionError, unknown
from kinetic.options import existing_path

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
        tokenizer: what open_clip's tokenizer is given besides.
    """

    name: str
    tag: str | None
    origin: str
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
        folder = existing_path(model.removeprefix(LOCAL), what="CLIP model", remedy=_FOLDER)
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
    text = config["text_cfg"]
    for repository in filter(None, (text.get("hf_model_name"), text.get("hf_tokenizer_name"))):
        if Path(repository).exists():  # transformers would take it for the repository
            raise OptionError(
                f"CLIP model {name!r} takes its text side from the Hub's {repository!r}, in whose stead "
                f"{str(Path(repository).absolute())!r} would be loaded\n  Rename that, or start from another folder."
            )
    tokenizer = {"trust_remote_code": False} if text.get("hf_tokenizer_name") else {}
    hub = weights.get("hf_hub")
    return ClipSource(name, tag, f"https://huggingface.co/{hub.rstrip('/')}" if hub else weights["url"], tokenizer)


def _check_folder(folder: Path) -> None:
    path = existing_path(folder / _CONFIG, what="CLIP preprocessing", remedy=_FOLDER)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        suffixes = {each.suffix for each in folder.iterdir()}
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
    if not suffixes & set(_WEIGHTS):
        raise MissingFileError(
            f"CLIP weights: there is no file {' or '.join('*' + end for end in _WEIGHTS)} in {str(folder)!r}, and a "
            f"model without weights answers at random\n  {_FOLDER}"
        )


def _handed_over(model: dict[str, Any]) -> Iterator[str]:
    """The dotted keys of a model_cfg that say anything to transformers or timm."""
    tables = {"model_cfg": model} | {f"model_cfg.{k}": each for k, each in model.items() if isinstance(each, dict)}
    for name, table in tables.items():
        yield from (f"{name}.{key}" for key, value in table.items() if key.startswith(_CODE) and value)
