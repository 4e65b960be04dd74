import torch

from kinetic import Run
from kinetic._experiment.tables import scores_of, tables_of


def run(status, **energy):
    energy = {"kpe": torch.tensor([1.0, 3.0, 100.0]).double(), "status": torch.tensor(status).double(), **energy}
    return Run(torch.zeros(3, 2), torch.zeros(3, 2), energy, {})


def test_mean_energies_are_those_of_the_samples_that_arrived():
    assert scores_of(run([0, 0, 1]))["energy"]["kpe"]["value"] == 2
    assert scores_of(run([1, 1, 1]))["energy"] == {"kpe": None}


def test_rows_say_of_which_arm_they_are():
    tables = list(tables_of({"a": run([0, 0, 0]), "b": run([0, 0, 3], more=torch.ones(3))}))
    assert [table.column_names for table in tables] == [
        ["arm", "sample", "kpe", "status"],
        ["arm", "sample", "kpe", "status", "more"],
    ]
    assert [table["arm"].to_pylist() for table in tables] == [["a"] * 3, ["b"] * 3]
    assert tables[1]["status"].to_pylist() == ["reached t = 1", "reached t = 1", "stopped: not finite"]
