import numpy as np
import pytest

from kinetic._report.differences import main_differences
from kinetic._report.forest import forest


@pytest.fixture
def figure(full):
    return forest(full).figure


def test_each_main_difference_has_its_row_and_stands_where_its_numbers_say(full, figure):
    pairs = {}
    for each in main_differences(full):
        if each.scale > 0:
            pairs.setdefault(" against ".join(each.arms), []).append(each)
    axes = {axis.get_title(): axis for axis in figure.axes if axis.get_visible()}
    assert list(axes) == list(pairs)[:6]
    for title, axis in axes.items():
        assert [label.get_text() for label in axis.get_yticklabels()] == [each.label for each in pairs[title]]
        points = [line.get_xdata()[0] for line in axis.lines if len(line.get_xdata()) == 1]
        wanted = [row["value"] / each.scale for each in pairs[title] for row in each.views.values()]
        assert np.allclose(sorted(points), sorted(wanted))


def test_a_run_of_one_arm_has_none(make):
    run = make("""
        [run]
        samples = 4
        [field]
        name = "gaussian"
        [solver]
        name = "euler"
        steps = 2
        [energy.kpe]
    """)
    assert forest(run) is None
