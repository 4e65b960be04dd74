"""What a data set promises."""

from __future__ import annotations

import torch
from torch import Tensor

from kinetic._roles.dataset import Dataset
from kinetic.testing.check import Allowances, promised, say

LOOKED_AT = 64
"""Points of it, at most."""


def _head(data: Dataset) -> Tensor:
    return data.read(0, min(len(data), LOOKED_AT))


@promised("dataset")
def check_length(dataset: Dataset, allow: Allowances) -> None:
    """There is a point at least."""
    say(len(dataset) >= 1, dataset, "has points", f"it has {len(dataset)}", "Refuse an empty one when it is made.")


@promised("dataset")
def check_shape(dataset: Dataset, allow: Allowances) -> None:
    """`read(start, stop)` gives stop - start points of the event shape."""
    n = len(dataset)
    for start, stop in ((0, min(n, 5)), (n - 1, n), (n // 2, n // 2 + 1), (0, 0)):
        came = tuple(dataset.read(start, stop).shape)
        promise = (stop - start, *dataset.event_shape)
        say(came == promise, dataset, f"reads {start} to {stop} as {promise}", f"it is {came}", "See `event_shape`.")


@promised("dataset")
def check_finite(dataset: Dataset, allow: Allowances) -> None:
    """Points are floating-point numbers, finite."""
    head = _head(dataset)
    right = head.is_floating_point() and bool(head.isfinite().all())
    came = f"{head.dtype}" + ("" if head.is_floating_point() and right else ", some not finite")
    say(right, dataset, "has finite floats", came, "Convert bytes to floats, and refuse NaN when it is made.")


@promised("dataset")
def check_images_in_range(dataset: Dataset, allow: Allowances) -> None:
    """Images, points of (1 or 3, height, width), are in [-1, 1]."""
    if len(dataset.event_shape) == 3 and dataset.event_shape[0] in (1, 3):
        head = _head(dataset).nan_to_num()
        low, high = float(head.min()), float(head.max())
        right = low >= -1 - 1e-4 and high <= 1 + 1e-4
        came, remedy = f"they go from {low:.4g} to {high:.4g}", "Bytes b are b / 127.5 - 1."
        say(right, dataset, "has images in [-1, 1]", came, remedy)


@promised("dataset")
def check_read_again(dataset: Dataset, allow: Allowances) -> None:
    """A point is the same whenever and with whichever others it is read."""
    n = min(len(dataset), 12)
    head = dataset.read(0, n).clone()
    parts = torch.cat([dataset.read(0, n // 2), dataset.read(n // 2, n)])
    one_by_one = torch.cat([dataset.read(i, i + 1) for i in reversed(range(n))]).flip(0)
    remedy = "No augmentation, no shuffling: point i is always point i."
    for other, how in ((dataset.read(0, n), "again"), (parts, "in two parts"), (one_by_one, "one by one")):
        say(torch.equal(other, head), dataset, "reads the same points", f"others {how}", remedy)


@promised("dataset")
def check_blocks(dataset: Dataset, allow: Allowances) -> None:
    """Blocks have all points in order, each with the index of its first."""
    n = min(len(dataset), 2000)
    size, at = max(1, n // 3), 0
    for start, block in dataset.blocks(size):
        came = f"one begins at {start} after {at} points"
        say(start == at, dataset, "numbers its blocks", came, "Yield the index of the first.")
        stop = min(start + size, len(dataset))
        same = torch.equal(block, dataset.read(start, stop))
        say(same, dataset, "has in blocks what it reads", f"points {start} to {stop} are others", "Use `read`.")
        at += len(block)
        if at >= n:
            return
    say(at >= len(dataset), dataset, f"has {len(dataset)} points in blocks", f"{at}", "The last block is shorter.")


@promised("dataset")
def check_take(dataset: Dataset, allow: Allowances) -> None:
    """`take` gives the points of an index in its order."""
    n = len(dataset)
    index = torch.tensor([n - 1, 0, n // 2]).unique().flip(0)
    chosen = torch.cat([dataset.read(i, i + 1) for i in index.tolist()])
    right = torch.equal(dataset.take(index), chosen)
    say(right, dataset, "takes what it reads", "other points", "Row k is the point of index[k]: do not sort.")


@promised("dataset")
def check_take_twice(dataset: Dataset, allow: Allowances) -> None:
    """`take` gives a point as often as its index is asked for, and none for no index."""
    index = torch.tensor([0, 0, len(dataset) - 1, 0])
    chosen = torch.cat([dataset.read(i, i + 1) for i in index.tolist()])
    taken = dataset.take(index)
    right = torch.equal(taken, chosen)
    came, remedy = f"{tuple(taken.shape)} of {tuple(chosen.shape)}", "No set, no unique, no mask."
    say(right, dataset, "takes a repeated index repeatedly", came, remedy)
    none = tuple(dataset.take(index[:0]).shape)
    say(none == (0, *dataset.event_shape), dataset, "takes none for no index", f"{none}", "Give (0, *event).")


@promised("dataset")
def check_labels(dataset: Dataset, allow: Allowances) -> None:
    """Labels are int64 (n,), 0 or more, or None."""
    labels, n = dataset.labels, len(dataset)
    if labels is not None:
        right = labels.dtype == torch.int64 and tuple(labels.shape) == (n,)
        came = f"they are {tuple(labels.shape)} of {labels.dtype}"
        say(right, dataset, f"has {n} labels of int64", came, "One class for each point, or None.")
        say(bool((labels >= 0).all()), dataset, "has classes from 0", f"{int(labels.min())}", "Number them from 0.")


@promised("dataset")
def check_labels_stay(dataset: Dataset, allow: Allowances) -> None:
    """Labels are the same each time, whatever was read in between."""
    first = dataset.labels
    kept = None if first is None else first.clone()
    _head(dataset), dataset.take(torch.tensor([0]))
    second = dataset.labels
    same = (kept is None and second is None) or (kept is not None and second is not None and torch.equal(kept, second))
    say(same, dataset, "has the labels it had", "others after points were read", "Label i is of point i, always.")
