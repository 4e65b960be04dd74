import functools
from types import SimpleNamespace

import pytest
from kinetic_models.network import check_evaluation, check_read, network_of, owner_of
from torch import nn

from kinetic.errors import OptionError


def test_a_network_is_itself_and_a_class_that_words_name_is_made_in_evaluation():
    net = nn.Linear(2, 2)
    assert network_of(net) is net
    made = network_of("torch.nn:Identity")
    assert isinstance(made, nn.Identity)
    assert not made.training
    with pytest.raises(OptionError, match="'module' must be a denoiser: 3"):
        network_of(3, "a denoiser")


def test_the_tensors_of_a_method_or_a_partial_are_its_networks():
    net = nn.Linear(2, 2)
    for each in (net, net.forward, functools.partial(net), functools.partial(net.forward)):
        assert owner_of(each) is net
    assert owner_of(len) is None


def test_a_part_in_training_mode_is_named():
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).eval()
    check_evaluation(net)
    net[1].train()
    with pytest.raises(OptionError, match=r"Sequential is in training mode, in its part '1'"):
        check_evaluation(net)


def test_an_option_that_nothing_reads_is_named_unless_it_was_not_given():
    given = SimpleNamespace(null=0, label=None, one_hot=False, names=())
    check_read(given, "classes", True, "null", "label")
    check_read(given, "classes", False, "label", "one_hot", "names")
    with pytest.raises(OptionError, match="'null' is of classes, and nothing reads it here: 0"):
        check_read(given, "classes", False, "label", "null")
