"""The tables say what samples.parquet says."""

import re
import shutil

import numpy as np
import pytest
from scipy.stats import spearmanr

from kinetic import load_run
from kinetic._report import tables
from kinetic._store import EVIDENCE, read_json, write_json


def column(run, arm, name):
    rows = run.rows(arm)
    assert rows["sample"].to_pylist() == list(range(len(rows)))
    return rows[name].to_numpy().astype(float)


def says(cell, value):
    """Whether the cell's value is this one, rounded, and lies in the cell's interval."""
    shown, low, high = re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", cell).groups()
    digits = shown.partition("e")[0].partition(".")[2]
    scale = 10.0 ** int(shown.partition("e")[2] or 0)
    step = 0.5 * 10.0 ** -len(digits) * scale
    assert abs(float(shown) - value) <= step * 1.001, (cell, value)
    assert float(low) - 2 * step <= value <= float(high) + 2 * step, (cell, value)
    return True


def cells(table, *first):
    return dict(zip(table.head, next(row for row in table.rows if row[: len(first)] == first), strict=True))


def titled(found, title):
    return next(table for table in found if table.title == title)


def test_the_energy_table_holds_the_means_of_the_columns(full):
    table = titled(tables.arms(full), "Energy")
    for arm in full.arms:
        for name in ("kpe", "displacement", "bending", "early", "late"):
            assert says(cells(table, arm)[name], column(full, arm, name).mean())


def test_how_a_path_was_walked_stands_beside_its_energy_where_a_solver_says(make, full):
    run = make("""
        title = "walked"
        [run]
        samples = 60
        [field]
        name = "gaussian"
        std = 0.2
        [energy.kpe]
        [arms.fixed]
        solver = { name = "doubled", solver = { name = "euler", steps = 4 } }
        [arms.adaptive]
        solver = { name = "dopri5" }
    """)
    table = titled(tables.arms(run), "Path")
    for arm in run.arms:
        for name in ("nfe", "kpe_error", "x1_error"):
            assert says(cells(table, arm)[name], column(run, arm, name).mean())
    assert cells(table, "fixed")["rejected"] == ""
    assert not [table for table in tables.arms(full) if table.title == "Path"]
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "The grid dominates" in page


def test_the_share_of_copies_is_the_mean_of_its_column(full):
    table = titled(tables.arms(full), "Memorisation")
    metric = next(name.removesuffix(".ratio") for name in full.table.column_names if name.endswith(".ratio"))
    for arm in full.arms:
        for kind in ("", "_denoised", "_features", "_features_denoised"):
            said = cells(table, arm)[f"f_mem{kind}"]
            assert says(said, column(full, arm, f"{metric}.memorised{kind}").mean())


def test_differences_are_paired_by_sample(full):
    table = tables.differences(full)
    for arm, base in full.provenance["against"].items():
        for name in ("kpe", "bending"):
            row = next(row for row in table.rows if row[:3] == (arm, base, name))
            assert says(row[3], (column(full, arm, name) - column(full, base, name)).mean())


def test_each_share_of_copies_stands_beside_its_guard(full):
    brief = tables.differences_in_brief(full)
    for name in [name for name in brief.head if name.startswith("f_mem") and not name.endswith("guard")]:
        assert brief.head[brief.head.index(name) + 1] == f"{name}, guard"


def test_rho_is_spearmans(full):
    for arm in full.arms:
        table = tables.correlations(full, arm)
        assert table is not None
        for energy, score, raw, _ in table.rows:
            if raw:
                value = spearmanr(column(full, arm, energy), column(full, arm, score)).statistic
                assert says(raw, value)


def test_groups_are_the_fifths_by_energy(full):
    for row in tables.groups(full, "plain").rows:
        order = np.argsort(column(full, "plain", row[0]), kind="stable")
        score = column(full, "plain", row[1])
        size = len(order) // 5
        assert says(row[2], score[order[:size]].mean())
        assert says(row[3], score[order[-size:]].mean())
        assert says(row[4], score[order[-size:]].mean() - score[order[:size]].mean())


@pytest.mark.parametrize(
    ("guard", "mark"),
    [
        ((-0.10, -0.12, -0.08), "clear"),
        ((0.01, -0.02, 0.03), "noise"),
        ((0.05, 0.03, 0.07), "noise"),
        (None, "clear"),
    ],
)
def test_a_fall_the_denoised_samples_do_not_share_is_marked_as_noise(full, tmp_path, guard, mark):
    shutil.copytree(full.folder, tmp_path / "run")
    found = read_json(tmp_path / "run" / EVIDENCE)
    about = {"arm": "kts", "against": "plain", "metric": "memorisation"}
    rows = [("memorised", (-0.10, -0.12, -0.08))] + ([("memorised_denoised", guard)] if guard else [])
    found["differences"] = [
        {**about, "name": name, **dict(zip(("value", "low", "high"), numbers, strict=True))} for name, numbers in rows
    ]
    write_json(tmp_path / "run" / EVIDENCE, found)
    run = load_run(tmp_path / "run")
    assert tables.differences(run).marks == (mark,)
    brief = tables.differences_in_brief(run)
    assert ("noise only" in brief.head) == (mark == "noise")
    if mark == "noise":
        assert cells(brief, "kts - plain")["noise only"] == "f_mem"


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0.42, 0.4, 0.44), "0.420 [0.400, 0.440]"),
        ((44.917, 44.62, 45.21), "44.92 [44.62, 45.21]"),
        ((123456.0, 123450.2, 123461.7), "123456 [123450, 123462]"),
        ((3.1e-5, 2.9e-5, 3.4e-5), "3.10e-5 [2.90e-5, 3.40e-5]"),
        ((1e-9, -1e-9, 3e-9), "1.0e-9 [-1.0e-9, 3.0e-9]"),
        ((2e-5, 2e-5, 2e-5), "2e-5 [2e-5, 2e-5]"),
        ((-4e-5, -0.3, 0.2), "0.00 [-0.30, 0.20]"),
        ((0.0, 0.0, 0.0), "0 [0, 0]"),
        ((0.25, None, None), "0.25"),
    ],
)
def test_an_interval_is_said_in_the_digits_it_deserves(numbers, said):
    assert tables.interval(dict(zip(("value", "low", "high"), numbers, strict=True))) == said


def test_no_interval_with_a_width_is_shown_without_one():
    rng = np.random.default_rng(0)
    for size in 10.0 ** rng.uniform(-12, 6, 200):
        shown = tables.interval({"value": size, "low": size * 0.98, "high": size * 1.02})
        low, high = re.search(r"\[(\S+), (\S+)\]", shown).groups()
        assert float(low) < float(high), (size, shown)


def test_nothing_is_said_of_a_number_that_is_not_there():
    assert tables.interval(None) == ""
    assert tables.number(None) == ""
