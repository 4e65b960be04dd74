import pytest
import torch
from kinetic_mnist import nets
from kinetic_mnist.nets import CHECKPOINTS, Classifier, VelocityNet, checkpoint_name, load

from kinetic.errors import MissingFileError

NAMES = {checkpoint_name(size, steps) for size, shipped in CHECKPOINTS.items() for steps in shipped}


def test_all_shipped_weights_together_are_at_most_12_megabytes():
    files = [path for path in nets.WEIGHTS.iterdir() if path.suffix == ".safetensors"]
    assert {path.stem for path in files} == {*NAMES, nets.CLASSIFIER}
    assert sum(path.stat().st_size for path in files) <= 12_000_000


def test_checkpoints_of_a_training_rise_and_both_small_sets_have_a_curve():
    assert all(list(shipped) == sorted(set(shipped)) for shipped in CHECKPOINTS.values())
    assert {size for size, shipped in CHECKPOINTS.items() if len(shipped) >= 4} == {256, 1024}


def test_a_loaded_net_is_for_inference_only():
    last = checkpoint_name(4096, CHECKPOINTS[4096][-1])
    for net in (load(VelocityNet(), last), load(Classifier(), nets.CLASSIFIER)):
        assert not net.training
        assert not any(p.requires_grad for p in net.parameters())
        assert all(p.dtype == torch.float32 for p in net.parameters())


def test_the_net_answers_each_row_by_itself_in_its_own_shape():
    torch.manual_seed(0)
    net = VelocityNet().eval()
    x, t, labels = torch.randn(3, 1, 28, 28), torch.rand(3), torch.tensor([0, 9, nets.NULL])
    with torch.no_grad():
        v = net(x, t, labels)
        assert v.shape == x.shape
        for i in range(3):
            assert torch.allclose(net(x[i : i + 1], t[i : i + 1], labels[i : i + 1])[0], v[i], atol=1e-5)


def test_missing_weights_name_the_file_and_the_way_on(tmp_path, monkeypatch):
    monkeypatch.setattr(nets, "WEIGHTS", tmp_path)
    with pytest.raises(MissingFileError) as caught:
        load(Classifier(), nets.CLASSIFIER)
    assert f"weights of 'mnist-classifier': there is no '{tmp_path}/mnist-classifier.safetensors'" in str(caught.value)
    assert "python -m kinetic_mnist.train" in str(caught.value)
