import pytest
import torch
from kinetic_models import ModuleField

from kinetic import Batch
from kinetic.errors import OptionError, ShapeError

SIZE = 3
LINE = {"order": "xt", "zero": "noise", "predicts": "velocity", "path": "linear"}


def field(net, **more):
    return ModuleField(module=net, shape=[SIZE], **more)


@pytest.mark.parametrize(
    ("net", "options", "condition", "error", "message"),
    [
        (lambda x, t: (x, t), {}, None, ShapeError, "answers with a tuple of 2, not one tensor: say which, output = 0"),
        (lambda x, t: {"sample": x}, {}, None, ShapeError, "a dict of sample.*output = 'sample'"),
        (lambda x, t: (x, t), {"output": 2}, None, OptionError, "'output' = 2 is nothing that the network answers"),
        (
            lambda x, t: torch.cat([x, x], 1),
            {},
            None,
            ShapeError,
            r"twice the channels \(learn_sigma\?\): channels = 3",
        ),
        (lambda x, t: x[:1], {}, None, ShapeError, r"answers samples of shape \(2, 3\) with \(1, 3\)"),
        (lambda x, t: x, {"t": "scalar"}, None, OptionError, "takes one time for all samples"),
        (lambda x, t: x, {}, [0, 1], OptionError, "the network takes none: say how many, classes = N"),
        (lambda x, t, y: x, {"classes": 2}, [0, 2], OptionError, "needs a class from 0 to 1, as int64"),
        (lambda x, t, y: x, {"classes": 2}, None, OptionError, "was asked for none of them"),
    ],
)
def test_answers_and_classes_that_do_not_fit_are_named(net, options, condition, error, message):
    f = field(net, **LINE, **options)
    batch = None if condition is None else Batch(torch.arange(2), torch.tensor(condition))
    with pytest.raises(error, match=message):
        f.velocity(torch.randn(2, SIZE), torch.tensor([0.2, 0.4]), batch)
