import numpy as np
import pytest
from kinetic_schedules import EnergyClamp
from kinetic_schedules.band import band, main

from kinetic import load_recipe
from kinetic.errors import OptionError

RECIPE = """
[run]
samples = 20
[field]
name = "gaussian"
size = 3
[solver]
name = "euler"
steps = 4
[energy.power]
bins = 4
[energy.kpe]
[arms.plain]
"""


def test_a_band_holds_the_middle_of_the_samples():
    power = np.arange(101.0)[:, None] + np.array([0.0, 1000.0])
    assert band(power, 0.9) == {"low": pytest.approx([5, 1005]), "high": pytest.approx([95, 1095])}
    with pytest.raises(OptionError, match="'share' must be a number > 0 and <= 1: 0"):
        band(power, 0)


def test_the_command_writes_what_the_schedule_reads(tmp_path, capsys):
    (tmp_path / "r.toml").write_text(RECIPE)
    run = load_recipe(tmp_path / "r.toml").run(tmp_path / "run", device="cpu")
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "run"), "plain", "-o", str(tmp_path / "band.toml"), "--share", "1"])
    assert ended.value.code in (0, None)
    power = np.array(run.rows("plain")["power"].to_pylist())
    clamp = EnergyClamp(path=str(tmp_path / "band.toml"))
    assert clamp._band.numpy() == pytest.approx(np.stack([power.min(0), power.max(0)]))
    for column, said in (("none", "the run has no column 'none'"), ("kpe", "the column 'kpe' is no curve")):
        with pytest.raises(SystemExit) as ended:
            main([str(tmp_path / "run"), "plain", "-o", str(tmp_path / "b.toml"), "--column", column])
        assert ended.value.code == 2
        assert said in capsys.readouterr().err
