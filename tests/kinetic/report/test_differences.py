"""What is said of differences is what the rows say, in words and in tables."""

import shutil

import pytest

from kinetic import load_run
from kinetic._report.differences import differences, differences_in_brief, verdict
from kinetic._report.numbers import interval
from kinetic._store.run_folder import EVIDENCE, read_json, write_json


def column(run, arm, name):
    return run.rows(arm).sort_by("sample")[name].to_numpy().astype(float)


def cells(table, *first):
    return dict(zip(table.head, next(row for row in table.rows if row[: len(first)] == first), strict=True))


@pytest.fixture
def changed(full, tmp_path):
    """changed(rows): the run with these differences, `(name, (value, low, high))`, of a metric, kts minus plain."""

    def change(rows, metric="memorisation"):
        shutil.copytree(full.folder, tmp_path / "run")
        found = read_json(tmp_path / "run" / EVIDENCE)
        found["differences"] = [
            {"arm": "kts", "against": "plain", "metric": metric, "name": name}
            | dict(zip(("value", "low", "high"), numbers, strict=True))
            for name, numbers in rows
        ]
        write_json(tmp_path / "run" / EVIDENCE, found)
        return load_run(tmp_path / "run")

    return change


def test_differences_are_paired_by_sample(full):
    table = differences(full)
    for arm, base in full.provenance["against"].items():
        for name in ("kpe", "bending"):
            shown = next(row for row in table.rows if row[:3] == (arm, base, name))[3].partition(" ")[0]
            half = 0.501 * 10.0 ** -len(shown.partition(".")[2])
            assert float(shown) == pytest.approx((column(full, arm, name) - column(full, base, name)).mean(), abs=half)


def test_each_share_of_copies_stands_beside_its_guard(full):
    brief = differences_in_brief(full)
    shares = [name for name in brief.head if "f_mem" in name and not name.endswith("guard")]
    assert len(shares) == 2
    for name in shares:
        assert brief.head[brief.head.index(name) + 1] == f"{name}, guard"


@pytest.mark.parametrize(
    ("guard", "mark"),
    [
        ((-0.10, -0.12, -0.08), "clear"),
        ((0.01, -0.02, 0.03), "noise"),
        ((0.05, 0.03, 0.07), "noise"),
        (None, "clear"),
    ],
)
def test_a_fall_the_denoised_samples_do_not_share_is_marked_as_noise(changed, guard, mark):
    fall = (-0.10, -0.12, -0.08)
    run = changed([("memorised", fall)] + ([("memorised_denoised", guard)] if guard else []))
    assert differences(run).marks == (mark,)
    brief = differences_in_brief(run)
    assert ("leftover noise only" in brief.head) == (mark == "noise")
    if mark == "noise":
        assert cells(brief, "kts - plain")["leftover noise only"] == "f_mem"
    said = verdict(run)["kts against plain"]
    assert [*said] == ["leftover noise only" if mark == "noise" else "lower"]
    assert "f_mem -0.100 [-0.120, -0.080]" in said.popitem()[1]


@pytest.mark.parametrize(
    ("numbers", "kind", "words"),
    [
        ((-0.2, -0.3, -0.1), "lower", "kpe -0.20 [-0.30, -0.10]"),
        ((0.2, 0.1, 0.3), "higher", "kpe 0.20 [0.10, 0.30]"),
        ((0.2, -0.1, 0.5), "no clear difference", "kpe"),
    ],
)
def test_the_verdict_goes_by_the_interval(changed, numbers, kind, words):
    assert verdict(changed([("kpe", numbers)], "energy")) == {"kts against plain": {kind: words}}


def test_a_guard_is_told_where_it_differs(changed):
    fall, more = (-0.10, -0.12, -0.08), (-0.11, -0.13, -0.09)
    run = changed([("memorised", fall), ("memorised_denoised", more)])
    assert verdict(run)["kts against plain"]["lower"].endswith(
        f"(guard {interval(dict(zip(('value', 'low', 'high'), more, strict=True)))})"
    )


def test_without_guards_nothing_is_said_of_them(changed):
    run = changed([("kpe", (-0.2, -0.3, -0.1))], "energy")
    for table in (differences(run), differences_in_brief(run)):
        assert not [text for text in (table.caption, *table.head) if "guard" in text]


def test_the_verdict_has_every_pair_of_arms_and_a_score_of_each_metric(full):
    said = verdict(full)
    assert [*said] == [f"{arm} against {base}" for arm, base in full.provenance["against"].items()]
    for found in said.values():
        for word in ("kpe", "f_mem", "fd"):
            assert any(word in words for words in found.values()), word


def test_one_arm_alone_has_no_verdict(changed):
    run = changed([])
    assert verdict(run) == {}
    assert differences(run) is differences_in_brief(run) is None
