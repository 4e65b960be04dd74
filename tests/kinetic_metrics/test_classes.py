import pytest
import torch
from kinetic_metrics.classes import classes_asked, margins

from kinetic import Samples
from kinetic.errors import OptionError


def asking(condition):
    return Samples(torch.arange(3), torch.zeros(3, 2), condition)


def test_margins_are_the_asked_logit_minus_the_best_other():
    logits = torch.tensor([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [2.0, 2.0, -1.0]])
    assert margins(logits, torch.tensor([0, 2, 1])).tolist() == [2.0, -3.0, 0.0]


def test_classes_that_exist_are_given_as_they_were_asked_for():
    assert classes_asked(asking(torch.tensor([0, 2, 1])), 3, "prompts").tolist() == [0, 2, 1]


def test_no_class_and_a_class_that_does_not_exist_are_named():
    with pytest.raises(
        OptionError, match=r"needs a class for each sample\n  In a recipe set `classes = N` .*--set samples.labels="
    ):
        classes_asked(asking(None), 3, "prompts")
    for outside in (3, -1):
        with pytest.raises(OptionError, match=f"'prompts' are of 3 classes, the samples ask for class {outside}"):
            classes_asked(asking(torch.tensor([0, outside, 1])), 3, "prompts")
