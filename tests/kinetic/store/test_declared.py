from kinetic._store.declared import declared


def test_a_claim_is_late_if_the_run_had_been_finished_when_it_was_first_there():
    new = declared({}, {"a": {"x": 1}})
    assert [entry["post_hoc"] for entry in new["claims"].values()] == [False]
    assert "first_finished" not in new
    again = declared({**new, "finished": "then"}, {"a": {"x": 1}, "b": {"x": 1}})
    assert {name: entry["post_hoc"] for name, entry in again["claims"].items()} == {"a": False, "b": True}
    assert again["claims"]["a"] == new["claims"]["a"]
    assert again["first_finished"] == "then"


def test_a_claim_that_was_changed_is_another_one():
    known = declared({}, {"a": {"x": 1}})
    changed = declared({**known, "finished": "then"}, {"a": {"x": 2}})
    assert changed["claims"]["a"]["post_hoc"]
    back = declared({**changed, "finished": "later"}, {"a": {"x": 1}})
    assert back["claims"]["a"]["post_hoc"]  # nobody knows what was seen meanwhile
    assert back["first_finished"] == "then"
