import attrs
import numpy as np
import pytest
import torch
from kinetic_energy import KPE, Path, PowerProfile
from kinetic_fields import Empirical, Gaussian
from kinetic_metrics import FrechetDistance, KNNSupport, Memorisation
from kinetic_schedules import KTS, Constant
from kinetic_solvers import Euler, Heun

import kinetic
from kinetic import Runner, TensorData
from kinetic._sample.noise import noise
from kinetic._sample.shard import Shard, blocks
from kinetic.errors import NonFiniteError, OptionError, ShapeError


@attrs.frozen(eq=False)
class Constantly(kinetic.VelocityField):
    """v = 1 everywhere, NaN for the samples named, from the time named on."""

    bad: tuple = ()
    since: float = 2.0
    calls: list = attrs.field(factory=list)

    @property
    def event_shape(self):
        return torch.Size([2])

    def velocity(self, x, t, batch=None):
        self.calls.append(len(x))
        v = torch.ones_like(x)
        if batch is not None and self.bad:
            v[torch.isin(batch.ids, torch.tensor(self.bad)) & (t >= self.since)] = float("nan")
        return v


class Memory:
    """A store in memory that fails after so many shards, as a killed run does."""

    def __init__(self, survives=10**9):
        self.kept, self.survives = {}, survives

    def load(self, start, stop):
        return self.kept.get((start, stop))

    def read(self, start, stop):
        return self.kept[start, stop]

    def save(self, part: Shard):
        if len(self.kept) >= self.survives:
            raise KeyboardInterrupt
        self.kept[part.start, part.stop] = part


def everything(data, **more):
    meters = {"kpe": KPE(), "path": Path(), "power": PowerProfile(bins=5)}
    metrics = {"memorisation": Memorisation(train=data), "support": KNNSupport(reference=data, k=3)}
    return Runner(field=Empirical(data), solver=Heun(steps=10), meters=meters, metrics=metrics, **more)


@pytest.mark.parametrize("batch", [1, 7, 23, 100])
def test_samples_energies_and_scores_do_not_depend_on_the_batch(batch):
    data = torch.randn(15, 4, dtype=torch.float64)
    runner = everything(data, schedule=KTS(alpha=0.05, beta=0.03))
    whole, cut = (runner.run(23, dtype=torch.float64, batch=size) for size in (None, batch))
    assert torch.allclose(whole.samples, cut.samples, rtol=0, atol=1e-12)
    for name in whole.energy:
        assert torch.allclose(whole.energy[name], cut.energy[name], rtol=1e-10, atol=1e-12), name
    assert whole.scores["memorisation"] == pytest.approx(cut.scores["memorisation"], rel=1e-9)


def test_the_three_norms_are_those_of_noise_and_sample():
    run = everything(torch.randn(5, 3, dtype=torch.float64)).run(6, dtype=torch.float64)
    x0 = noise(0, range(6), (3,), torch.float64)
    assert torch.allclose(run.energy["x0_sq"], x0.square().sum(1))
    assert torch.allclose(run.energy["x0_dot_x1"], (x0 * run.samples).sum(1))
    assert torch.allclose(run.energy["x1_sq"], run.samples.square().sum(1))
    halves = run.energy["x0_sq"] / 2 - run.energy["x0_dot_x1"] + run.energy["x1_sq"] / 2
    assert torch.allclose(halves, run.energy["displacement"])


def test_gain_leftover_noise_and_denoised_sample_on_a_constant_velocity():
    run = Runner(field=Constantly(), solver=Euler(steps=10), schedule=Constant(0.9)).run(4, dtype=torch.float64)
    x0 = noise(0, range(4), (2,), torch.float64)
    assert torch.allclose(run.energy["gain"], torch.full((4,), 0.9, dtype=torch.float64))
    assert torch.allclose(run.samples, x0 + 0.9)
    assert torch.allclose(run.denoised, x0 + 1.0)
    assert torch.allclose(run.energy["noise_left"], torch.full((4,), 0.1, dtype=torch.float64))


