from kinetic_fields import Gaussian
from kinetic_schedules import Constant
from kinetic_solvers import Euler

from kinetic import Runner
from kinetic._sample.columns import NORMS, OWN, RESERVED


def test_the_columns_of_every_run_are_these_and_each_says_what_it_is():
    run = Runner(Gaussian(), Euler(steps=2), Constant(0.9)).run(2, device="cpu")
    some = {"rows", "status", "finite_until"}  # of guided fields, and of paths that stopped
    assert set(run.energy) | some == {column.name for column in OWN}
    assert set(run.described) == set(run.energy)
    assert all(column.says.endswith(".") for column in OWN)
    assert set(NORMS) < RESERVED
    assert {"arm", "sample", "class"} < RESERVED
