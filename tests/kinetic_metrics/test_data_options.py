import attrs
import pytest
import torch
from kinetic_metrics.data_options import check_shapes, dataset, held_out_dataset, times, up_to_size

import kinetic
from kinetic.errors import OptionError, ShapeError


@attrs.frozen(eq=False)
class Options(kinetic.TableMetric):
    train: kinetic.Dataset = dataset("what the model was trained on", at_least=3, needed_for="a triangle")
    held_out: kinetic.Dataset = held_out_dataset()
    k: int = up_to_size("train", 2, but=1, doc="how many")
    cells: int = up_to_size("held_out", 1, doc="how many")
    times: tuple[float, ...] = times((0.5,))

    def rows(self, samples):
        return {"x": samples.x}

    def judge(self, ids, rows):
        return kinetic.Score({})


def test_tensors_become_data_sets_and_options_of_the_right_size_pass():
    made = Options(torch.zeros(5, 2), torch.ones(4, 2), k=4, cells=4)
    assert [len(data) for data in made.references] == [5, 4]


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (OptionError, "'train' must hold 3 points or more, for a triangle: 2", {"train": torch.zeros(2, 2)}),
        (OptionError, "'train' must be a dataset: 'digits'", {"train": "digits"}),
        (OptionError, "'held_out' must be a dataset of points that the model was not trained on", {"held_out": None}),
        (ShapeError, r"'held_out' have shape \(3,\), those of 'train' \(2,\)", {"held_out": torch.ones(4, 3)}),
        (OptionError, "'k' must be an int from 1 to 4, the size of 'train' less 1: 5", {"k": 5}),
        (OptionError, "'k' must be an int >= 1: 0", {"k": 0}),
        (OptionError, "'cells' must be an int from 1 to 4, the size of 'held_out': 5", {"cells": 5}),
    ],
)
def test_what_does_not_fit_is_named_with_its_bound(error, message, options):
    fitting = {"train": torch.zeros(5, 2), "held_out": torch.ones(4, 2)}
    with pytest.raises(error, match=message):
        Options(**fitting | options)


def test_the_training_data_themselves_are_not_held_out():
    data = kinetic.TensorData(torch.zeros(5, 2))
    with pytest.raises(OptionError, match="'held_out' must be a dataset of points that the model was not trained on"):
        Options(data, data)


def test_a_list_of_times_becomes_a_tuple_and_others_are_named():
    assert Options(torch.zeros(5, 2), torch.ones(4, 2), times=[0.2, 0.9]).times == (0.2, 0.9)
    for wrong in ((0.0,), (0.5, 1.0), (0.5, 0.5), (0.9999999, 0.99999999), ("a",), 0.5):
        with pytest.raises(
            OptionError, match="'times' must be a list of numbers > 0 and < 1, all different to six digits"
        ):
            Options(torch.zeros(5, 2), torch.ones(4, 2), times=wrong)


def test_samples_of_the_shape_of_the_data_pass_and_others_are_named():
    made = Options(torch.zeros(5, 2), torch.ones(4, 2))
    check_shapes(made, kinetic.Samples(torch.arange(3), torch.zeros(3, 2)))
    with pytest.raises(ShapeError, match=r"samples have shape \(3,\), the points of 'train' \(2,\)"):
        check_shapes(made, kinetic.Samples(torch.arange(3), torch.zeros(3, 3)))
