"""Features kept on disk, by what they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import attrs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from kinetic._plugins.registry import Registry
from kinetic._roles.features import BLOCK, FeatureSpace, wrap
from kinetic._roles.tree import hash_of
from kinetic._store.files import write_json, write_whole
from kinetic._store.provenance import options_of, versions
from kinetic.types import State

CACHE = "KINETIC_CACHE"


def cache_folder(given: Path | None) -> Path | None:
    """The folder to keep features in: the one given, else that of `KINETIC_CACHE`, else none."""
    return given or (Path(os.environ[CACHE]) if os.environ.get(CACHE) else None)


def cached(space: FeatureSpace, folder: Path, known: Registry) -> FeatureSpace:
    """The same space, which looks features up in a folder before it computes them, and keeps those it computes.

    A block of samples is kept under the SHA-256 of its bytes, type, shape and kind of device, below that of the space:
    its options, preprocessing, network and weights, and the versions of the packages that compute them; `space.json`
    lists these. What changed is computed anew; nothing is ever taken out. A file that cannot be read, or whose features
    are not those that were written, is written again. A space that runs code it was given the name of is left as it is:
    nothing tells when the code changes.

    Raises:
        StoreError: the folder cannot be written to.
    """
    if type(space).imports_code:
        return space
    identity = _identity(space, known)
    own = folder / hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]
    way = f"Choose another --cache, or {CACHE}."
    write_json(own / "space.json", identity, way)

    def find(space: FeatureSpace, x: State) -> Tensor:
        path = own / f"{_digest(x, x.device.type)}.safetensors"
        kept = _kept(path)
        if kept is not None:
            return kept.to(x.device)
        computed = space.features(x)
        features = computed.detach().cpu().contiguous()
        write_whole(path, lambda part: save_file({"features": features}, part, {"sha256": _digest(features)}), way)
        return computed

    return wrap(space, find)


def _identity(space: FeatureSpace, known: Registry) -> dict[str, Any]:
    """Everything that a feature depends on besides the sample."""
    owner = known.origins.get(("features", known.name_of(space)))
    values = [getattr(space, field.name) for field in attrs.fields(type(space))]
    networks = [str(value) for value in values if isinstance(value, nn.Module)]
    return {
        "options": options_of(space, known),
        "preprocessing": space.preprocessing,
        "network": hashlib.sha256("\n".join(networks).encode()).hexdigest(),
        "weights": hash_of(space),
        "block": BLOCK,
        "packages": versions() | {"torch": torch.__version__},
        "plugin": [f"{p.distribution} {p.version}" for p in known.plugins if p.name == owner],
    }


def _kept(path: Path) -> Tensor | None:
    """The features in a file, if they are the ones that were written."""
    try:
        with safe_open(path, "pt") as file:
            features: Tensor = file.get_tensor("features")
            whole = (file.metadata() or {}).get("sha256") == _digest(features)
    except (OSError, SafetensorError):
        return None
    return features if whole else None


def _digest(x: Tensor, more: str = "") -> str:
    digest = hashlib.sha256(f"{x.dtype}{tuple(x.shape)}{more}".encode())
    digest.update(x.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
