"""The plugin as a stranger would test it: installed, loaded by its entry point, checked, run."""

import subprocess

import pytest
import torch
from kinetic_example import Acceleration, Ralston3, Ramp

import kinetic
from kinetic.testing import check_meter, check_schedule, check_solver


def test_the_solver_keeps_the_contract_and_has_order_three():
    check_solver(Ralston3(steps=7))
    x0 = torch.ones(1, 1, dtype=torch.float64)
    errors = []
    for steps in (40, 80):
        *_, last = Ralston3(steps=steps).solve(lambda x, t, rows: -x, x0)
        errors.append(abs(last.x1.item() - torch.e**-1))
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.05)


def test_the_schedule_keeps_the_contract():
    check_schedule(Ramp())
    t = torch.tensor([0.0, 0.5, 1.0])
    assert Ramp(first=1.1, last=1.0).gain(t, t, t).tolist() == pytest.approx([1.1, 1.05, 1.0])


def test_the_meter_keeps_the_contract():
    check_meter(Acceleration())


def test_the_plugin_is_found_with_all_it_offers():
    known = kinetic.registry()
    assert known.get("solver", "ralston3") is Ralston3
    assert known.get("schedule", "ramp") is Ramp
    assert known.get("meter", "acceleration") is Acceleration
    assert "kinetic-example" in {plugin.distribution for plugin in known.plugins}


def test_its_command_measures_the_order_of_its_solver():
    done = subprocess.run(["kinetic", "order", "ralston3"], check=True, capture_output=True, text=True, timeout=300)
    word, number = done.stdout.rsplit(maxsplit=1)
    assert word == "ralston3: order"
    assert float(number) == pytest.approx(3, abs=0.05)
    assert "order" in subprocess.run(["kinetic", "--help"], check=True, capture_output=True, text=True).stdout


def test_its_recipe_runs_by_name(tmp_path):
    command = ["kinetic", "run", "three-ways", "--out", str(tmp_path / "run"), "--device", "cpu"]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    run = kinetic.load_run(tmp_path / "run")
    assert run.arms == ["plain", "kts", "boosted"]
    assert run.scores["plain"]["memorisation"]["f_mem"]["value"] == 1
    assert min(run.table["acceleration"].to_pylist()) > 0
