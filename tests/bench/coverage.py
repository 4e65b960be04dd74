"""How often each interval holds the truth and each verdict is wrong, by simulation: `python tests/bench/coverage.py [WORD ...]`.

Prints the rows whose name or setting holds every word, all by default. `run.py --out docs/how-the-intervals-were-tested.md
coverage` writes the page. Seeds are fixed: a row prints the same wherever it runs alone.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from coverage_claims import CLAIMS
from coverage_intervals import INTERVALS
from coverage_rows import Row
from coverage_verdicts import VERDICTS
from timing import Table

PEERS = ("numpy", "scipy")


def tables(quick: bool, words: Sequence[str] = ()) -> list[Table]:
    """Coverage of the intervals, and what verdicts say of planted truths."""
    intervals, verdicts = (
        [row for row in rows if all(word.lower() in f"{row.name} {row.setting}".lower() for word in words)]
        for rows in (INTERVALS, [*VERDICTS, *CLAIMS])
    )
    return [
        Table(
            "Intervals: how often they hold the truth",
            ("interval", "truth", "n", "holds it, %", "replications"),
            [_interval(row, quick) for row in intervals],
            "95% is aimed at. +- is one standard error of the simulation.",
        ),
        Table(
            "Verdicts: what they say of planted truths",
            ("verdict", "truth", "n", "wrong, %", "says, %", "replications"),
            [_verdict(row, quick) for row in verdicts],
            "Wrong is what is false of the truth that was planted; undecided is never wrong. +- is one standard error of the simulation.",
        ),
    ]


def _outcomes(row: Row, quick: bool) -> list[object]:
    seed = zlib.crc32(f"{row.name} {row.setting} {row.n}".encode())
    rng = np.random.default_rng(seed)
    return [row.trial(rng) for _ in range(3 if quick else row.replications)]


def _interval(row: Row, quick: bool) -> list[str]:
    hits = _outcomes(row, quick)
    return [row.name, row.setting, f"{row.n:,}", _share([bool(hit) for hit in hits]), str(len(hits))]


def _verdict(row: Row, quick: bool) -> list[str]:
    said = _outcomes(row, quick)
    words = "; ".join(f"{word} {100 * count / len(said):.0f}" for word, count in Counter(map(str, said)).most_common())
    wrong = _share([word in row.wrong for word in said])
    return [row.name, row.setting, f"{row.n:,}", wrong, words, str(len(said))]


def _share(hits: Sequence[bool]) -> str:
    n, share = len(hits), float(np.mean(hits))
    error = np.sqrt(max(share * (1 - share), 1 / n / 4) / n)
    return f"{100 * share:.1f} +- {100 * error:.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="of a row's name or setting; all rows by default")
    for table in tables(quick=False, words=parser.parse_args().words):
        if table.rows:
            print(table.markdown(), flush=True)
