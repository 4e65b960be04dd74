import torch
from kinetic_fields.guidance import combined

from kinetic import told


def test_parts_are_told_where_somebody_listens():
    c, u = torch.randn(2, 3, 5, dtype=torch.float64).unbind(0)
    assert told(combined(c, u, 2.0, listening=False)) == {}
    v = combined(c, u, 2.0, listening=True)
    parts = told(v)
    total = parts["kpe_unconditional"] + 4 * parts["kpe_apart"] + parts["guidance_work"]
    assert torch.allclose(total, 0.5 * v.square().sum(1))
    assert torch.allclose(parts["kpe_conditional"], 0.5 * c.square().sum(1))
