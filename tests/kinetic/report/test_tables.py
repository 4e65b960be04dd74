"""The tables say what samples.parquet says."""

import re

import numpy as np
from scipy.stats import spearmanr

from kinetic._report import tables


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
    table = titled(tables.energies(full), "Energy")
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
    table = titled(tables.energies(run), "Path")
    for arm in run.arms:
        for name in ("nfe", "kpe_error", "x1_error"):
            assert says(cells(table, arm)[name], column(run, arm, name).mean())
    assert cells(table, "fixed")["rejected"] == ""
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "The grid dominates" in page


def test_the_share_of_copies_is_the_mean_of_its_column(full):
    metric = next(name.removesuffix(".ratio") for name in full.table.column_names if name.endswith(".ratio"))
    table = titled(tables.scores(full), metric)
    for arm in full.arms:
        for kind in ("", "_denoised", "_features", "_features_denoised"):
            if full.shaped(arm) or "denoised" not in kind:
                said = cells(table, arm)[f"f_mem{kind}"]
                assert says(said, column(full, arm, f"{metric}.memorised{kind}").mean())
            else:
                assert cells(table, arm)[f"f_mem{kind}"] == ""


def test_rho_is_spearmans(full):
    for arm in full.arms:
        table = tables.correlations(full, arm)
        assert table is not None
        for energy, score, raw, *_ in table.rows:
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


def test_a_caption_explains_what_its_table_has(make, full):
    bare = make("""
        title = "bare"
        [run]
        samples = 20
        [field]
        name = "gaussian"
        [solver]
        name = "heun"
        steps = 3
        [energy.kpe]
    """)
    for word in ("gain", "noise_left"):
        assert f"{word}: " in titled(tables.energies(full), "Path").legend
    assert [table.title for table in tables.energies(bare)] == ["Energy"]
    for table in tables.scores(full):
        assert ("'denoised' is" in table.caption) == any(name.endswith("_denoised") for name in table.head)


def test_a_legend_says_each_sentence_once_after_the_first_name_that_has_it():
    table = tables.Table("t", "", ("arm", "a", "b", "c"), (), says=("", "One thing.", "One thing.", "Another."))
    assert table.legend == "a: One thing. c: Another."
    assert tables.Table("t", "", ("arm", "a"), ()).legend == ""
