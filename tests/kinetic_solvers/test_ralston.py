"""The tableau of Ralston satisfies its order conditions."""

import pytest
from kinetic_solvers import Ralston


def test_order_conditions_hold_up_to_the_stated_order_and_no_further(order_conditions):
    tableau = Ralston().tableau
    held = [all(left == pytest.approx(right) for left, right in rows) for rows in order_conditions(tableau).values()]
    assert tableau.order == 2
    assert held == [order <= 2 for order in (1, 2, 3, 4)]


def test_stage_times_are_the_row_sums():
    tableau = Ralston().tableau
    assert list(tableau.c[1:]) == pytest.approx([sum(row) for row in tableau.a])
