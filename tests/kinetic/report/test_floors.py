from types import SimpleNamespace

from kinetic._report.floors import floors


def row(arm, value, name="fd", low=0.8):
    real = {"value": 1.0, "low": low, "high": 1.2}
    return {
        "arm": arm,
        "metric": "frechet",
        "name": name,
        "n": 180,
        "m": 1180,
        "splits": 10,
        "real": real,
        "value": value,
    }


def table(*rows, drawn=("a", "b")):
    evidence = {"noise_floor": list(rows), "columns": {"frechet": {}}}
    return floors(SimpleNamespace(evidence=evidence, drawn=list(drawn)))


def test_a_score_stands_beside_its_range_with_all_arms_and_is_marked_where_one_lies_outside():
    known = table(row("a", 1.1), row("b", 1.3), row("a", 1.1, "other"), row("b", 1.0, "other"))
    assert known.head == ("score", "sizes", "real against real", "a", "b")
    assert known.rows[0] == ("frechet fd", "180 against 1,180", "1.00 [0.80, 1.20]", "1.1", "1.3")
    assert known.marks == ("clear", "")


def test_arms_whose_metrics_are_unlike_have_rows_of_their_own():
    known = table(row("a", 1.1), row("b", 1.3, low=0.5))
    assert [cells[3:] for cells in known.rows] == [("1.1", ""), ("", "1.3")]


def test_there_is_no_table_without_a_floor_or_of_an_older_run():
    assert table() is None
    assert floors(SimpleNamespace(evidence={}, drawn=["a"])) is None
