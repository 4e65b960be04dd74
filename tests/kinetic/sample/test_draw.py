"""Where samples begin, and what is seen of them."""

import attrs
import pytest
import torch
from kinetic_energy import KPE
from kinetic_fields import Gaussian
from kinetic_metrics import LogLikelihood, Sharpness
from kinetic_schedules import Constant
from kinetic_solvers import RK4, Euler

from kinetic import Metric, Runner, Score, Shaped, TensorData, VelocityField
from kinetic._sample.noise import noise
from kinetic.errors import ComponentError, OptionError, OutOfMemoryError, ShapeError


@attrs.frozen(eq=False)
class Latent(VelocityField):
    """v = 1 from twice the noise plus the sample's id, seen as twice as many elements; counts what it shows."""

    shown: list = attrs.field(factory=list)
    event_shape = torch.Size([3])

    def start(self, z, batch=None):
        return 2 * z + batch.ids[:, None].to(z.dtype)

    def seen(self, x):
        self.shown.append(len(x))
        return torch.cat([x, -x], 1)

    def velocity(self, x, t, batch=None):
        return torch.ones_like(x)


@attrs.frozen(eq=False)
class Keeping(Metric):
    """Keeps what it was shown."""

    shapes: list = attrs.field(factory=list)

    def begin(self):
        return ()

    def observe(self, state, samples):
        self.shapes.append((samples.x, samples.state))
        return state

    def merge(self, a, b):
        return ()

    def finish(self, state):
        return Score({})


def begun(n):
    return 2 * noise(0, range(n), (3,), torch.float64) + torch.arange(n)[:, None]


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: Shaped(f, Constant(1.0))])
def test_a_path_begins_where_the_field_says_and_norms_and_energies_are_of_it(wrap):
    run = Runner(wrap(Latent()), Euler(steps=4), meters={"kpe": KPE()}).run(5, batch=2, dtype=torch.float64)
    x0 = begun(5)
    assert torch.allclose(run.state, x0 + 1)
    assert torch.allclose(run.energy["x0_sq"], x0.square().sum(1))
    assert torch.allclose(run.energy["x1_sq"], (x0 + 1).square().sum(1))
    assert torch.allclose(run.energy["displacement"], torch.tensor(1.5).double())


def test_metrics_see_what_is_shown_and_are_given_the_state_and_nothing_is_shown_twice():
    field, metric = Latent(), Keeping()
    run = Runner(field, Euler(steps=4), metrics={"keep": metric}).run(5, batch=2, dtype=torch.float64)
    assert torch.allclose(run.samples, torch.cat([run.state, -run.state], 1))
    assert field.shown == [2, 2, 2, 1]  # the dry run, and each batch
    x, state = (torch.cat(parts) for parts in zip(*metric.shapes[1:], strict=True))
    assert torch.equal(x, run.samples)
    assert torch.equal(state, run.state)


def test_the_denoised_view_is_seen_too_and_the_control_puts_back_the_noise_the_path_began_with():
    runner = Runner(Latent(), Euler(steps=4), Constant(0.9), metrics={"keep": Keeping()})
    run = runner.run(4, dtype=torch.float64)
    assert torch.allclose(run.denoised_state, begun(4) + 1)
    assert torch.allclose(run.denoised, torch.cat([begun(4) + 1, -begun(4) - 1], 1))
    metric = Keeping()
    plain = Runner(Latent(), Euler(steps=4), metrics={"keep": metric})
    plain.control(plain.run(4, dtype=torch.float64), run.energy["gain"])
    x, state = metric.shapes[-1]
    assert torch.allclose(state, 0.9 * (begun(4) + 1) + 0.1 * begun(4) + 0.1)
    assert torch.equal(x, torch.cat([state, -state], 1))


def test_what_is_seen_as_it_was_moved_is_kept_once():
    run = Runner(Gaussian(), Euler(steps=2), metrics={"keep": (metric := Keeping())}).run(4)
    assert run.state is run.samples is run.denoised is run.denoised_state
    assert all(x is state for x, state in metric.shapes)


