import pytest

from kinetic._store import opened
from kinetic._store.run_folder import RunFolder
from kinetic.errors import StoreError

MADE = {"a": {"field": "12"}}


def test_a_writer_joins_the_folder_that_another_process_leads_and_keeps_a_list_of_its_own(tmp_path):
    with RunFolder.open(tmp_path, {"run": {"samples": 3}}, MADE, batch=2) as leader:
        with RunFolder.join(leader.opened(), MADE, "rank-1") as folder:
            folder.save_json("scores.json", {})
            folder.record("finished")
            assert (folder.batch, folder.is_new, folder.made("a")) == (2, True, leader.made("a"))
            folder.set_batch(1)
            assert "batch = 2" in (tmp_path / "recipe.toml").read_text()
        assert (tmp_path / "manifest.rank-1.jsonl").exists()
        assert '"writer": "rank-1"' in (tmp_path / "events.rank-1.jsonl").read_text()
        leader.manifest.refresh()
        assert leader.manifest.check("scores.json")


def test_a_writer_with_other_code_or_another_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opened, "PATIENCE", 0.0)
    with RunFolder.open(tmp_path, {"run": {"samples": 3}}, MADE) as leader:
        told = leader.opened()
        said = r"are made otherwise there, .*, than here:\n  a\.field is '12' there and '13' here\n  Start all"
        with pytest.raises(StoreError, match=said), RunFolder.join(told, {"a": {"field": "13"}}, "rank-1"):
            pass
        (tmp_path / "recipe.toml").unlink()
        said = "does not hold the recipe that the process that leads wrote there\n  Choose a folder"
        with pytest.raises(StoreError, match=said), RunFolder.join(told, MADE, "rank-1"):
            pass
