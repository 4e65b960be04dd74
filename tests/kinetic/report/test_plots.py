"""Each picture by itself, as a figure, of a run in memory and of one in its folder."""

import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

import kinetic
from kinetic import Estimate, load_recipe
from kinetic._report.differences import main_differences
from kinetic._report.figures import pictures

METRIC = "<img src=x onerror=alert(1)> $x^$"
SMALL = """
    [run]
    samples = 30
    classes = 10
    [field]
    name = "digits"
    [solver]
    name = "euler"
    steps = 3
    [energy.kpe]
    [energy.power]
    bins = 4
    [metrics.copies]
    name = "memorisation"
    train = { name = "digits", size = 60 }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in memory."""
    path = tmp_path_factory.mktemp("plots") / "small.toml"
    path.write_text(SMALL)
    (runner,) = load_recipe(path).runners.values()
    return runner.run(30, classes=10)


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda each: hasattr(each, "get_text"))]


def test_the_report_shows_the_same_figures(full):
    shown = {picture.title: picture.png for picture in pictures(full)}
    plot = full.plot
    assert plot.energy()._repr_png_() == shown["Distribution of the energies"]
    assert plot.power()._repr_png_() == shown["Power against time"]


def test_each_is_a_matplotlib_figure_that_a_notebook_shows(run, full):
    for plots in (run.plot, full.plot, kinetic.plot(run), kinetic.plot(full)):
        for draw in (plots.energy, plots.power, lambda p=plots: p.grid(by="kpe"), lambda p=plots: p.against("ratio")):
            figure = draw()
            assert isinstance(figure, Figure)
            assert figure._repr_png_().startswith(b"\x89PNG")
    assert isinstance(full.plot.forest(), Figure)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_the_points_of_a_scatter_are_the_columns(run, full):
    for plots, rows, score in (
        (run.plot, run.table, "copies.ratio"),
        (full.plot, full.rows("plain"), f"{METRIC}.ratio"),
    ):
        (axis,) = plots.against("ratio").axes
        points = np.sort(axis.collections[0].get_offsets().data, axis=0)
        assert np.allclose(points[:, 0], np.sort(rows["kpe"].to_numpy()))
        assert np.allclose(points[:, 1], np.sort(rows[score].to_numpy()))


def test_a_scatter_says_rho_of_a_run_in_memory_as_evidence_has_it(run):
    title = run.plot.against("ratio").axes[0].get_title()
    columns = {"kpe": run.energy["kpe"].numpy(), "ratio": run.details["copies"].columns["ratio"].double().numpy()}
    (row,) = kinetic.evidence.spearman(columns, ["kpe"], ["ratio"], [], run.condition.numpy())
    assert f"{row.raw.value:.2f}".replace("-", "\N{MINUS SIGN}") in title
    assert isinstance(row.raw, Estimate)


def test_a_grid_is_in_the_order_of_its_column(run, full):
    ratio = run.table["copies.ratio"].to_numpy()
    words = [float(text.get_text()) for text in run.plot.grid(by="ratio").axes[0].texts]
    assert words == sorted(words)
    assert words[0] == pytest.approx(ratio.min(), rel=1e-2)
    assert words[-1] == pytest.approx(ratio.max(), rel=1e-2)
    other = [float(text.get_text()) for text in full.plot.grid(arm="other").axes[0].texts]
    assert other[-1] == pytest.approx(full.rows("other")["kpe"].to_numpy().max(), rel=1e-2)


def test_power_is_the_mean_curve(run):
    (axis,) = run.plot.power().axes
    assert np.allclose(axis.lines[0].get_ydata(), run.energy["power"].mean(0))


def test_a_forest_has_a_row_for_each_difference(full):
    labels = {label.get_text() for axis in full.plot.forest().axes for label in axis.get_yticklabels()}
    assert labels >= {each.label for each in main_differences(full) if each.scale > 0}


def test_no_name_is_mathematics(full):
    figure = full.plot.against("ratio")
    assert METRIC in " ".join(texts(figure))
    assert not any(text.get_parse_math() for text in figure.findobj(lambda each: hasattr(each, "get_parse_math")))


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda plots: plots.against("ratoi"), "no column is named 'ratoi'. Did you mean 'ratio'?"),
        (lambda plots: plots.grid(by="kpee"), "no column is named 'kpee'. Did you mean 'kpe'?"),
        (lambda plots: plots.against("ratio", energy="kp"), "no column is named 'kp'. Did you mean 'kpe'?"),
        (lambda plots: plots.grid(arm="rnu"), "no arm is drawn that is named 'rnu'. Did you mean 'run'?"),
        (lambda plots: plots.power("powr"), "no curve against time is named 'powr'. Did you mean 'power'?"),
        (lambda plots: plots.grid(by="power"), "the column 'power' has no number for every sample"),
        (lambda plots: plots.forest(), "no arm was compared with another"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(run, draw, words):
    with pytest.raises(kinetic.errors.UnknownNameError) as caught:
        draw(run.plot)
    assert str(caught.value).startswith(words)
    assert "\n  " in str(caught.value)


def test_a_run_without_meters_says_how_to_ask_for_energies(make):
    bare = make("""
        [run]
        samples = 4
        [field]
        name = "gaussian"
        size = 5
        [solver]
        name = "euler"
        steps = 2
    """)
    for draw in (bare.plot.energy, bare.plot.power, bare.plot.grid, lambda: bare.plot.against("x1_sq")):
        with pytest.raises(
            kinetic.errors.UnknownNameError, match=r"Ask a meter for it, as \[energy.NAME\] in a recipe"
        ):
            draw()
    with pytest.raises(kinetic.errors.UnknownNameError, match=r"samples of shape \(5,\) cannot be drawn"):
        bare.plot.grid(by="x1_sq")
    with pytest.raises(kinetic.errors.UnknownNameError, match="no arm was compared"):
        bare.plot.forest()


def test_a_last_part_that_several_columns_have_is_not_guessed(make):
    twice = make(SMALL + '    [metrics.again]\n    name = "memorisation"\n    train = { name = "digits", size = 50 }\n')
    with pytest.raises(kinetic.errors.UnknownNameError, match=r"Say which: copies\.ratio, again\.ratio"):
        twice.plot.against("ratio")
    assert isinstance(twice.plot.against("again.ratio"), Figure)


def test_plots_are_of_runs_alone():
    with pytest.raises(kinetic.errors.OptionError, match="'run' must be a Run or a FinishedRun: 3"):
        kinetic.plot(3)
