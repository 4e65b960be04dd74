"""What it costs to weigh a velocity."""

from __future__ import annotations

import torch
from timing import Table, race

from kinetic import Stage

_WIDTH = 80


class _Block(torch.nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = torch.nn.GroupNorm(8, a), torch.nn.Conv2d(a, b, 3, padding=1)
        self.norm2, self.conv2 = torch.nn.GroupNorm(8, b), torch.nn.Conv2d(b, b, 3, padding=1)
        self.skip = torch.nn.Conv2d(a, b, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.conv1(torch.nn.functional.silu(self.norm1(x)))
        return self.conv2(torch.nn.functional.silu(self.norm2(h))) + self.skip(x)


class UNet(torch.nn.Module):
    """A U-Net of about 4 million parameters on 3 x 32 x 32, of the usual shape; its weights are random."""

    def __init__(self) -> None:
        super().__init__()
        w = _WIDTH
        self.first, self.last = torch.nn.Conv2d(3, w, 3, padding=1), torch.nn.Conv2d(w, 3, 3, padding=1)
        self.down = torch.nn.ModuleList([_Block(w, w), _Block(w, 2 * w), _Block(2 * w, 2 * w)])
        self.middle = _Block(2 * w, 4 * w)
        self.up = torch.nn.ModuleList([_Block(6 * w, 2 * w), _Block(4 * w, 2 * w), _Block(3 * w, w)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, kept = self.first(x), []
        for block in self.down:
            x = block(x)
            kept.append(x)
            x = torch.nn.functional.avg_pool2d(x, 2)
        x = self.middle(x)
        for block in self.up:
            x = torch.nn.functional.interpolate(x, scale_factor=2)
            x = block(torch.cat([x, kept.pop()], 1))
        return self.last(x)


@torch.inference_mode()
def tables(quick: bool) -> list[Table]:
    """One squared norm per sample: ours, the obvious ways, and a call of a net."""
    torch.manual_seed(0)
    net = UNet().eval()
    parameters = sum(p.numel() for p in net.parameters())
    rows = []
    for batch in (2, 16) if quick else (2, 16, 64, 256):
        v, t = torch.randn(batch, 3, 32, 32), torch.zeros(batch, dtype=torch.float64)
        found = race(
            {
                "ours": lambda v=v, t=t: [Stage(t, v, 1.0).square for _ in range(20)],
                "pow": lambda v=v: [v.pow(2).flatten(1).sum(1) for _ in range(20)],
                "double": lambda v=v: [v.double().pow(2).flatten(1).sum(1) for _ in range(20)],
            },
            1 if quick else 15,
        )
        calls = race({"net": lambda v=v: net(v)}, 1 if quick or batch > 64 else 3)
        ours, power, double = (found[name].median / 20 for name in ("ours", "pow", "double"))
        exact = v.double().square().flatten(1).sum(1)
        error = ((Stage(t, v, 1.0).square - exact) / exact).abs().max().item()
        rows.append(
            [str(batch), f"{ours * 1e6:.0f} us", f"{power * 1e6:.0f} us", f"{double * 1e6:.0f} us",
             f"{power / ours:.1f}", f"{error:.0e}", str(calls["net"]), f"{ours / calls['net'].median:.4%}"]
        )  # fmt: skip
    return [
        Table(
            "Metering",
            ("batch of 3 x 32 x 32", "`Stage.square`", "`v.pow(2).sum`", "`v.double().pow(2).sum`", "pow / ours",
             "relative error", "a call of the U-Net", "metering / call"),
            rows,
            f"Float32 velocities, sums in float64; the U-Net has {parameters / 1e6:.1f} M parameters. No further velocity is "
            "asked for. Goal: at most 0.1% of a call.",
        )
    ]  # fmt: skip