def test_a_gain_above_one_leaves_nothing_to_denoise():
    run = Runner(field=Constantly(), solver=Euler(steps=10), schedule=Constant(1.1)).run(4)
    assert torch.equal(run.denoised, run.samples)


@pytest.mark.parametrize("batch", [1, 4, 12])
def test_samples_that_are_not_finite_are_left_out_of_scores_and_keep_their_rows_in_the_table(batch):
    data = torch.randn(20, 2)
    near = {"near": Memorisation(train=data)}
    broken = Runner(field=Constantly(bad=(5, 7), since=0.35), solver=Euler(steps=10), metrics=near)
    whole = Runner(field=Constantly(), solver=Euler(steps=10), metrics=near).run(12)
    run = broken.run(12, batch=batch)
    good = [i for i in range(12) if i not in (5, 7)]
    assert run.details["near"].ids.tolist() == good
    assert torch.equal(run.details["near"].columns["index"], whole.details["near"].columns["index"][good])
    assert run.scores["near"]["f_mem"] == pytest.approx(float(run.details["near"].columns["memorised"].double().mean()))
    table = run.table
    assert [table["near.index"][i].as_py() for i in (5, 7)] == [None, None]
    assert table["near.index"].take(good).to_pylist() == whole.table["near.index"].take(good).to_pylist()
    assert table["status"].to_pylist() == ["stopped: not finite" if i in (5, 7) else "reached t = 1" for i in range(12)]
    assert "5 (t = 0.4), 7 (t = 0.4)" in " ".join(run.notes)


@pytest.mark.parametrize("batch", [1, 4, 12])
def test_a_field_that_is_finite_for_no_sample_is_an_error_and_nothing_of_it_is_judged(batch):
    runner = Runner(field=Constantly(bad=tuple(range(12)), since=0.35), solver=Euler(steps=10))
    with pytest.raises(NonFiniteError, match=r"not finite at t = 0\.4 for \d+ sample\(s\): 0, 1") as caught:
        runner.run(12, batch=batch)
    assert caught.value.ids == tuple(range(max(2, batch)))


def test_noise_that_is_left_in_the_last_block_alone_gives_the_scores_of_one_block():
    @attrs.frozen(eq=False)
    class Late(kinetic.Schedule):
        breakpoints = ()

        def gain(self, t, x, v):
            return torch.where(x.flatten(1)[:, 0] > 1.2, 0.9, 1.0).to(x)

    data = torch.randn(30, 2, dtype=torch.float64)
    near = {"near": Memorisation(train=data), "fd": FrechetDistance(reference=data)}
    runner = Runner(field=Gaussian(size=2, std=0.5), solver=Euler(steps=5), schedule=Late(), metrics=near)
    whole, cut = (runner.run(20, dtype=torch.float64, batch=size) for size in (20, 1))
    first = (cut.energy["noise_left"] > 0).nonzero().flatten()
    assert 0 < int(first[0]) < 19
    assert whole.views.keys() == cut.views.keys() == {"plain", "denoised"}
    assert whole.scores["near"] == pytest.approx(cut.scores["near"], rel=1e-9)
    assert whole.scores["fd"] == pytest.approx(cut.scores["fd"], rel=1e-9)
    denoised = cut.views["denoised"]["near"].columns["distance"]
    assert torch.allclose(denoised, whole.views["denoised"]["near"].columns["distance"], rtol=1e-12)


def test_a_part_that_raises_an_error_is_named_with_samples_and_line():
    @attrs.frozen(eq=False)
    class Raises(kinetic.VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            if batch is not None and 9 in batch.ids:
                raise ValueError("no such sample")
            return torch.ones_like(x)

    store = Memory()
    with pytest.raises(kinetic.errors.ComponentError) as caught:
        Runner(field=Raises(), solver=Euler(steps=2)).run(12, batch=4, store=store)
    assert str(caught.value).startswith("samples 8 to 11: Raises raised ValueError: no such sample\n  In ")
    assert f"{__file__}, line" in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)
    assert sorted(store.kept) == [(0, 4), (4, 8)]


