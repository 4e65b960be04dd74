"""The tableau of Euler satisfies its order conditions."""

import pytest
from kinetic_solvers import Euler


def test_order_conditions_hold_up_to_the_stated_order_and_no_further(order_conditions):
    tableau = Euler().tableau
    held = [all(left == pytest.approx(right) for left, right in rows) for rows in order_conditions(tableau).values()]
    assert tableau.order == 1
    assert held == [order <= 1 for order in (1, 2, 3, 4)]


def test_stage_times_are_the_row_sums():
    tableau = Euler().tableau
    assert list(tableau.c[1:]) == pytest.approx([sum(row) for row in tableau.a])
