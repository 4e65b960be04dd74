"""Numbers say what they are known to, and no more."""

import re

import numpy as np
import pytest

from kinetic._report import numbers


def estimate(value, low, high):
    return {"value": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((0.42, 0.4, 0.44), "0.420 [0.400, 0.440]"),
        ((44.917, 44.62, 45.21), "44.92 [44.62, 45.21]"),
        ((123456.0, 123450.2, 123461.7), "123456 [123450, 123462]"),
        ((3.1e-5, 2.9e-5, 3.4e-5), "3.10e-5 [2.90e-5, 3.40e-5]"),
        ((1e-9, -1e-9, 3e-9), "1.0e-9 [-1.0e-9, 3.0e-9]"),
        ((3e-11, 0.0, 1.2e-10), "3e-11 [0, 1.2e-10]"),
        ((-4e-4, -8e-4, -3e-6), "-4.0e-4 [-8.0e-4, -3e-6]"),
        ((9.96e-11, 5e-12, 2e-10), "1.0e-10 [5e-12, 2.0e-10]"),
        ((2e-5, 2e-5, 2e-5), "2e-5 [2e-5, 2e-5]"),
        ((-4e-5, -0.3, 0.2), "0.00 [-0.30, 0.20]"),
        ((-0.2, -150.0, 150.0), "0 [-150, 150]"),
        ((0.0, 0.0, 0.0), "0 [0, 0]"),
        ((0.25, None, None), "0.25"),
    ],
)
def test_an_interval_is_said_in_the_digits_it_deserves(given, said):
    assert numbers.interval(estimate(*given)) == said


def test_no_interval_with_a_width_is_shown_without_one():
    rng = np.random.default_rng(0)
    for size in 10.0 ** rng.uniform(-12, 6, 200):
        shown = numbers.interval(estimate(size, size * 0.98, size * 1.02))
        low, high = re.search(r"\[(\S+), (\S+)\]", shown).groups()
        assert float(low) < float(high), (size, shown)


def test_scientific_notation_is_normalised():
    rng = np.random.default_rng(0)
    for size in 10.0 ** rng.uniform(-12, -3.1, 200):
        for text in re.findall(r"[-\d.e]+", numbers.interval(estimate(size / 3, size / 50, size))):
            assert re.fullmatch(r"[1-9](\.\d+)?e-\d+", text), text


def test_nothing_is_said_of_a_number_that_is_not_there():
    assert numbers.interval(None) == ""
    assert numbers.number(None) == ""


def test_intervals_side_by_side_share_the_places_of_most():
    three, two = estimate(2.6164, 2.582, 2.649), estimate(3.16, 3.10, 3.22)
    assert numbers.format_aligned([two, three, two]) == ["3.16 [3.10, 3.22]", "2.62 [2.58, 2.65]", "3.16 [3.10, 3.22]"]
    assert numbers.format_aligned([three, three, two])[2] == "3.160 [3.100, 3.220]"
    assert numbers.format_aligned([None, two]) == ["", "3.16 [3.10, 3.22]"]


def test_an_interval_that_shared_places_would_hide_keeps_its_own():
    wide, tiny = estimate(1.945, 1.928, 1.961), estimate(3.77e-8, 3.69e-8, 3.84e-8)
    narrow, exact = estimate(0.02827, 0.02817, 0.02837), estimate(0.0, 0.0, 0.0)
    assert numbers.format_aligned([wide, wide, tiny, narrow, exact]) == [
        "1.945 [1.928, 1.961]",
        "1.945 [1.928, 1.961]",
        "3.77e-8 [3.69e-8, 3.84e-8]",
        "0.02827 [0.02817, 0.02837]",
        "0 [0, 0]",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("-0.5 [-1.0e-9, 2]", "−0.5 [−1.0e−9, 2]"),
        ("tau-08 - kts-2", "tau-08 − kts-2"),
        ("fd-infinity -3", "fd-infinity −3"),
    ],
)
def test_minus_signs_are_set_and_hyphens_stay(given, said):
    assert numbers.typeset(given) == said
