from kinetic._store.layout import is_made_first, journal_name, journal_names, shard_name


def test_shards_are_named_after_arm_and_samples():
    assert shard_name("kts.b.seed-1", 500, 1000) == "shards/kts.b.seed-1/00000500-00001000.safetensors"


def test_the_file_of_the_leading_process_comes_first_and_others_are_told_by_their_kind():
    names = [journal_name("manifest", writer) for writer in ("10", "", "2")] + ["events.jsonl", "manifest.txt"]
    assert journal_names("manifest", names) == ["manifest.jsonl", "manifest.10.jsonl", "manifest.2.jsonl"]


def test_what_a_run_leaves_before_its_recipe_is_told_from_what_others_left():
    assert all(map(is_made_first, (".lock", ".recipe.toml.x.part", "manifest.jsonl", "events.3.jsonl")))
    assert not any(map(is_made_first, ("shards", "notes.txt", "recipe.toml", "manifest")))
