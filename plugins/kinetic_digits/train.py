"""Train everything kinetic_digits ships: `python -m kinetic_digits.train`, some minutes on two cores.

Writes float16 safetensors and prints what was reached. Seeds are fixed; the last digits depend on the machine.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from safetensors.torch import save_file
from torch import Tensor, nn

from kinetic_digits.digits import Digits
from kinetic_digits.nets import CLASSES, NULL, SMALL, TRAININGS, WEIGHTS, Classifier, VelocityNet, small_name

CLIP = Path(__file__).parent / "clip"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEMPLATES = (
    "a handwritten digit {}",
    "a photo of the digit {}",
    "the number {}",
    "a handwritten {}",
    "an image of the number {} written by hand",
)
CLIP_CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 8, "patch_size": 2, "layers": 3, "width": 64, "head_width": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
}


@attrs.frozen
class Plan:
    """How a velocity net is trained.

    Args:
        name: of the weights file.
        size: how many training digits; None for all.
        steps: of AdamW, batch 256, cosine learning rate from `rate` to 0.
        seed: of the weights it begins with; noise, times and batches have seeds of their own, counted on from it.
        shape: width and blocks of the net.
    """

    name: str
    size: int | None
    steps: int
    rate: float = 1e-3
    decay: float = 0.01
    seed: int = 0
    shape: Mapping[str, int] = attrs.field(factory=dict)


PLANS = (
    Plan("digits", None, 5000, decay=0.1),
    Plan("digits-memorised", 256, 8000, decay=0.0),
    *(Plan(small_name(k), 128, 12000, 2e-3, decay=0.0, seed=100 * k, shape=SMALL) for k in range(1, TRAININGS + 1)),
)


def batches(data: Digits, steps: int, seed: int, size: int = 256) -> Iterator[tuple[Tensor, Tensor]]:
    """Random batches with their labels."""
    generator = torch.Generator().manual_seed(seed)
    x, labels = data.points()
    for _ in range(steps):
        pick = torch.randint(len(x), (size,), generator=generator)
        yield x[pick], labels[pick]


def train_velocity(plan: Plan, steps: int | None = None) -> tuple[nn.Module, float]:
    """Flow matching, E ||v(x_t, t, c) - (x1 - x0)||^2 with x_t = (1-t) x0 + t x1.

    The class is withheld from a tenth of the samples. Returns the averaged net and its loss per pixel.
    """
    torch.manual_seed(plan.seed)
    steps = steps or plan.steps
    net, generator = VelocityNet(**plan.shape), torch.Generator().manual_seed(plan.seed + 1)
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=plan.rate, weight_decay=plan.decay)
    slowing = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    losses: list[float] = []
    for x1, labels in track(batches(Digits(size=plan.size), steps, plan.seed + 2), plan.name, total=steps):
        x0, t = torch.randn(x1.shape, generator=generator), torch.rand(len(x1), generator=generator)
        at = t[:, None, None, None]
        free = torch.rand(len(x1), generator=generator) < 0.1
        v = net((1 - at) * x0 + at * x1, t, labels.masked_fill(free, NULL))
        loss = (v - (x1 - x0)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        slowing.step()
        losses.append(float(loss.detach()))
        with torch.no_grad():
            weight = max(0.002, 1 / len(losses))
            for a, b in zip(mean.parameters(), net.parameters(), strict=True):
                a.lerp_(b, weight)
    return mean.eval(), sum(losses[-200:]) / len(losses[-200:])


def train_classifier(steps: int = 1500) -> tuple[nn.Module, float]:
    """Cross entropy with pixel noise and shifts of one pixel; returns the net and its last loss."""
    torch.manual_seed(0)
    net, generator = Classifier(dropout=0.3), torch.Generator().manual_seed(1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    slowing = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    loss = torch.zeros(())
    for x, labels in track(batches(Digits(), steps, 3, 128), "digits-classifier", total=steps):
        loss = nn.functional.cross_entropy(net(_jittered(x, generator)), labels, label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        slowing.step()
    return net.eval(), float(loss.detach())


def train_clip(steps: int = 700) -> tuple[nn.Module, float]:
    """The symmetric contrastive loss, with every caption of the batch's own class counted as right."""
    import open_clip

    torch.manual_seed(0)
    net = open_clip.CLIP(**CLIP_CONFIG["model_cfg"])
    tokens = open_clip.get_tokenizer("ViT-B-32", context_length=16)(
        [template.format(word) for template in TEMPLATES for word in WORDS]
    )
    generator = torch.Generator().manual_seed(1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.02)
    slowing = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=steps + 1, pct_start=0.1)
    loss = torch.zeros(())
    for x, labels in track(batches(Digits(), steps, 4, 256), "clip", total=steps):
        images = nn.functional.normalize(net.encode_image(_jittered(x, generator).expand(-1, 3, -1, -1)), dim=-1)
        texts = nn.functional.normalize(net.encode_text(tokens), dim=-1)
        logits = net.logit_scale.exp().clamp_max(30) * images @ texts.T
        right = (torch.arange(len(tokens)) % CLASSES == labels[:, None]).float()
        by_image = -(logits.log_softmax(1) * right).sum(1) / right.sum(1)
        by_text = -(logits.log_softmax(0) * right).sum(0) / right.sum(0).clamp_min(1)
        loss = (by_image.mean() + by_text.mean()) / 2
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        slowing.step()
    return net.eval(), float(loss.detach())


