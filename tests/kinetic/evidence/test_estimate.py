import numpy as np
import pytest
from scipy import stats

from kinetic import evidence
from kinetic.errors import OptionError
from kinetic.evidence import _estimate as estimate

NAN, INF = float("nan"), float("inf")


def test_an_estimate_is_shown_in_few_digits_without_what_it_keeps():
    assert repr(evidence.jackknife(0.123456, np.full(20, 0.123456))) == "Estimate(0.1235 [0.1235, 0.1235])"
    assert repr(evidence.Estimate(12345.6)) == "Estimate(1.235e+04)"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((1.5, 1.0, 2.0), (1.5, 1.0, 2.0)),
        ((1.5, None, None), (1.5, None, None)),
        ((NAN, None, None), (None, None, None)),
        ((-INF, 1.0, 2.0), (None, None, None)),
        ((1.5, 1.0, INF), (1.5, None, None)),
        ((1.5, NAN, NAN), (1.5, None, None)),
    ],
)
def test_what_is_no_finite_number_is_written_as_none(given, kept):
    assert tuple(evidence.Estimate(*given).to_json().values()) == kept


def test_a_file_holds_the_ends_and_not_the_standard_error():
    assert evidence.Estimate(1.0, 0.0, 2.0, se=0.5, dof=9).to_json() == {"value": 1.0, "low": 0.0, "high": 2.0}


@pytest.mark.parametrize(
    ("ends", "sign"), [((0.1, 0.2), 1), ((-0.2, -0.1), -1), ((-0.1, 0.2), 0), ((0.0, 0.2), 0), ((None, None), 0)]
)
def test_the_sign_is_that_of_the_side_of_0_on_which_the_interval_lies(ends, sign):
    assert evidence.Estimate(0.15, *ends).sign == sign


@pytest.mark.parametrize(("dof", "level"), [(None, 0.95), (None, 0.9), (1, 0.95), (19, 0.95), (400, 0.9)])
def test_quantiles_are_those_of_the_normal_and_of_students_t(dof, level):
    law = stats.norm if dof is None else stats.t(dof)
    assert estimate.quantile(dof, level) == pytest.approx(law.ppf((1 + level) / 2), rel=1e-12)


def test_a_symmetric_interval_keeps_its_standard_error():
    made = estimate.symmetric(2.0, 0.5, 9)
    assert (made.value, made.se, made.dof) == (2.0, 0.5, 9)
    assert (made.low, made.high) == pytest.approx(stats.t.interval(0.95, 9, 2.0, 0.5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimate.column([1.0, NAN], "values"), "'values' must be finite: 1 of 2 values are not"),
        (lambda: estimate.column([[1.0]], "values"), "'values' must be a column (n,) with n >= 1: (1, 1)"),
        (lambda: estimate.pair([1, 2], [1]), "equally long: 2 and 1"),
        (lambda: estimate.margin(-0.1), "'delta' must be a number >= 0: -0.1"),
        (lambda: estimate.margin(NAN), "'delta' must be a number >= 0: nan"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(OptionError) as caught:
        call()
    assert message in str(caught.value)
