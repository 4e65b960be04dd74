from types import SimpleNamespace

import pytest
from kinetic_mnist.curve import PANELS, Point, curves, figure, main
from kinetic_mnist.nets import CHECKPOINTS
from PIL import Image

from kinetic.errors import StoreError


def scores(value):
    return {
        metric: {name: {"value": value, "low": value - 1, "high": value + 1} for m, name, _ in PANELS if m == metric}
        for metric, _, _ in PANELS
    }


RUN = SimpleNamespace(
    folder="runs/x",
    recipe={
        "field": {"name": "mnist"},
        "arms": {
            "whole": {},
            "late": {"field": {"trained_on": 256, "checkpoint": 2000}},
            "early": {"field": {"trained_on": 256, "checkpoint": 500}},
            "exact": {"field": {"name": "empirical"}},
        },
    },
    scores={"whole": scores(1.0), "late": scores(3.0), "early": scores(2.0), "exact": scores(9.0)},
)


def test_a_line_has_the_arms_of_one_number_of_digits_in_the_order_of_their_steps():
    lines = curves(RUN, "energy", "kpe")
    assert lines == {
        256: [Point(500, 2, 1, 3), Point(2000, 3, 2, 4)],
        4096: [Point(CHECKPOINTS[4096][-1], 1, 0, 2)],
    }
    assert list(lines) == [256, 4096]


def test_the_figure_has_a_panel_for_each_value_and_a_line_for_each_number_of_digits():
    axes = figure(RUN).axes
    assert [axis.get_title() for axis in axes] == [label for _, _, label in PANELS]
    for axis in axes:
        assert [line.get_xdata().tolist() for line in axis.lines] == [[500, 2000], [CHECKPOINTS[4096][-1]]]
        assert axis.get_xscale() == "log"


def test_the_command_writes_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr("kinetic_mnist.curve.load_run", lambda folder: RUN)
    main(["runs/x", "-o", str(tmp_path / "curve.png")])
    with Image.open(tmp_path / "curve.png") as image:
        assert image.size == (1350, 435)


def test_a_run_of_other_fields_is_refused():
    other = SimpleNamespace(folder="runs/y", recipe={"arms": {"exact": {}}}, scores={"exact": scores(1)})
    with pytest.raises(StoreError, match="no arm of runs/y is of the field 'mnist' with 'kpe' of 'energy'"):
        curves(other, "energy", "kpe")
