"""What nobody would write ends in an error of kinetic or in a result; see tests/bench/fuzz.py."""

import sys
from pathlib import Path

import attrs
import pytest

from kinetic.errors import OptionError

sys.path.insert(0, str(Path(__file__).parent / "bench"))

import fuzz

pytestmark = pytest.mark.proof


@pytest.mark.parametrize(("way", "n"), [("recipes", 300), ("runs", 60), ("scores", 150)])
def test_what_nobody_would_write_is_refused_by_an_error_of_kinetic_or_done(way, n):
    account = fuzz.many(way, n)
    assert not account.faults, "\n".join(account.lines())
    assert account.tried >= n
    assert account.accepted  # the first of them, which is good


def test_a_foreign_error_and_what_takes_too_long_are_faults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "LONGEST", 1)
    account = fuzz.Account()
    account.enter(lambda: int("x"), "no number")
    account.enter(lambda: [None for _ in iter(int, 1)], "without end")
    account.enter(lambda: fuzz.build("", ["no override"]), "nothing")
    assert sorted(fault.partition(" ")[0] for fault in account.faults) == ["TooLongError", "ValueError"]
    assert (account.tried, account.refused.total()) == (3, 1)


@pytest.mark.parametrize(
    ("role", "name", "option", "most"),
    [
        *[("solver", name, "steps", 10**6) for name in ("euler", "heun", "rk4", "ab2", "dpm++2m")],
        ("meter", "power", "bins", 10**6),
        ("metric", "kid", "subsets", 10**5),
        ("metric", "fd-infinity", "points", 1000),
        ("metric", "posterior-signals", "grid", 10**5),
        ("metric", "log-likelihood", "probes", 10**4),
        ("features", "dinov2", "size", 10**4),
        ("features", "module", "size", 10**4),
    ],
)  # fmt: skip
def test_a_number_of_rounds_that_would_never_end_is_refused_with_its_bound(role, name, option, most):
    field = attrs.fields_dict(fuzz.KNOWN.classes[role][name])[option]
    field.validator(None, field, most)
    for beyond in (most + 1, 2**63 - 1):
        with pytest.raises(OptionError, match=f"{option!r} must be an int >= . and <= {most}.*: {beyond}"):
            field.validator(None, field, beyond)