def test_the_density_is_that_of_the_state():
    @attrs.frozen(eq=False)
    class Doubled(VelocityField):
        field: VelocityField
        event_shape = torch.Size([2])

        def seen(self, x):
            return torch.cat([x, x], 1)

        def velocity(self, x, t, batch=None):
            return self.field.velocity(x, t, batch)

    flow = Gaussian(size=2, mean=0.5, std=0.7)
    runs = [Runner(f, RK4(steps=20), metrics={"ll": LogLikelihood(flow)}).run(6) for f in (flow, Doubled(flow))]
    columns = [run.details["ll"].columns["log_likelihood"] for run in runs]
    assert torch.equal(*columns)


def test_samples_begin_at_the_points_of_a_data_set():
    points = torch.randn(6, 3, dtype=torch.float64)
    for start in (points, TensorData(points)):
        run = Runner(Latent(), Euler(steps=4)).run(5, batch=2, dtype=torch.float64, start=start)
        assert torch.allclose(run.state, points[:5] + 1)
        assert torch.allclose(run.energy["x0_sq"], points[:5].square().sum(1))


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        (torch.zeros(9, 4), ShapeError, r"'start' holds points of shape \(4,\), Latent moves samples of shape \(3,\)"),
        (torch.zeros(4, 3), OptionError, "'samples' must be at most 4, the points of 'start': 5"),
        ("noise", OptionError, "'start' must be a Dataset, a tensor or None: 'noise'"),
    ],
)
def test_a_start_that_does_not_fit_is_refused_before_any_work(start, error, message):
    field = Latent()
    with pytest.raises(error, match=message):
        Runner(field, Euler(steps=4), metrics={"s": Sharpness()}).run(5, start=start)
    assert field.shown == []


def test_a_list_of_prompts_asks_for_their_index_as_class_and_names_them_in_the_table():
    runner = Runner(Gaussian(size=2), Euler(steps=2), meters={"kpe": KPE()})
    asked, by_class = runner.run(5, classes=["a cat", "a dog"]), runner.run(5, classes=2)
    assert asked.condition.tolist() == [0, 1, 0, 1, 0]
    assert torch.equal(asked.samples, by_class.samples)
    assert asked.prompts == ("a cat", "a dog")
    table = asked.table
    assert table["prompt"].to_pylist() == ["a cat", "a dog", "a cat", "a dog", "a cat"]
    assert str(table["prompt"].type).startswith("dictionary<values=string, indices=int32")
    assert table.column_names[:3] == ["sample", "class", "prompt"]
    assert by_class.prompts is None
    assert "prompt" not in by_class.table.column_names


@pytest.mark.parametrize("classes", ["a cat", [], ["a cat", 2], [None]])
def test_classes_that_are_neither_a_number_nor_prompts_are_refused(classes):
    runner = Runner(Gaussian(size=2), Euler(steps=2))
    for ask in (lambda: runner.run(5, classes=classes), lambda: runner.dry_run(classes=classes)):
        with pytest.raises(OptionError, match=r"'classes' must be an int >= 1, or a list of prompts, one or more: "):
            ask()


def test_auto_follows_a_field_that_lies_on_an_accelerator(monkeypatch):
    from kinetic._sample import draw

    for own, expected in (("cuda:1", "cuda:1"), ("mps", "mps"), ("cpu", "cpu"), ("meta", "cpu"), (None, "cpu")):
        monkeypatch.setattr(draw, "device_of", lambda field, own=own: None if own is None else torch.device(own))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert draw.find_device("auto", Gaussian()) == torch.device(expected)
    assert draw.find_device("cpu", Gaussian()) == torch.device("cpu")


@pytest.mark.parametrize("size", [2**50, 2**62, 2**63 - 1])
def test_samples_that_no_memory_holds_are_refused_before_they_are_drawn(size):
    runner = Runner(Gaussian(size=size), Euler(steps=2))
    for ask in (lambda: runner.run(5), runner.dry_run):
        with pytest.raises(OutOfMemoryError, match=r"^where samples 0 to 1 begin: memory ran out: .*\n  It must hold"):
            ask()


def test_an_error_of_a_field_where_samples_begin_names_it_and_the_samples(monkeypatch):
    def start(self, z, batch=None):
        raise ZeroDivisionError("nothing there")

    monkeypatch.setattr(Gaussian, "start", start)
    with pytest.raises(ComponentError, match=r"^where samples 0 to 1 begin: Gaussian raised ZeroDivisionError: "):
        Runner(Gaussian(size=2), Euler(steps=2)).run(5)
