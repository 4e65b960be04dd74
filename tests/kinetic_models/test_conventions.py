import pytest
import torch
from kinetic_models import CONVENTIONS, ModuleField

from kinetic import Batch

SIZE = 3


def field(net, **more):
    return ModuleField(module=net, shape=[SIZE], **more)


@pytest.mark.parametrize("name", sorted(CONVENTIONS))
def test_every_convention_is_complete_and_is_called_as_it_says(name):
    asked = {}

    def net(*args, **keywords):
        asked["args"], asked["keywords"] = args, keywords
        x = next(value for value in (*args, *keywords.values()) if value is not None and value.dim() == 2)
        answer = torch.cat([x, x], 1) if name == "dit" else x
        return (answer, "features") if name == "repa" else answer

    more = {"channels": SIZE} if name == "dit" else {}
    more |= {"classes": 4} if name == "edm" else {}
    f = field(net, convention=name, **more)
    known = CONVENTIONS[name].get("classes") or more.get("classes")
    batch = Batch(torch.arange(2), torch.tensor([1, 3])) if known else None
    v = f.velocity(torch.randn(2, SIZE), torch.full((2,), 0.5), batch)
    assert v.shape == (2, SIZE)
    shapes = [tuple(value.shape) for value in (*asked["args"], *asked["keywords"].values())]
    expected = {
        "torchcfm": [(2,), (2, SIZE)],
        "flow-matching": [(2, SIZE), ()],
        "meanflow": [(2, SIZE), (2,), (2,), (2,)],
        "edm": [(2, SIZE), (2,), (2, 4)],
    }.get(name, [(2, SIZE), (2,), (2,)])
    assert shapes == expected
    assert list(asked["keywords"]) == (["x", "t"] if name == "flow-matching" else [])
