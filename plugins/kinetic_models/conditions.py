"""What networks that are asked by prompts are told: rows of a file of embeddings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from kinetic import options
from kinetic.errors import OptionError

Widths = Mapping[str, tuple[int | None, ...]]
"""`{name: shape of a row}` of the tensors that a network takes, None where any number will do."""


def embeddings(location: str, widths: Widths | None = None) -> dict[str, Tensor]:
    """The tensors of a safetensors file that a network takes by name, one row a prompt: `(P, ...)` each.

    Args:
        location: of the file.
        widths: those it takes; without it, all that the file holds.
    Raises:
        MissingFileError: nothing is there.
        OptionError: it is another file, lacks a tensor, has one of another shape, or unlike numbers of rows.
    """
    path = options.existing_file(location, what="conditions", remedy="Save the embeddings of your prompts there.")
    try:
        held = load_file(path)
    except (SafetensorError, OSError) as error:
        raise OptionError(f"'conditions' cannot be read as safetensors: {path}: {error}") from error
    needs = {name: (None,) * (each.dim() - 1) for name, each in held.items()} if widths is None else widths
    fault = _fault(held, needs)
    if fault:
        shapes = " and ".join(f"{name} {_shown(width)}" for name, width in needs.items())
        raise OptionError(f"'conditions' {fault}: {path}\n  It needs {shapes or 'tensors'}, a row a prompt.")
    return {name: held[name] for name in needs}


def check_null(null: int | None, rows: int) -> None:
    """Refuse a row for samples that are asked for nothing that is none of those there are."""
    if null is not None and null >= rows:
        raise OptionError(f"'null' must be below {rows}, the number of rows: {null}")


def rows_of(condition: Tensor | None, n: int, rows: int, null: int | None, what: str = "row") -> Tensor:
    """The row, or class, that each sample is asked for, int64 `(n,)`; `null` where they are asked for none.

    Args:
        condition: of the batch.
        n: number of samples.
        rows: how many there are.
        null: the row of samples that are asked for nothing.
        what: a row is, for errors.
    Raises:
        OptionError: there is no such row, or no `null` where one is needed.
    """
    if condition is None:
        if null is None:
            raise OptionError(
                f"the network was asked for nothing, and 'null' says no {what} that stands for it\n  Under [run], "
                f"`classes = N` asks sample i for {what} i mod N."
            )
        condition = torch.full((n,), null, dtype=torch.int64)
    whole = condition.dtype == torch.int64 and condition.shape == (n,)
    if not whole or bool(((condition < 0) | (condition >= rows)).any()):
        ends = f" from {condition.min().item():g} to {condition.max().item():g}" if condition.numel() else ""
        raise OptionError(
            f"each sample needs a {what} from 0 to {rows - 1}, as int64 ({n},): {condition.dtype} "
            f"{tuple(condition.shape)}{ends}"
        )
    return condition


def _fault(held: Mapping[str, Tensor], needs: Widths) -> str:
    missing = [name for name in needs if name not in held]
    if missing or not needs:
        return f"lacks {' and '.join(missing) or 'tensors'}"
    for name, width in needs.items():
        shape = tuple(held[name].shape)
        if len(shape) != 1 + len(width) or any(w not in (None, size) for w, size in zip(width, shape[1:], strict=True)):
            return f"holds {name} of shape {shape}"
    rows = {name: len(held[name]) for name in needs}
    return (
        f"holds unlike numbers of prompts, or none: {rows}" if len(set(rows.values())) > 1 or 0 in rows.values() else ""
    )


def _shown(width: tuple[int | None, ...]) -> str:
    return f"(P{''.join(', L' if each is None else f', {each}' for each in width)})"
