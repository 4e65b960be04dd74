from types import SimpleNamespace

import pytest

from kinetic._report import claims


def row(word="holds", **more):
    part = {"what": "kpe, b minus a", "views": {"plain": {"value": -0.5, "low": -0.6, "high": -0.4}}}
    parts = [{**part, "delta": 0.1, "unit": "", "n": 9, "because": ""}]
    given = {"statement": "It is lower", "word": word, "n_to_decide": None, "of": "samples", "post_hoc": False}
    return {**given, "parts": parts, **more}


def said(*rows):
    return claims.verdicts(SimpleNamespace(claims=list(rows)))


def test_a_verdict_begins_with_its_word_and_says_its_numbers():
    ((statement, words),) = said(row())
    assert statement == "It is lower"
    assert words == "Holds: kpe, b minus a -0.50 [-0.60, -0.40] (0.1 would matter)."


@pytest.mark.parametrize(
    ("more", "words"),
    [({"n_to_decide": 1100}, "Undecided; about 1,100 samples would decide, were these the truth: kpe"),
     ({"of": "trainings"}, "Undecided, and more trainings would not decide: kpe")],
)  # fmt: skip
def test_what_is_undecided_says_what_would_decide(more, words):
    assert said(row("undecided", **more))[0][1].startswith(words)


def test_views_stand_beside_the_plain_one_and_what_has_no_number_says_why():
    views = {view: {"value": v, "low": v - 0.1, "high": v + 0.1} for view, v in (("plain", -0.5), ("control", 0.2))}
    parts = [
        {"what": "w", "views": views, "delta": 0.0, "unit": "", "because": ""},
        {"what": "v", "views": {}, "delta": 0.0, "unit": "", "because": "nothing"},
    ]
    words = said(row("undecided", parts=parts))[0][1]
    assert words.endswith("w -0.50 [-0.60, -0.40] (control 0.20 [0.10, 0.30]); v: nothing.")
    assert said(row("undecided", parts=parts[1:]))[0][1] == "Undecided: v: nothing."


def test_claims_of_one_statement_are_all_said_and_late_ones_are_exploratory():
    both = said(row(), row(post_hoc=True))
    assert len(both) == 2
    assert both[1][1].endswith("Declared when the run had been finished before, so it is exploratory.")


def test_the_lead_says_how_many_and_by_which_rule():
    assert claims.lead(SimpleNamespace(claims=[])) == ""
    assert claims.lead(SimpleNamespace(claims=[row()])).startswith("1 declared claim. ")
    assert "exploratory" in claims.lead(SimpleNamespace(claims=[row(), row()]))
