"""What nobody would write ends in an error of kinetic or in a result; see tests/bench/fuzz.py."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "bench"))

import fuzz


@pytest.mark.parametrize(("way", "n", "accepted"), [("recipes", 250, 5), ("runs", 40, 1), ("scores", 120, 5)])
def test_what_nobody_would_write_is_refused_by_an_error_of_kinetic_or_done(way, n, accepted):
    account = fuzz.many(way, n)
    assert not account.faults, "\n".join(account.lines())
    assert account.tried >= n
    assert account.accepted >= accepted


def test_a_foreign_error_and_what_takes_too_long_are_faults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "LONGEST", 1)
    account = fuzz.Account()
    account.enter(lambda: int("x"), "no number")
    account.enter(lambda: [None for _ in iter(int, 1)], "without end")
    account.enter(lambda: fuzz.build("", ["no override"]), "nothing")
    assert sorted(fault.partition(" ")[0] for fault in account.faults) == ["TooLongError", "ValueError"]
    assert (account.tried, account.refused.total()) == (3, 1)
