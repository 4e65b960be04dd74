import attrs
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_metrics import KernelDistance, Memorisation, VendiScore
from kinetic_solvers import Euler

import kinetic
from kinetic import Runner, TensorData, score_samples
from kinetic._evaluate.checked_data import Checked, checked, datasets, digests, with_checked_data
from kinetic._roles.tree import to_device
from kinetic.errors import OptionError, ShapeError


@attrs.frozen(eq=False)
class Given(kinetic.Dataset):
    """Points that nobody looked at when the data set was made, and what was read of them."""

    x: torch.Tensor
    reads: list = attrs.field(factory=list)
    labels = None

    @property
    def event_shape(self):
        return self.x.shape[1:]

    def __len__(self):
        return len(self.x)

    def read(self, start, stop):
        self.reads.append((start, stop))
        return self.x[start:stop]


def images(n=20, low=-1.0, high=1.0):
    x = torch.zeros(n, 3, 4, 4)
    x[1, 0, 0, 0], x[n - 1, 2, 3, 3] = low, high
    return x


@attrs.frozen(eq=False)
class Still(kinetic.VelocityField):
    calls: list = attrs.field(factory=list)

    @property
    def event_shape(self):
        return torch.Size([3, 4, 4])

    def velocity(self, x, t, batch=None):
        self.calls.append(len(x))
        return torch.full_like(x, 1e-9)


def scored(data):
    return score_samples(images(8), {"m": Memorisation(train=data)}, device="cpu").details["m"]


def ran(data):
    return Runner(Still(), Euler(steps=1), metrics={"m": Memorisation(train=data)}).run(4, device="cpu").details["m"]


@pytest.mark.parametrize("judged", [scored, ran])
def test_data_of_a_metric_are_held_to_the_range_of_images_in_a_score_and_in_a_run(judged):
    said = r"metric 'm': points of 'train' that are images must be in \[-1, 1\]: they range from 0 to 255\n  For bytes"
    with pytest.raises(OptionError, match=said):
        judged(images(low=0, high=255))
    with pytest.raises(OptionError, match="metric 'm': points of 'train' must be finite: number 19 holds NaN"):
        judged(Given(images(high=torch.nan)))
    assert any("No value of the points of 'train' is below 0" in note for note in judged(images(low=0)).notes)
    assert not any("below 0" in note for note in judged(images()).notes)


def test_a_run_looks_at_all_its_data_before_it_samples():
    field = Still()
    metrics = {"kid": KernelDistance(reference=Given(images(500, high=1.5)), subset_size=10)}
    with pytest.raises(OptionError, match="metric 'kid': points of 'reference' that are images"):
        Runner(field, Euler(steps=5), metrics=metrics).run(50, device="cpu")
    assert 50 not in field.calls  # but the few of the dry run


def test_data_that_lie_in_files_are_asked_to_check_themselves_before_a_run():
    @attrs.frozen(eq=False)
    class Damaged(kinetic.Dataset):
        labels = None

        @property
        def event_shape(self):
            return torch.Size([3, 4, 4])

        def __len__(self):
            return 90

        def read(self, start, stop):
            return torch.zeros(stop - start, 3, 4, 4)

        def check(self):
            raise OptionError("1 of 90 cannot be decoded")

    field = Still()
    with pytest.raises(OptionError, match="metric 'm': 1 of 90 cannot be decoded"):
        Runner(field, Euler(steps=5), metrics={"m": Memorisation(train=Damaged())}).run(50, device="cpu")
    assert 50 not in field.calls


def test_other_shapes_are_refused_in_a_run_as_in_a_score():
    for judged in (scored, ran):
        with pytest.raises(ShapeError, match=r"'train' holds points of shape \(3, 5, 5\), .* \(3, 4, 4\)"):
            judged(torch.zeros(9, 3, 5, 5))


def test_each_point_is_looked_at_once_and_shared_data_for_all_metrics(monkeypatch):
    looked = []
    look = Checked._look
    monkeypatch.setattr(Checked, "_look", lambda self, x, numbers: looked.extend(numbers) or look(self, x, numbers))
    data = Given(images())
    metrics = {"a": Memorisation(train=data), "b": KernelDistance(reference=data), "c": VendiScore()}
    states = {}
    both = {name: with_checked_data(metric, states) for name, metric in metrics.items()}
    for metric in both.values():
        for part in datasets(to_device(metric, "cpu")).values():
            for _ in part.blocks(7):
                pass
            part.take(torch.tensor([3, 3, 1]))
    assert looked == list(range(20))
    assert with_checked_data(both["a"], states) is both["a"]


def test_points_are_looked_at_in_whatever_order_they_are_read():
    x = torch.zeros(9, 2)
    x[7] = torch.inf
    for read in (lambda d: d.read(6, 9), lambda d: d.take(torch.tensor([2, 7])), lambda d: d.whole()):
        with pytest.raises(OptionError, match="points must be finite: number 7 holds NaN or infinity"):
            read(checked("points", Given(x)))
    assert checked("points", Given(x)).take(torch.tensor([2, 3])).shape == (2, 2)


def test_it_says_what_the_data_set_says():
    data = TensorData(images(), torch.arange(20))
    told = []
    wrapped = checked("samples", data, told.append)
    assert wrapped.labels is data.labels
    assert (len(wrapped), wrapped.event_shape) == (20, (3, 4, 4))
    wrapped.first()
    assert told == [16]
    assert checked("again", wrapped) is wrapped
    kinetic.testing.check_dataset(wrapped)


def test_statistics_are_of_checked_points(tmp_path):
    from kinetic_metrics import FrechetDistance

    with pytest.raises(OptionError, match="reference points that are images must be in"):
        FrechetDistance(reference=images(high=255)).save_statistics(tmp_path / "s.npz")
    assert not (tmp_path / "s.npz").exists()


def test_vectors_have_no_range():
    run = Runner(Gaussian(), Euler(steps=1), metrics={"m": Memorisation(train=torch.randn(9, 2) * 100)})
    assert run.run(4, device="cpu").scores["m"]["f_mem"] <= 1


def test_samples_that_are_points_of_the_data_are_counted_in_a_note():
    x = torch.randn(20, 2)
    for train in (
        torch.cat([torch.randn(30, 2), x[[3, 5, 5]]]),
        torch.cat([x[4:6].double(), torch.randn(9, 2).double()]),
    ):
        details = score_samples(x, {"m": Memorisation(train=train)}, batch=7, device="cpu").details["m"]
        assert "2 of 20 samples are equal to some of the points of 'train'." in details.notes
    details = score_samples(x, {"m": Memorisation(train=torch.randn(30, 2))}, device="cpu").details["m"]
    assert not any("equal" in note for note in details.notes)


def test_equal_points_have_equal_digests_and_others_do_not():
    x = torch.tensor([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0], [0.0, 1.0 + 1e-6]])
    found = digests(x)
    assert found[0] == found[2]
    assert len(set(found.tolist())) == 3
    assert digests(x.double()).tolist() == found.tolist()
    assert digests(x.to(torch.bfloat16))[1] == found[1]
    assert len(digests(x[:0])) == 0
