import torch

from kinetic import Estimate, Run, Score
from kinetic._run import Part


def test_a_run_names_its_scores_and_joins_its_table():
    score = Score({"f": Estimate(0.5, 0.4, 0.6)}, torch.arange(3), {"d": torch.tensor([1.0, 2.0, 3.0])})
    energy = {"kpe": torch.arange(3.0), "power": torch.arange(6.0).view(3, 2)}
    run = Run(torch.zeros(3, 2), torch.zeros(3, 2), energy, {"m": score})
    assert run.scores == {"m": {"f": 0.5}}
    assert run.table.to_pydict() == {
        "sample": [0, 1, 2],
        "kpe": [0.0, 1.0, 2.0],
        "power": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]],
        "m.d": [1.0, 2.0, 3.0],
    }


def test_a_part_knows_where_it_ends():
    assert Part(4, torch.zeros(3, 1), torch.zeros(3, 1), {}).stop == 7
