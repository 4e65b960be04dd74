import pytest

from kinetic._store import journal
from kinetic.errors import StoreError


def test_lines_come_back_in_their_order(tmp_path):
    for i in range(3):
        journal.append(tmp_path / "x.jsonl", {"i": i, "text": "\n\u2028é"})
    assert [line["i"] for line in journal.read(tmp_path / "x.jsonl")] == [0, 1, 2]
    assert len((tmp_path / "x.jsonl").read_bytes().splitlines()) == 3


@pytest.mark.parametrize("torn", range(1, 10))
def test_a_torn_line_is_left_out_and_spoils_no_line_after_it(tmp_path, torn):
    path = tmp_path / "x.jsonl"
    for i in range(2):
        journal.append(path, {"i": i})
    path.write_bytes(path.read_bytes()[:-torn])
    journal.append(path, {"i": 7})
    numbers = [line["i"] for line in journal.read(path)]
    assert numbers == ([0, 1, 7] if torn == 1 else [0, 7])


@pytest.mark.parametrize("line", ["", "{", "3", "[1]", '"text"', "[" * 100_000, "\x00\xff"])
def test_what_is_no_line_of_ours_is_left_out(tmp_path, line):
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"i": 1}}\n{line}\n{{"i": 2}}\n')
    assert list(journal.read(path)) == [{"i": 1}, {"i": 2}]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"x\.jsonl cannot be written: No such file"):
        journal.append(tmp_path / "no" / "x.jsonl", {})


def test_the_lines_of_all_processes_are_read(tmp_path):
    for writer in ("", "1", "2"):
        journal.append(tmp_path / (f"events.{writer}.jsonl" if writer else "events.jsonl"), {"writer": writer})
    assert [line["writer"] for line in journal.lines_in(tmp_path, "events")] == ["", "1", "2"]


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "theirs.txt").write_text("mine")
    (tmp_path / "x.jsonl").symlink_to(tmp_path / "theirs.txt")
    with pytest.raises(StoreError, match=r"x\.jsonl cannot be written: it is a link\n  Put the file itself"):
        journal.append(tmp_path / "x.jsonl", {})
    assert (tmp_path / "theirs.txt").read_text() == "mine"
