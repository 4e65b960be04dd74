"""What is printed of the checks of a component."""

import io

from kinetic_schedules import Constant
from rich.console import Console

from kinetic._report.checks import print_checked
from kinetic.errors import CheckError
from kinetic.testing import checks


def printed(*given):
    out = io.StringIO()
    print_checked(*given, Console(file=out, width=200))
    return out.getvalue()


def test_each_promise_is_a_line_and_a_broken_one_says_what_came_and_the_way_on():
    first, second, *_ = checks(Constant(0.5))
    lines = printed("schedule constant", [(first, None), (second, CheckError("it owes", "it came", "Do so."))], "")
    words = [line.split() for line in lines.splitlines()]
    assert words[0] == ["schedule", "constant"]
    assert words[2][:2] == ["ok", first.name]
    assert words[3][:2] == ["broken", second.name]
    assert words[4:] == [["expected", "it", "owes"], ["came", "it", "came"], ["way", "on", "Do", "so."]]


def test_what_could_not_be_made_is_said_in_place_of_a_table():
    assert printed("grid given", [], "no times\n  In Python: ...") == (
        "grid given\n  not checked: no times\n  In Python: ...\n"
    )
