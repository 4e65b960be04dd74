"""The tableau of RK4 satisfies its order conditions."""

import pytest
from kinetic_solvers import RK4


def order_conditions(tableau):
    """Butcher's conditions up to order 4: left sides and what they must equal, grouped by order."""
    a = [[0.0] * len(tableau.c)] + [[*row, *[0.0] * (len(tableau.c) - len(row))] for row in tableau.a]
    b, c, n = tableau.b, tableau.c, range(len(tableau.c))
    ac = [sum(a[i][j] * c[j] for j in n) for i in n]
    return {
        1: [(sum(b), 1)],
        2: [(sum(b[i] * c[i] for i in n), 1 / 2)],
        3: [(sum(b[i] * c[i] ** 2 for i in n), 1 / 3), (sum(b[i] * ac[i] for i in n), 1 / 6)],
        4: [
            (sum(b[i] * c[i] ** 3 for i in n), 1 / 4),
            (sum(b[i] * c[i] * ac[i] for i in n), 1 / 8),
            (sum(b[i] * a[i][j] * c[j] ** 2 for i in n for j in n), 1 / 12),
            (sum(b[i] * a[i][j] * ac[j] for i in n for j in n), 1 / 24),
        ],
    }


def test_order_conditions_hold_up_to_the_stated_order_and_no_further():
    tableau = RK4().tableau
    held = [all(left == pytest.approx(right) for left, right in rows) for rows in order_conditions(tableau).values()]
    assert tableau.order == 4
    assert held == [order <= 4 for order in (1, 2, 3, 4)]


def test_stage_times_are_the_row_sums():
    tableau = RK4().tableau
    assert list(tableau.c[1:]) == pytest.approx([sum(row) for row in tableau.a])
