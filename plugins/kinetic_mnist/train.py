"""Train everything kinetic_mnist ships: `python -m kinetic_mnist.train`, an hour or two on two cores.

Writes float16 safetensors and prints what was reached. A training that was stopped goes on where it was when the
command is given again. Seeds are fixed; the last digits depend on the machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from safetensors.torch import save_file
from torch import Tensor, nn

from kinetic_mnist.mnist import Mnist
from kinetic_mnist.nets import CHECKPOINTS, CLASSIFIER, WEIGHTS, Classifier, checkpoint_name
from kinetic_mnist.training import Plan, Run, loss_on

PLANS = {plan.name: plan for plan in (Plan(size, steps) for size, steps in CHECKPOINTS.items())}


def train_velocity(plan: Plan, work: Path, weights: Path, device: torch.device, table: Table) -> None:
    """Train one net, writing the averaged one at each checkpoint; the state is kept in `work`."""
    data, test, path = Mnist(size=plan.size), Mnist("test"), work / f"{plan.name}.pt"
    run = Run.begin(plan, device)
    run.go_on(path)
    if run.step >= plan.steps:
        table.add_row(plan.name, "", f"{path} is at step {run.step} already; remove it to train anew", "")
    steps = track(run.steps(data, path), plan.name, total=plan.steps, completed=run.step)
    for step in steps:
        if step in plan.checkpoints:
            loss, held_out = loss_on(run.mean, data), loss_on(run.mean, test)
            name = checkpoint_name(plan.size, step)
            size = save(run.mean, weights / f"{name}.safetensors", steps=step, loss=loss, held_out_loss=held_out)
            table.add_row(name, f"{loss:.4f}", f"held-out loss {held_out:.4f}", f"{size:,}")


def train_classifier(steps: int) -> tuple[Classifier, float]:
    """Cross entropy with pixel noise and shifts of two pixels at most; returns the net and its last loss."""
    torch.manual_seed(0)
    net, stream, data = Classifier(dropout=0.3), torch.Generator().manual_seed(1), Mnist()
    x, labels = data.points()
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    slowing = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    loss = torch.zeros(())
    for _ in track(range(steps), CLASSIFIER):
        pick = torch.randint(len(x), (128,), generator=stream)
        loss = nn.functional.cross_entropy(net(jittered(x[pick], stream)), labels[pick], label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        slowing.step()
    return net.eval(), float(loss.detach())


def jittered(x: Tensor, stream: torch.Generator) -> Tensor:
    """The images moved by up to two pixels, together, with noise of standard deviation 0.1."""
    dx, dy = torch.randint(0, 5, (2,), generator=stream).tolist()
    padded = nn.functional.pad(x, (2, 2, 2, 2), value=-1.0)
    return padded[:, :, dy : dy + 28, dx : dx + 28] + 0.1 * torch.randn(x.shape, generator=stream)


def save(net: nn.Module, path: Path, **about: Any) -> int:
    """Write the net's tensors in float16; returns the size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().half().cpu().contiguous() for name, tensor in net.state_dict().items()}
    save_file(tensors, path, {"about": json.dumps(about)})
    return path.stat().st_size


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, save, and print what was reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the weights, instead of the package's")
    parser.add_argument("--work", type=Path, default=Path("mnist-train"), help="folder for trainings under way")
    parser.add_argument("--only", choices=[CLASSIFIER, *PLANS], help="train just this one")
    parser.add_argument("--steps", type=int, help="end every training after this many steps (for a try)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, ...")
    options = parser.parse_args(arguments)
    table = Table("net", "loss", "reached", "bytes")
    if options.only in (None, CLASSIFIER):
        classifier, loss = train_classifier(options.steps or 1500)
        test = Mnist("test")
        accuracy = float((classifier(test.read(0, len(test))).argmax(1) == test.labels).double().mean())
        size = save(classifier, options.out / f"{CLASSIFIER}.safetensors", accuracy=accuracy)
        table.add_row(CLASSIFIER, f"{loss:.4f}", f"held-out accuracy {accuracy:.4f}", f"{size:,}")
    for name, plan in PLANS.items():
        if options.only in (None, name):
            short = Plan(plan.size, (options.steps,)) if options.steps else plan
            train_velocity(short, options.work, options.out, torch.device(options.device), table)
    Console().print(table)


if __name__ == "__main__":
    main()