def test_samples_in_a_store_are_read_as_they_are_in_memory():
    runner = Runner(field=Gaussian(size=3), solver=Euler(steps=3), schedule=Constant(0.9))
    held, stored = runner.run(20, batch=6), runner.run(20, batch=6, store=Memory())
    for kind in ("samples", "denoised", "state", "denoised_state"):
        ours, theirs = getattr(stored, kind), getattr(held, kind)
        assert (len(ours), ours.shape, ours.dtype) == (20, theirs.shape, theirs.dtype)
        assert torch.equal(ours.tensor(), theirs)
        assert torch.equal(ours[3:15], theirs[3:15])
        assert torch.equal(ours[torch.tensor([19, 0, 7, 7])], theirs[[19, 0, 7, 7]])
        assert torch.equal(ours[theirs[:, 0] > 0], theirs[theirs[:, 0] > 0])
        assert torch.equal(ours[:0], theirs[:0])
    assert stored.state is stored.samples
    assert stored.denoised is not stored.samples


def test_blocks_filled_one_by_one_in_any_order_are_those_of_a_run():
    runner = Runner(field=Gaussian(size=3), solver=Euler(steps=3), meters={"kpe": KPE()})
    whole, store = runner.run(20, batch=6), Memory()
    for i in (2, 0, 1):
        runner.fill(store, [*blocks(20, 6)][i::3])
    assert sorted(store.kept) == [(0, 6), (6, 12), (12, 18), (18, 20)]
    again = runner.run(20, batch=6, store=store)
    assert torch.equal(again.samples.tensor(), whole.samples)
    assert torch.equal(again.energy["kpe"], whole.energy["kpe"])


def test_a_run_that_was_cut_short_goes_on_and_gives_the_same():
    field = Constantly()
    runner = Runner(field=field, solver=Euler(steps=10), meters={"kpe": KPE()})
    straight = runner.run(20, batch=4)
    store = Memory(survives=3)
    with pytest.raises(KeyboardInterrupt):
        runner.run(20, batch=4, store=store)
    store.survives = 99
    before = len(field.calls)
    resumed = runner.run(20, batch=4, store=store)
    assert len(field.calls) - before == 7 + 2 * 10  # the dry run, and two batches of ten steps
    assert torch.equal(straight.samples, resumed.samples.tensor())
    assert torch.equal(straight.energy["kpe"], resumed.energy["kpe"])


def test_the_table_holds_energies_classes_and_scores():
    data = TensorData(torch.randn(20, 3), torch.arange(20) % 2)
    runner = Runner(
        field=Empirical(data, classes=True),
        solver=Euler(steps=4),
        meters={"kpe": KPE(), "power": PowerProfile(bins=3)},
        metrics={"near": Memorisation(train=data)},
    )
    run = runner.run(7, classes=2)
    table = run.table
    assert table["sample"].to_pylist() == list(range(7))
    assert table["class"].to_pylist() == [0, 1, 0, 1, 0, 1, 0]
    assert table["kpe"].to_pylist() == run.energy["kpe"].tolist()
    assert len(table["power"][0].as_py()) == 3
    assert table["near.index"].to_pylist() == run.details["near"].columns["index"].tolist()
    assert run.scores["near"]["f_mem"] == run.details["near"].values["f_mem"].value


def test_what_does_not_fit_is_said_before_any_sampling():
    field = Constantly()
    runner = Runner(field=field, solver=Euler(steps=5), metrics={"mem": Memorisation(train=torch.randn(4, 3))})
    with pytest.raises(ShapeError) as caught:
        runner.run(100)
    assert str(caught.value).startswith("metric 'mem': 'train' holds points of shape (3,), the samples have shape (2,)")
    assert field.calls == []


