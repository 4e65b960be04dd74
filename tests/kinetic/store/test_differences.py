from kinetic._store.differences import differences


def test_each_value_that_is_not_the_same_has_a_line():
    theirs = {"run": {"samples": 3, "seed": 1}, "arms": {"a": {}}, "title": "x"}
    ours = {"run": {"samples": 4, "seed": 1}, "arms": {"a": {"field": {"t": 1}}}}
    assert list(differences(theirs, ours)) == [
        "run.samples is 3 there and 4 here",
        "arms.a.field is missing there and {'t': 1} here",
        "title is 'x' there and missing here",
    ]


def test_a_number_of_another_type_is_another_value():
    assert list(differences({"a": 1}, {"a": 1.0})) == ["a is 1 there and 1.0 here"]
    assert list(differences({"a": True}, {"a": 1})) == ["a is True there and 1 here"]
    assert list(differences({"a": [1, 2]}, {"a": [1, 2]})) == []
