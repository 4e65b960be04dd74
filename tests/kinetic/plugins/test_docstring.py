"""Docstrings in the width of any terminal."""

from kinetic._plugins.docstring import arguments, prose


class Weighed:
    """The weight of a sample, which takes
    two lines to say.

    With a formula:
        w = m g
        in newtons.
    And what follows it
    in two lines.

    Columns: `weight`,
    one.
    Args:
        m: mass; this, too,
            goes on.
        g, h: two of one kind.

    Source: Newton,
    cited: 1687.
    """


class Silent:
    pass


def test_paragraphs_are_single_lines_and_formulas_stay():
    assert prose(Weighed).splitlines() == [
        "The weight of a sample, which takes two lines to say.",
        "",
        "With a formula:",
        "    w = m g",
        "    in newtons.",
        "And what follows it in two lines.",
        "",
        "Columns: `weight`, one.",
        "",
        "Source: Newton, cited: 1687.",
    ]


def test_what_is_said_of_each_option_is_found():
    assert arguments(Weighed) == {"m": "mass; this, too, goes on.", "g": "two of one kind.", "h": "two of one kind."}


def test_a_class_that_says_nothing_has_nothing():
    assert prose(Silent) == ""
    assert arguments(Silent) == {}
