"""Butcher's order conditions, for every method's own file."""

import pytest


@pytest.fixture
def order_conditions():
    """order_conditions(tableau): left sides and what they must equal, grouped by order, up to order 4."""
    return _order_conditions


def _order_conditions(tableau):
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
