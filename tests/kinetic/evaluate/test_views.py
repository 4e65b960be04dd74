import pytest

from kinetic._evaluate.views import DENOISED, PLAIN, in_files, split
from kinetic.errors import OptionError


def test_names_in_files_say_the_view_and_can_be_read_back():
    named = in_files({PLAIN: {"fd": 1}, DENOISED: {"fd": 2}})
    assert named == {"fd": 1, "fd_denoised": 2}
    assert [split(name) for name in named] == [("fd", PLAIN), ("fd", DENOISED)]
    assert split("denoised_share") == ("denoised_share", PLAIN)


def test_a_name_that_two_would_have_is_refused():
    with pytest.raises(OptionError, match="two columns or values are called 'fd_denoised'"):
        in_files({PLAIN: {"fd_denoised": 1}, DENOISED: {"fd": 2}})
