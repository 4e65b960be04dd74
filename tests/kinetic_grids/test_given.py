import json

import attrs
import numpy as np
import pytest
import torch
from kinetic_fields import Gaussian
from kinetic_grids import Given
from kinetic_solvers import Euler

from kinetic import Runner, registry
from kinetic._store.provenance import hash_of, options_of
from kinetic.errors import KineticError, MissingFileError, OptionError
from kinetic.testing import check_grid

TIMES = [0, 0.1, 0.25, 1]


def written(folder, suffix, times=TIMES):
    path = folder / f"times{suffix}"
    if suffix.lower() == ".npy":
        with path.open("wb") as file:
            np.save(file, np.array(times))
    elif suffix == ".txt":
        path.write_text(f"{times[0]}, {times[1]}\n" + " ".join(map(str, times[2:])) + "\n")
    else:
        path.write_text(json.dumps(times) if suffix == ".json" else f"times = {json.dumps(times)}\n")
    return path


@pytest.mark.parametrize("suffix", [".toml", ".json", ".npy", ".NPY", ".txt"])
def test_a_list_and_every_kind_of_file_give_the_same_times(suffix, tmp_path):
    path = written(tmp_path, suffix)
    assert Given(path=str(path)).times(3) == Given(TIMES).times(3) == [0.0, 0.1, 0.25, 1.0]


def test_an_object_a_mark_before_the_text_arrays_and_tensors_are_taken(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"times": TIMES}))
    (tmp_path / "b.toml").write_text("\ufefftimes = [0, 0.1, 0.25, 1]\n", encoding="utf-8")
    for grid in (Given(path=str(tmp_path / "a.json")), Given(path=str(tmp_path / "b.toml")), Given(np.array(TIMES))):
        assert grid.times(3) == [0.0, 0.1, 0.25, 1.0]
    assert Given(torch.tensor([0.0, 0.5, 1.0])).times(2) == [0.0, 0.5, 1.0]


def test_a_solver_walks_on_them_and_must_say_their_number():
    steps = list(Euler(steps=3, grid=Given(TIMES)).solve(lambda x, t, rows: x, torch.ones(1, 1, dtype=torch.float64)))
    assert [step.span for step in steps] == [(0.0, 0.1), (0.1, 0.25), (0.25, 1.0)]
    with pytest.raises(OptionError) as caught:
        Euler(grid=Given(TIMES))
    assert str(caught.value) == "'steps' must be 3 on a grid of 4 given times: 50"


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([0, 0.5, 0.5, 1], "number 2 is 0.5, after 0.5"),
        ([0, 0.5, 0.4, 1], "number 2 is 0.4, after 0.5"),
        ([0.01, 1], "they go from 0.01 to 1.0"),
        ([0, 0.999], "they go from 0.0 to 0.999"),
        ([1, 0.5, 0], "they fall from 1 to 0\n  Noise levels sigma are times 1 - sigma."),
        ([0, 500, 1000], "'times' must hold numbers from 0 (noise) to 1 (data): number 1 is 500"),
        ([0, 10**400, 1], "number 1 is 1000"),
        ([0, float("nan"), 1], "number 1 is nan"),
        ([0, "0.5", 1], "number 1 is '0.5'"),
        ([0, True], "number 1 is True"),
        ([0], "'times' must hold a list of times, 2 or more: (0,)"),
        (0.5, "'times' must hold a list of times, 2 or more: 0.5"),
    ],
)
def test_times_that_are_no_grid_are_refused_with_what_is_wrong(times, said):
    with pytest.raises(OptionError) as caught:
        Given(times)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "held", "said"),
    [
        ("a.toml", "steps = 3", "a.toml holds no key 'times': steps"),
        ("a.toml", "times = [", "a.toml cannot be read as a file of times"),
        ("a.json", "[0, 1", "a.json cannot be read as a file of times"),
        ("a.json", "7", "a.json must hold a list of times, 2 or more: 7"),
        ("a.json", "[" * 100_000, "a.json cannot be read as a file of times"),
        ("a.txt", "0 half 1", "could not convert string to float: 'half'"),
        ("a.txt", "", "a.txt must hold a list of times, 2 or more: []"),
        ("a.npy", "no array", "a.npy cannot be read as a file of times"),
        ("a.csv", "0,1", "a file of times must end in one of .toml, .json, .npy, .txt"),
    ],
)
def test_a_file_that_holds_no_grid_is_named(name, held, said, tmp_path):
    (tmp_path / name).write_text(held)
    with pytest.raises(KineticError) as caught:
        Given(path=str(tmp_path / name))
    assert said in str(caught.value)


def test_archives_tables_folders_and_what_is_not_there_are_named(tmp_path):
    with (tmp_path / "a.npy").open("wb") as file:
        np.savez(file, x=np.array(TIMES))
    np.save(tmp_path / "b.npy", np.eye(2))
    (tmp_path / "c.txt").mkdir()
    for name, said in (("a.npy", "an archive"), ("b.npy", "number 0 is [1.0, 0.0]")):
        with pytest.raises(OptionError) as caught:
            Given(path=str(tmp_path / name))
        assert said in str(caught.value)
    for name, said in (("no.txt", "there is no"), ("c.txt", "is a folder, and must be a file")):
        with pytest.raises(MissingFileError, match=said):
            Given(path=str(tmp_path / name))


def test_a_path_that_is_no_string_is_named_with_what_would_do():
    with pytest.raises(OptionError, match="'path' must be a string, or nothing: 7"):
        Given(path=7)


@pytest.mark.parametrize("both", [{}, {"times": TIMES, "path": "x.txt"}])
def test_a_list_or_a_file_is_asked_for_but_not_both(both):
    with pytest.raises(OptionError, match="it needs one of the options 'times', a list, and 'path', a file"):
        Given(**both)


def test_the_run_keeps_what_the_times_were_and_their_hash(tmp_path):
    solver = Euler(steps=3, grid=Given(TIMES))
    assert options_of(solver, registry())["grid"] == {"name": "given", "times": [0, 0.1, 0.25, 1], "path": None}
    path = written(tmp_path, ".txt")
    same, other = Given(path=str(path)), Given([0, 0.2, 0.25, 1])
    assert hash_of(same) == hash_of(solver) != hash_of(other)


def test_the_contract_of_a_grid_is_kept():
    check_grid(Given(TIMES), [3])
    assert attrs.evolve(Given(TIMES), times=[0, 1]).times(1) == [0.0, 1.0]


@pytest.mark.gpu
def test_a_gpu_walks_on_them_too():
    run = Runner(field=Gaussian(), solver=Euler(steps=3, grid=Given(TIMES))).run(2, device="cuda")
    assert run.energy["nfe"].tolist() == [3.0, 3.0]
