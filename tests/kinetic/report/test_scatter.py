"""A scatter has a panel for each energy and score; only what varies is drawn in the report."""

from kinetic._report.chosen import drawn_columns
from kinetic._report.columns import headline
from kinetic._report.scatter import outcomes, scatter


def test_a_panel_for_each_energy_and_score(full):
    columns = drawn_columns(full, "plain")
    (score,) = {".".join(each) for each in headline(full)}
    figure = scatter(full, "plain", columns, ["kpe", "bending"], [score]).figure
    assert [(axis.get_xlabel().split()[0], axis.get_ylabel()) for axis in figure.axes] == [
        ("kpe", score),
        ("bending", score),
    ]


def test_above_each_panel_stands_what_the_evidence_has(full):
    columns = drawn_columns(full, "plain")
    (score,) = headline(full)
    (axis,) = scatter(full, "plain", columns, ["kpe"], [".".join(score)]).figure.axes
    (row,) = (
        row
        for row in full.evidence["correlations"]["plain"]
        if (row["energy"], row["metric"], row["score"], row["view"]) == ("kpe", *score, "plain")
    )
    ends = "{value:.2f} [{low:.2f}, {high:.2f}]".format(**row["raw"]).replace("-", "\N{MINUS SIGN}")
    assert axis.get_title().splitlines()[0] == f"ρ {ends}"


def test_the_report_draws_a_score_only_where_it_varies(full):
    for arm in full.arms:
        there = any(row["raw"] and (row["metric"], row["score"]) in headline(full) and row["shown"]
                    for row in full.evidence["correlations"][arm])  # fmt: skip
        assert (outcomes(full, arm, drawn_columns(full, arm)) is not None) == there