def test_a_velocity_of_the_wrong_shape_is_refused():
    @attrs.frozen(eq=False)
    class Flat(kinetic.VelocityField):
        @property
        def event_shape(self):
            return torch.Size([3])

        def velocity(self, x, t, batch=None):
            return x.sum(1)

    with pytest.raises(ShapeError, match=r"Flat answered samples of shape \(2, 3\)"):
        Runner(field=Flat(), solver=Euler(steps=2)).run(4)


def test_two_meters_that_give_one_column_are_refused():
    runner = Runner(field=Gaussian(), solver=Euler(steps=2), meters={"a": KPE(), "b": KPE(split=0.3)})
    with pytest.raises(OptionError, match="two parts give the column 'kpe': meter 'b'"):
        runner.run(2)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"samples": 0}, "'samples' must be an int >= 1: 0"),
        ({"samples": 2.0}, "'samples' must be an int >= 1: 2.0"),
        ({"samples": 3, "seed": -1}, "'seed' must be an int >= 0: -1"),
        ({"samples": 3, "seed": 2**63}, "'seed' must be an int >= 0 and <= 9223372036854775807: 9223372036854775808"),
        ({"samples": True}, "'samples' must be an int >= 1: True"),
        ({"samples": 3, "batch": 0}, "'batch' must be an int >= 1: 0"),
        ({"samples": 3, "batch": -2}, "'batch' must be an int >= 1: -2"),
        ({"samples": 3, "classes": 0}, "'classes' must be an int >= 1: 0"),
        ({"samples": 3, "device": "warp9"}, "'device' must be one that torch has here"),
    ],
)
def test_a_bad_argument_is_named_with_its_bound(bad, said):
    with pytest.raises(OptionError) as caught:
        Runner(field=Gaussian(), solver=Euler(steps=2)).run(**bad)
    assert said in str(caught.value)


def test_a_part_of_the_wrong_role_is_refused():
    with pytest.raises(OptionError, match="'solver' must be a solver"):
        Runner(field=Gaussian(), solver=KPE())
    with pytest.raises(OptionError, match="no metric may be called 'energy'"):
        Runner(Gaussian(), Euler(), metrics={"energy": Memorisation(train=TensorData(torch.zeros(3, 2)))})
    with pytest.raises(OptionError, match="'meters' must map names to EnergyMeters"):
        Runner(field=Gaussian(), solver=Euler(), meters={"kpe": Euler()})


def test_progress_is_told_every_sample_once():
    told = []
    Runner(field=Gaussian(), solver=Euler(steps=5)).run(17, batch=5, progress=told.append)
    assert sum(told) == pytest.approx(17)


@pytest.mark.gpu
def test_a_gpu_gives_the_samples_and_energies_of_the_cpu():
    data = torch.randn(50, 8)
    runner = Runner(
        field=Empirical(data),
        solver=Heun(steps=20),
        schedule=KTS(),
        meters={"kpe": KPE()},
        metrics={"fd": FrechetDistance(reference=data), "mem": Memorisation(train=data)},
    )
    here, there = (runner.run(40, device=device) for device in ("cpu", "cuda"))
    assert torch.allclose(here.samples, there.samples, atol=1e-4)
    assert torch.allclose(here.energy["kpe"], there.energy["kpe"], rtol=1e-5)
    assert here.scores["fd"] == pytest.approx(there.scores["fd"], rel=1e-4)


def test_whole_numbers_of_numpy_are_taken():
    runner = Runner(field=Gaussian(), solver=Heun(steps=2))
    plain = runner.run(5, seed=3, batch=2, device="cpu", classes=2)
    numpy = runner.run(np.int64(5), seed=np.uint8(3), batch=np.int32(2), device="cpu", classes=np.int64(2))
    assert torch.equal(plain.samples, numpy.samples)
    assert torch.equal(plain.condition, numpy.condition)
