import io
from pathlib import Path

import attrs
from rich.console import Console

from kinetic._report.folders import in_words, print_status, print_verified, print_why
from kinetic._store.status import RunProgress, RunStatus
from kinetic._store.verify import Verified
from kinetic._store.why import Why


def printed(show, value):
    out = io.StringIO()
    show(value, Console(file=out, width=200))
    return out.getvalue()


def test_blocks_are_named_up_to_eight():
    assert in_words([(0, 25), (50, 75)]) == "0 to 24, 50 to 74"
    assert in_words([(i, i + 1) for i in range(10)]).endswith(", 7 to 7 and 2 more blocks")


WHOLE = Verified(Path("run"), 14, {}, (), (), {}, 3, is_finished=True)


def test_a_whole_run_is_one_line():
    assert printed(print_verified, WHOLE) == "run: all 14 listed files are what was written\n"
    cut = attrs.evolve(WHOLE, lacking={"kts": ((0, 5),)}, is_finished=False)
    assert printed(print_verified, cut).splitlines() == [
        "kts: 1 of 3 blocks not there yet: samples 0 to 4",
        "run: all 14 listed files are what was written; the run is not finished",
    ]


def test_what_is_wrong_with_a_folder_is_named_file_by_file():
    wrong = attrs.evolve(
        WHOLE, damaged={"a": "it is no file"}, missing=("[b]",), unlisted=("c",), lacking={"kts": ((0, 5),)}
    )
    assert printed(print_verified, wrong).splitlines() == [
        "damaged: a: it is no file",
        "missing: [b]",
        "not listed, nobody reads it: c",
        "kts: 1 of 3 blocks not there: samples 0 to 4",
        "run: 2 of 14 listed files are not what was written",
        "The same `kinetic run` draws samples and writes tables again where they are damaged or missing.",
    ]


WHY = Why(Path("run"), "", (), (), {}, {}, {}, 3, {})


def test_why_says_which_blocks_are_drawn_and_what_is_written():
    nothing = "run: no sample is drawn again; tables, evidence and report are written again from the samples\n"
    assert printed(print_why, WHY) == nothing
    some = attrs.evolve(
        WHY, missing={"b": ((4, 5),)}, damaged={"a": ((0, 2),)}, files={"scores.json": "not written yet"}
    )
    assert printed(print_why, some).splitlines() == [
        "b: 1 of 3 blocks not there: samples 4 to 4",
        "a: 1 of 3 blocks damaged: samples 0 to 1",
        "scores.json: not written yet",
        "run: samples of b, a are drawn as said; tables, evidence and report are written again from the samples",
    ]


def test_why_says_what_a_run_would_be_refused_for():
    refused = attrs.evolve(
        WHY, refused="run holds another run:\n  x", recipe=("x is 1 there and 2 here",), origin=("y",)
    )
    assert printed(print_why, refused).splitlines() == [
        "recipe: x is 1 there and 2 here",
        "made by: y",
        "refused: run holds another run:",
        "  x",
    ]


def test_the_status_is_a_line_for_each_run_and_what_stands_out():
    runs = (
        RunProgress("plain", 3, 3, 12, 1, 2, 120.72, 4.0, 0.0),
        RunProgress("[kts]", 1, 3, 5, 0, 0, None, None, 7200.0),
    )
    status = RunStatus(
        Path("run"), "running", 7, "here", ("", "rank-1"), "shard", 200.0, 3 * 2**20, None, 7200.0, ((8, 4),), runs
    )
    lines = [" ".join(line.split()) for line in printed(print_status, status).splitlines()]
    assert lines == [
        "run: running, process 7 on here",
        "last event: shard, 3 min ago",
        "run blocks samples samples/s NFE left out drawn again left",
        "plain 3/3 12 120.7 4 1 2 0 s",
        "[kts] 1/3 5 0 0 2 h 0 min",
        "time left at this speed: 2 h 0 min, without scores and evidence",
        "peak memory: 3 MiB",
        "processes: 2",
        "memory did not hold 8 samples at a time: 4 were tried",
    ]
