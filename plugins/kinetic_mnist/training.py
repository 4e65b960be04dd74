"""Flow matching of one velocity net: its plan, its state between steps, and going on where it was left."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from kinetic import Dataset
from kinetic_mnist.nets import NULL, VelocityNet

BATCH = 64
RATE = 1e-3
_WARM_UP = 200  # steps in which the learning rate rises
_MEMORY = 0.999  # of the averaged weights
_KEEP_SECONDS = 60


@attrs.frozen
class Plan:
    """How a velocity net is trained: AdamW without decay, batches of 64, rate 1e-3 after a rise of 200 steps.

    The rate stays constant, so that every checkpoint of a run is a net of the same way of training, only longer.

    Args:
        size: how many training digits, the first of them.
        checkpoints: steps after which the averaged net is written, rising; the run ends at the last.
        seed: of the weights it begins with; batches, noise and times have a seed of their own.
    """

    size: int
    checkpoints: tuple[int, ...]
    seed: int = 0

    @property
    def name(self) -> str:
        """What the kept state of its run is called."""
        return f"mnist-{self.size}"

    @property
    def steps(self) -> int:
        """At which the run ends."""
        return self.checkpoints[-1]


@attrs.define
class Run:
    """A training under way: the net, its running average, the optimiser, the random stream and the step reached."""

    plan: Plan
    net: VelocityNet
    mean: VelocityNet
    optimiser: torch.optim.Optimizer
    stream: torch.Generator
    step: int = 0

    @classmethod
    def begin(cls, plan: Plan, device: torch.device) -> Run:
        """The run before its first step."""
        torch.manual_seed(plan.seed)
        net = VelocityNet().to(device)
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.0)
        return cls(plan, net, copy.deepcopy(net).eval(), optimiser, torch.Generator().manual_seed(plan.seed + 1))

    def keep(self, path: Path) -> None:
        """Write everything the next step depends on."""
        kept = {"size": self.plan.size, "seed": self.plan.seed, "step": self.step, "stream": self.stream.get_state()}
        kept |= {name: getattr(self, name).state_dict() for name in ("net", "mean", "optimiser")}
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(kept, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def go_on(self, path: Path) -> None:
        """Take up what `keep` wrote, if it is there and of the same digits and seed."""
        if not path.is_file():
            return
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if (kept["size"], kept["seed"]) != (self.plan.size, self.plan.seed):
            return
        for name in ("net", "mean", "optimiser"):
            getattr(self, name).load_state_dict(kept[name])
        self.stream.set_state(kept["stream"])
        self.step = kept["step"]

    def advance(self, x1: Tensor, labels: Tensor) -> None:
        """One step on E ||v(x_t, t, c) - (x1 - x0)||^2, x_t = (1-t) x0 + t x1; a tenth have their class withheld."""
        device = next(self.net.parameters()).device
        x1, labels, t, x0 = (part.to(device) for part in draw(x1, labels, self.stream, BATCH))
        loss = flow_matching_loss(self.net, x1, labels, t, x0)
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (self.step + 1) / _WARM_UP)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.step += 1
        weight = 1 - min(_MEMORY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.mean.parameters()), list(self.net.parameters()), weight)

    def steps(self, data: Dataset, path: Path) -> Iterator[int]:
        """Train to the end of the plan, yielding each step reached; the state is kept every minute, and at the end."""
        x1, labels = data.read(0, len(data)), data.labels
        assert labels is not None
        kept = time.monotonic()
        while self.step < self.plan.steps:
            self.advance(x1, labels)
            if time.monotonic() - kept > _KEEP_SECONDS or self.step == self.plan.steps:
                self.keep(path)
                kept = time.monotonic()
            yield self.step


def draw(x1: Tensor, labels: Tensor, stream: torch.Generator, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch of data with its classes, a tenth of them withheld, and the times and the noise it is seen at."""
    pick = torch.randint(len(x1), (size,), generator=stream)
    t, free = torch.rand(size, generator=stream), torch.rand(size, generator=stream) < 0.1
    x0 = torch.randn((size, *x1.shape[1:]), generator=stream)
    return x1[pick], labels[pick].masked_fill(free, NULL), t, x0


def flow_matching_loss(net: nn.Module, x1: Tensor, labels: Tensor, t: Tensor, x0: Tensor) -> Tensor:
    """Mean over rows and pixels of (v(x_t, t, c) - (x1 - x0))^2."""
    at = t[:, None, None, None]
    return (net((1 - at) * x0 + at * x1, t, labels) - (x1 - x0)).square().mean()


@torch.no_grad()
def loss_on(net: nn.Module, data: Dataset, rows: int = 4096) -> float:
    """The loss of a net on data: a fixed draw of `rows` batches' rows, the same for every net."""
    device = next(net.parameters()).device
    stream, labels = torch.Generator().manual_seed(7), data.labels
    assert labels is not None
    parts: list[Tensor] = []
    for _ in range(rows // 256):
        batch = draw(data.read(0, len(data)), labels, stream, 256)
        parts.append(flow_matching_loss(net, *(part.to(device) for part in batch)))
    return float(torch.stack(parts).mean())
