"""What a feature space promises."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kinetic._roles.dataset import TensorData
from kinetic._roles.features import BLOCK, FeatureSpace
from kinetic._roles.tree import inside
from kinetic.errors import KineticError
from kinetic.testing.check import Allowances, promised, say
from kinetic.testing.probe import N, apart, close, copied, home, in_training, normal, shapes

_FLOAT32 = 1e-5


def points(features: FeatureSpace, allow: Allowances, n: int = N) -> Tensor:
    """Samples in [-1, 1], of the shape that is allowed for or else the first that the space takes."""
    tried = shapes(allow.event_shape)
    for shape in tried[:-1]:
        x = _made(n, shape, features)
        try:
            features.features(x.clone())
        except (KineticError, RuntimeError, ValueError):
            continue
        return x
    return _made(n, tried[-1], features)


def _made(n: int, shape: tuple[int, ...], features: FeatureSpace) -> Tensor:
    return normal(n, *shape, dtype=torch.float32).clamp(-1, 1).to(home(features))


def seen(features: FeatureSpace, x: Tensor) -> Tensor:
    """Features of a copy of samples: only `x_kept` looks at what is written to them."""
    return features.features(x.clone())


@promised("features")
def check_shape(features: FeatureSpace, allow: Allowances) -> None:
    """Features are floating-point vectors, (m, f)."""
    x = points(features, allow)
    vectors = seen(features, x)
    right = vectors.dim() == 2 and len(vectors) == N and vectors.is_floating_point()
    came = f"it gives {tuple(vectors.shape)} of {vectors.dtype}"
    say(right, features, f"gives {N} samples {N} vectors", came, "Flatten to (m, f).")


@promised("features")
def check_width(features: FeatureSpace, allow: Allowances) -> None:
    """The number of features is the same for any number of samples."""
    x = points(features, allow)
    widths = {seen(features, x[:n]).shape[-1] for n in (1, 2, N)}
    say(len(widths) == 1, features, "gives vectors of one length", f"there are {sorted(widths)}", "f is fixed.")


@promised("features")
def check_finite(features: FeatureSpace, allow: Allowances) -> None:
    """Features of finite samples are finite, of constant ones too."""
    x = points(features, allow)
    for each, what in ((x, "normal"), (torch.zeros_like(x), "zero"), (torch.ones_like(x), "white")):
        fine = bool(seen(features, each).isfinite().all())
        say(fine, features, "gives finite features", f"not of {what} samples", "Guard divisions and logarithms.")


@promised("features")
def check_x_kept(features: FeatureSpace, allow: Allowances) -> None:
    """Samples are not written to."""
    x = points(features, allow)
    kept = x.clone()
    features.features(x)
    remedy = "No operation that ends in _: other metrics see the same samples."
    say(torch.equal(x, kept), features, "keeps the samples", "it writes to them", remedy)


@promised("features")
def check_rows_alone(features: FeatureSpace, allow: Allowances) -> None:
    """A sample has alone the features that it has in a batch."""
    x = points(features, allow)
    together = seen(features, x)
    for i in range(N):
        alone = seen(features, x[i : i + 1])
        remedy = "No mean or norm over the batch; networks in eval mode, asked through kinetic.in_blocks."
        same = close(alone, together[i : i + 1], allow.within(_FLOAT32))
        say(same, features, "sees a sample alone as in a batch", apart(alone, together[i : i + 1]), remedy)


@promised("features")
def check_rows_permuted(features: FeatureSpace, allow: Allowances) -> None:
    """Samples in another order have the same features, in that order."""
    x, order = points(features, allow), torch.tensor([3, 0, 5, 1, 4, 2])
    together, turned = seen(features, x), seen(features, x[order])
    same = close(turned, together[order], allow.within(_FLOAT32))
    say(same, features, "keeps the order", apart(turned, together[order]), "Row i is of sample i.")


@promised("features")
def check_many(features: FeatureSpace, allow: Allowances) -> None:
    """More samples than a block of networks holds have the features of fewer."""
    x = points(features, allow)
    many = x.repeat(BLOCK // N + 1, *[1] * (x.dim() - 1))[: BLOCK + 1]
    few, all_of_them = seen(features, x), seen(features, many)
    expected = few[torch.arange(BLOCK + 1) % N]
    same = close(all_of_them, expected, allow.within(_FLOAT32))
    say(same, features, "sees many as it sees few", apart(all_of_them, expected), "Ask a network in blocks.")


@promised("features")
def check_train_mode(features: FeatureSpace, allow: Allowances) -> None:
    """Its networks are in eval mode, or answer in the same way as if they were."""
    parts, remedy = in_training(features), "Call net.eval() when the space is made."
    say(not parts, features, "has its networks in eval mode", f"{', '.join(parts[:3])} train", remedy)
    still = copied(features) if any(net.training for net in inside(features, nn.Module)) else None
    if still is not None:
        for net in inside(still, nn.Module):
            net.eval()
        x = points(features, allow)
        now, evaluated = seen(features, x), seen(still, x)
        same = close(now, evaluated, allow.within(_FLOAT32))
        say(same, features, "answers as in eval mode", apart(now, evaluated), remedy)


@promised("features")
def check_table(features: FeatureSpace, allow: Allowances) -> None:
    """The table of a data set has the features of its points, in order."""
    x = points(features, allow)
    table, direct = features.table(TensorData(x.clone())), seen(features, x)
    same = close(table, direct.cpu(), allow.within(_FLOAT32))
    say(same, features, "tables what it sees", apart(table, direct), "Leave `table` as it is inherited.")


@promised("features")
def check_preprocessing(features: FeatureSpace, allow: Allowances) -> None:
    """`preprocessing` is text, the same each time, for features are kept under it."""
    first, second = features.preprocessing, features.preprocessing
    right = isinstance(first, str) and first == second
    say(right, features, "says what it does before", f"{first!r}, then {second!r}", "Every number, no date.")
