"""The columns of every run, whatever its meters."""

from __future__ import annotations

from kinetic._roles.column import Column

NORMS = ("x0_sq", "x0_dot_x1", "x1_sq")
"""The parts of the displacement; what partial correlations hold fixed."""

IDENTITY = ("arm", "sample", "class", "prompt")
"""What a row of the table is of."""

UNTIL = "finite_until"
"""The column of the time up to which a path was finite; NaN where it was to the end."""

OWN = (
    Column("nfe", "Velocities asked for.", "count"),
    Column("rows", "Rows that networks were asked for, where a velocity takes more or less than one.", "count"),
    Column("x0_sq", "||x0||^2, of the noise.", "energy", "squared data units", main=False),
    Column("x0_dot_x1", "<x0, x1>.", "energy", "squared data units", main=False),
    Column("x1_sq", "||x1||^2, of the sample.", "energy", "squared data units", main=False),
    Column(
        "gain",
        "Mean gain I: the time whose noise the sample still has, where it is below 1.",
        "label",
    ),
    Column(
        "noise_left",
        "What one more Euler step would still change, as a root mean square per element.",
        "error",
        "data units",
        better="lower",
    ),
    Column("status", "Whether the path reached t = 1, or why not.", "label", main=False),
    Column(UNTIL, "The time up to which the path was finite, where it was not to the end.", "label", main=False),
)
"""What the Runner itself adds; a status that a solver gives is the solver's."""

OF_SOLVERS = ("status", "t_end")
"""Columns of a solver that mean something to the Runner; see `Solver.solve`."""

RESERVED = frozenset([*IDENTITY, *(column.name for column in OWN)]) - {*OF_SOLVERS}
"""Names that no meter and no solver may give a column."""
