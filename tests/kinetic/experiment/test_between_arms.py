import attrs
import torch
from kinetic_metrics import KNNSupport, Memorisation

from kinetic import Run, TensorData
from kinetic._experiment.between_arms import unlike


def run():
    return Run(torch.zeros(1, 2), torch.zeros(1, 2), {}, {})


def test_what_is_unlike_is_named():
    data = TensorData(torch.randn(9, 2))
    one = Memorisation(train=data)
    for other, why in (
        (Memorisation(train=data), ""),
        (Memorisation(train=data, threshold=0.5), "'threshold' differs"),
        (KNNSupport(reference=data, k=2), "they are other metrics"),
    ):
        pair = [attrs.evolve(run(), metrics={"m": metric}) for metric in (one, other)]
        assert unlike(*pair, "m") == why
