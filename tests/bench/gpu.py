"""On a CUDA device: the Runner against a loop by hand, metering, the closed-form field. Times by CUDA events."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import attrs
import torch
from empirical import TwoProducts, random_fields
from kinetic_energy import KPE
from kinetic_fields import Empirical
from kinetic_solvers import Euler
from timing import Table

from kinetic import Batch, Runner, Stage, VelocityField


class DiT(torch.nn.Module):
    """A transformer on 4 x 32 x 32 latents in patches of 2, of about 100 million parameters; random weights."""

    def __init__(self, width: int = 768, depth: int = 14) -> None:
        super().__init__()
        self.inward, self.outward = torch.nn.Conv2d(4, width, 2, 2), torch.nn.ConvTranspose2d(width, 4, 2, 2)
        self.place = torch.nn.Parameter(0.02 * torch.randn(1, 256, width))
        layer = torch.nn.TransformerEncoderLayer(
            width, 12, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.body = torch.nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.clock = torch.nn.Linear(1, width)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Velocity `(m, 4, 32, 32)`."""
        h = self.inward(x).flatten(2).transpose(1, 2) + self.place + self.clock(t.to(x.dtype)[:, None])[:, None]
        return self.outward(self.body(h).transpose(1, 2).unflatten(2, (16, 16)))


@attrs.frozen(eq=False)
class Net(VelocityField):
    """A compiled net in bfloat16."""

    net: Callable[..., torch.Tensor]

    @property
    def event_shape(self) -> torch.Size:
        return torch.Size([4, 32, 32])

    def velocity(self, x: torch.Tensor, t: torch.Tensor, batch: Batch | None = None) -> torch.Tensor:
        with torch.autocast("cuda", dtype=torch.bfloat16):
            return self.net(x, t).to(x.dtype)


def _timed(run: Callable[[], object], repeats: int = 7) -> float:
    run()
    seconds = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        seconds.append(start.elapsed_time(end) / 1e3)
    return statistics.median(seconds)


@torch.inference_mode()
def tables(quick: bool) -> list[Table]:
    """No table where there is no CUDA device."""
    if not torch.cuda.is_available():
        return []
    return [_runner(quick), _closed_form(quick)]


def _runner(quick: bool) -> Table:
    batch, steps = (4, 4) if quick else (64, 50)
    net = DiT().cuda().eval()
    compiled = torch.compile(net)
    field, x0 = Net(compiled), torch.randn(batch, 4, 32, 32, device="cuda")

    def imports_code() -> torch.Tensor:
        x = x0
        for k in range(steps):
            x = x + field.velocity(x, torch.full((batch,), k / steps, device="cuda")) / steps
        return x.cpu()

    def ours() -> object:
        runner = Runner(field=field, solver=Euler(steps=steps), meters={"kpe": KPE()})
        return runner.run(batch, device="cuda", batch=batch)

    hand, mine = _timed(imports_code), _timed(ours)
    v, t = torch.randn_like(x0), torch.zeros(batch, dtype=torch.float64, device="cuda")
    meter = _timed(lambda: [Stage(t, v, 1.0).square for _ in range(100)]) / 100
    parameters = sum(p.numel() for p in net.parameters()) / 1e6
    return Table(
        f"GPU: the Runner on a net of {parameters:.0f} M parameters, bfloat16, compiled, batch {batch}, {steps} Euler steps",
        ("by hand", "Runner with KPE", "ratio", "metering, share of a step"),
        [[f"{hand:.4f} s", f"{mine:.4f} s", f"{mine / hand:.3f}", f"{meter / (hand / steps):.2%}"]],
        f"{torch.cuda.get_device_name()}, CUDA events, medians of 7. Goals: 1.02; 1%.",
    )


def _closed_form(quick: bool) -> Table:
    n, rows = 500 if quick else 50_000, []
    data = random_fields(n).cuda()
    field, plain = Empirical(data), TwoProducts(data)
    for batch in (1, 16, 128, 1024):
        x, t = torch.randn(batch, 3072, device="cuda"), torch.full((batch,), 0.1, device="cuda")
        scores, out = torch.empty(batch, n, device="cuda"), torch.empty(batch, 3072, device="cuda")

        def floor(x: torch.Tensor = x, scores: torch.Tensor = scores, out: torch.Tensor = out) -> None:
            torch.mm(x, data.T, out=scores)
            torch.mm(scores, data, out=out)

        times = [_timed(f) for f in (floor, lambda x=x: plain.velocity(x, 0.1), lambda x=x, t=t: field.velocity(x, t))]
        rows.append([str(batch), *(f"{time * 1e3:.3f} ms" for time in times), f"{times[0] / times[2]:.0%}"])
    return Table(
        f"GPU: closed-form field, {n:,} x 3,072",
        ("batch", "floor: two `torch.mm`", "addmm, softmax, mm", "kinetic", "floor / kinetic"),
        rows,
        f"{torch.cuda.get_device_name()}, float32 without TF32, CUDA events, medians of 7.",
    )
