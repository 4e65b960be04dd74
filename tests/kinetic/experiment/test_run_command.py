import pytest

from kinetic._experiment.run_command import run_gather, run_part, run_ranks
from kinetic.errors import OptionError


def test_a_part_is_drawn_and_says_how_all_are_gathered(shaky, tmp_path, capsys):
    for i in (2, 1):
        run_part(str(shaky), None, "cpu", ["run.samples=14"], None, None, f"{i}/2")
        assert capsys.readouterr().out.splitlines() == [
            f"part {i} of 2 is drawn: 2 blocks in runs/shaky",
            "when all are, `kinetic gather runs/shaky` judges them",
        ]
    run_gather(tmp_path / "runs" / "shaky", "cpu", None)
    assert "kpe" in capsys.readouterr().out


def test_a_part_is_not_shared_by_ranks(shaky, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(OptionError, match=r"--part 1/2 draws a part by one process, .* one of 4\n  Leave --part out"):
        run_part(str(shaky), None, "cpu", [], None, None, "1/2")


@pytest.mark.parametrize("leads", [True, False])
def test_what_ctrl_c_stops_ends_with_130_and_one_sentence_of_the_process_that_leads(
    shaky, monkeypatch, capsys, tmp_path, leads
):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("kinetic._experiment.run_command.load_recipe", stop)
    monkeypatch.setattr("kinetic._experiment.run_command.Ranks.leads", leads)
    with pytest.raises(SystemExit) as ended:
        run_ranks(str(shaky), tmp_path, "cpu")
    assert ended.value.code == 130
    assert capsys.readouterr().err.startswith("stopped; what was finished is kept") == leads