def _jittered(x: Tensor, generator: torch.Generator) -> Tensor:
    dx, dy = torch.randint(-1, 2, (2,), generator=generator).tolist()
    padded = nn.functional.pad(x, (1, 1, 1, 1), value=-1.0)
    shifted = padded[:, :, 1 + dy : 9 + dy, 1 + dx : 9 + dx]
    return shifted + 0.1 * torch.randn(x.shape, generator=generator)


@torch.no_grad()
def f_mem(net: nn.Module, train: Tensor, samples: int = 2000, steps: int = 100) -> tuple[float, Tensor]:
    """Share of Euler samples with d1/d2 < 1/3, L2 in pixels to the two nearest training digits; and the samples."""
    generator = torch.Generator().manual_seed(5)
    x, labels = torch.randn(samples, 1, 8, 8, generator=generator), torch.arange(samples) % CLASSES
    for k in range(steps):
        x = x + net(x, torch.full((samples,), k / steps), labels) / steps
    nearest = torch.cdist(x.flatten(1).double(), train.flatten(1).double()).topk(2, largest=False).values
    return float((nearest[:, 0] < nearest[:, 1] / 3).double().mean()), x


def save(net: nn.Module, path: Path, **about: Any) -> int:
    """Write the net's tensors in float16; returns the size in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.detach().half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
        for name, tensor in net.state_dict().items()
    }
    save_file(tensors, path, {"about": json.dumps(about)})
    return path.stat().st_size


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, save, and print what was reached."""
    names = [plan.name for plan in PLANS] + ["digits-classifier", "clip"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder to write to, instead of the package itself")
    parser.add_argument("--only", choices=names, help="train just this one")
    parser.add_argument("--steps", type=int, help="training steps, instead of each net's own (for a try)")
    options = parser.parse_args(arguments)
    weights = options.out / "weights" if options.out else WEIGHTS
    clip = options.out / "clip" if options.out else CLIP
    table = Table("net", "loss", "reached", "bytes")
    test = Digits("test")
    classifier: nn.Module | None = None
    for name in ["digits-classifier", "clip", *(plan.name for plan in PLANS)]:
        if options.only not in (None, name):
            continue
        if name == "digits-classifier":
            classifier, loss = train_classifier(options.steps or 1500)
            accuracy = float((classifier(test.read(0, len(test))).argmax(1) == test.labels).double().mean())
            size = save(classifier, weights / f"{name}.safetensors", accuracy=accuracy)
            table.add_row(name, f"{loss:.4f}", f"held-out accuracy {accuracy:.4f}", f"{size:,}")
        elif name == "clip":
            net, loss = train_clip(options.steps or 700)
            size = save(net, clip / "open_clip_model.safetensors")
            (clip / "open_clip_config.json").write_text(json.dumps(CLIP_CONFIG, indent=1) + "\n", encoding="utf-8")
            table.add_row(name, f"{loss:.4f}", f"held-out zero-shot accuracy {zero_shot(clip):.4f}", f"{size:,}")
        else:
            plan = next(plan for plan in PLANS if plan.name == name)
            net, loss = train_velocity(plan, options.steps)
            share, samples = f_mem(net, Digits(size=plan.size).read(0, plan.size or len(Digits())))
            reached = f"F_mem {share:.4f}"
            if classifier is not None:
                asked = classifier(samples).argmax(1) == torch.arange(len(samples)) % CLASSES
                reached += f", {float(asked.double().mean()):.4f} of samples are the digit asked for"
            size = save(net, weights / f"{name}.safetensors", f_mem=share)
            table.add_row(name, f"{loss:.4f}", reached, f"{size:,}")
    Console().print(table)


@torch.no_grad()
def zero_shot(folder: Path) -> float:
    """Zero-shot accuracy of a local-dir CLIP on the held-out digits, through open_clip's own loading."""
    import open_clip

    net, _, _ = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")([TEMPLATES[0].format(word) for word in WORDS])
    test = Digits("test")
    images = net.encode_image(test.read(0, len(test)).expand(-1, 3, -1, -1), normalize=True)
    texts = net.encode_text(tokens, normalize=True)
    return float(((images @ texts.T).argmax(1) == test.labels).double().mean())


if __name__ == "__main__":
    main()
