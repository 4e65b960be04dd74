import torch

from kinetic import Estimate, Run, Score
from kinetic._sample.shard import Shard


def test_a_run_names_its_scores_and_joins_its_table():
    score = Score({"f": Estimate(0.5, 0.4, 0.6)}, torch.arange(3), {"d": torch.tensor([1.0, 2.0, 3.0])})
    energy = {"kpe": torch.arange(3.0), "power": torch.arange(6.0).view(3, 2)}
    run = Run(torch.zeros(3, 2), torch.zeros(3, 2), energy, {"plain": {"m": score}})
    assert run.scores == {"m": {"f": 0.5}}
    assert run.table.to_pydict() == {
        "sample": [0, 1, 2],
        "kpe": [0.0, 1.0, 2.0],
        "power": [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]],
        "m.d": [1.0, 2.0, 3.0],
    }


def test_what_is_said_of_denoised_samples_has_that_in_its_name():
    views = {
        view: {"m": Score({"f": Estimate(value)}, torch.arange(1), {"d": torch.tensor([value])})}
        for view, value in (("plain", 1.0), ("denoised", 2.0))
    }
    run = Run(torch.zeros(1, 2), torch.zeros(1, 2), {}, views)
    assert run.scores == {"m": {"f": 1.0, "f_denoised": 2.0}}
    assert run.table.to_pydict() == {"sample": [0], "m.d": [1.0], "m.d_denoised": [2.0]}
    assert run.details == views["plain"]


def test_a_column_that_is_not_finite_is_named_and_counted():
    (note,) = stopped(kpe=[1.0, float("inf"), float("nan"), 2.0]).notes
    assert note.startswith("The column kpe is not finite for 2 of 4 samples")


def test_a_part_knows_where_it_ends():
    assert Shard(4, torch.zeros(3, 1), torch.zeros(3, 1), {}).stop == 7


def stopped(**energy):
    columns = {name: torch.tensor(values, dtype=torch.float64) for name, values in energy.items()}
    return Run(torch.zeros(4, 2), torch.zeros(4, 2), columns, {})


def test_samples_that_stopped_are_counted_and_named_in_the_table():
    run = stopped(kpe=[1.0, 2.0, 3.0, 4.0], status=[0.0, 1.0, 2.0, 1.0])
    assert run.reached.tolist() == [True, False, False, False]
    assert "3 of 4 samples did not reach t = 1 (2 stopped: step limit, 1 stopped: step too small)" in run.notes[0]
    assert run.table["status"].to_pylist()[2] == "stopped: step too small"


def test_a_grid_is_said_to_dominate_where_its_error_is_a_tenth_of_the_spread():
    kpe = [1.0, 2.0, 3.0, 4.0]  # its standard deviation is 1.118
    assert stopped(kpe=kpe, kpe_error=[0.1] * 4).notes == ()
    assert "the median error of kpe, 0.12, is 11% of its spread" in stopped(kpe=kpe, kpe_error=[0.12] * 4).notes[0]
    only = stopped(kpe=kpe, bending=[1.0, 1.1, 1.0, 1.1], kpe_error=[0.1] * 4, bending_error=[0.2] * 4).notes
    assert len(only) == 1
    assert "the median error of bending, 0.2, is 400% of its spread" in only[0]


def test_a_run_without_a_status_reached_the_end():
    assert stopped(kpe=[1.0] * 4).reached.all()
