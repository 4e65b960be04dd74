import inspect

import pytest

from kinetic import errors
from kinetic.errors import KineticError, NonFiniteError, shown, unknown, within


def test_every_error_is_a_kinetic_error_and_the_builtin_it_resembles():
    kinds = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, KineticError)]
    assert len(kinds) >= 9
    for cls in kinds:
        if cls is not KineticError:
            assert len(cls.__mro__) > len(KineticError.__mro__) + 1


def test_an_unknown_name_gets_the_nearest_and_all_known_ones():
    said = str(unknown("no solver is named", "hein", ["rk4", "heun", "euler"], "Look here."))
    assert said == "no solver is named 'hein'. Did you mean 'heun'?\n  known: euler, heun, rk4\n  Look here."
    assert "Did you mean" not in str(unknown("no solver is named", "zzz", ["rk4"]))
    assert "known: none" in str(unknown("no solver is named", "zzz", []))


def test_a_long_list_of_samples_is_cut():
    said = str(NonFiniteError(range(20), 0.25))
    assert said.startswith("the velocity is not finite at t = 0.25 for 20 sample(s): 0, 1, 2, 3, 4, 5, 6, 7, ...")


def test_an_error_says_where_it_comes_from_and_stays_what_it_is():
    with pytest.raises(NonFiniteError) as caught, within("arm 'kts'"), within("meter 'kpe'"):
        raise NonFiniteError([3], 0.25)
    assert str(caught.value).startswith("arm 'kts': meter 'kpe': the velocity is not finite")
    assert caught.value.ids == (3,)
    with pytest.raises(ZeroDivisionError, match=r"^division by zero$"), within("arm 'kts'"):
        _ = 1 / 0


def test_a_value_is_shown_in_few_letters_whatever_it_is():
    assert shown([1, "a"]) == "[1, 'a']"
    assert shown(10**400) == "a number of 401 digits or so"
    assert shown("x" * 5000) == f"'{'x' * 196}..."
    assert shown([10**5000]) == "a list too large to show"
