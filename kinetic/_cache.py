"""Features kept on disk, by what they were computed from."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from kinetic._features import FeatureSpace
from kinetic._provenance import hash_of, options_of
from kinetic._registry import Registry
from kinetic._store import write_json, write_whole
from kinetic.errors import StoreError
from kinetic.types import State

CACHE = "KINETIC_CACHE"


def cache_folder(given: Path | None) -> Path | None:
    """The folder to keep features in: the one given, else that of `KINETIC_CACHE`, else none."""
    return given or (Path(os.environ[CACHE]) if os.environ.get(CACHE) else None)


def cached(space: FeatureSpace, folder: Path, known: Registry) -> FeatureSpace:
    """The same space, which looks features up in a folder before it computes them, and keeps those it computes.

    A block of samples is found by the SHA-256 of its bytes, type, shape and kind of device, below that of the options
    and weights of the space. Bytes that changed are computed anew; nothing is ever taken out. A file that cannot be
    read is written again. A space that runs code it was told the name of is left as it is: nothing tells when the code
    changes.

    Raises:
        StoreError: the folder cannot be written to.
    """
    if type(space).by_hand:
        return space
    options = options_of(space, known)
    digest = hashlib.sha256(f"{json.dumps(options, sort_keys=True)}{hash_of(space)}{torch.__version__}".encode())
    place = folder / digest.hexdigest()[:32]
    try:
        write_json(place / "space.json", options)
    except OSError as error:
        raise StoreError(
            f"features cannot be kept in {folder}: {error}\n  Choose another --cache, or {CACHE}."
        ) from error

    @attrs.frozen(eq=False)
    class Cached(FeatureSpace):
        """A feature space and the folder of its features."""

        space: FeatureSpace

        def features(self, x: State) -> Tensor:
            path = place / f"{_name(x)}.safetensors"
            try:
                return load_file(path)["features"].to(x.device)
            except (OSError, SafetensorError, KeyError):
                found = self.space.features(x)
            kept = {"features": found.detach().cpu().contiguous()}
            write_whole(path, lambda part: save_file(kept, part))
            return found

    Cached.__name__ = type(space).__name__  # metrics say in their notes which space they looked in
    return Cached(space)


def _name(x: Tensor) -> str:
    digest = hashlib.sha256(f"{x.dtype}{tuple(x.shape)}{x.device.type}".encode())
    digest.update(x.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
