"""What is said of differences is what the rows say, in words and in tables."""

import shutil

import pytest
import torch

from kinetic import Estimate, load_recipe, load_run
from kinetic._experiment.between_arms import Difference
from kinetic._report.differences import differences, differences_in_brief, verdict
from kinetic._report.numbers import interval
from kinetic._store.files import read_json
from kinetic._store.layout import EVIDENCE

METRIC = "<img src=x onerror=alert(1)> $x^$"


def column(run, arm, name):
    return run.rows(arm).sort_by("sample")[name].to_numpy().astype(float)


def cells(table, *first):
    return dict(zip(table.head, next(row for row in table.rows if row[: len(first)] == first), strict=True))


@pytest.fixture
def changed(full, tmp_path, rewrite):
    """changed(rows): the run with these differences, `(name, view, (value, low, high))`, kts minus plain."""

    def change(rows, metric="memorisation"):
        shutil.copytree(full.folder, tmp_path / "run")
        found = read_json(tmp_path / "run" / EVIDENCE)
        found["differences"] = [
            {"arm": "kts", "against": "plain", "metric": metric, "name": name, "view": view}
            | dict(zip(("value", "low", "high"), numbers, strict=True))
            for name, view, numbers in rows
        ]
        by_name = {}
        for name, view, numbers in rows:
            by_name.setdefault(name, {})[view] = Estimate(*numbers)
        found["verdicts"] = [
            Difference(metric, name, views, 1.0, 60).verdict("kts", "plain", 0.005) for name, views in by_name.items()
        ]
        found["side_by_side"] = []
        label = next(iter(found["columns"].values()))["kpe"] | {"kind": "label", "value": "f_mem"}
        found["columns"]["memorisation"] = {"memorised": label | {"name": "memorised"}}
        rewrite(tmp_path / "run", EVIDENCE, found)
        return load_run(tmp_path / "run")

    return change


def test_differences_are_paired_by_sample(full):
    table = differences(full)
    for arm, base in full.provenance["against"].items():
        for name in ("kpe", "bending"):
            shown = next(row for row in table.rows if row[:3] == (arm, base, name))[3].partition(" ")[0]
            half = 0.501 * 10.0 ** -len(shown.partition(".")[2])
            assert float(shown) == pytest.approx((column(full, arm, name) - column(full, base, name)).mean(), abs=half)


def test_each_share_of_copies_stands_beside_its_other_views(full):
    brief = differences_in_brief(full)
    shares = [name for name in brief.head if "f_mem" in name and "," not in name]
    assert len(shares) == 2
    for name in shares:
        i = brief.head.index(name)
        assert brief.head[i + 1 : i + 3] == (f"{name}, denoised", f"{name}, control")


def test_a_control_is_the_other_arm_put_back_to_the_same_noise(full):
    """The view `control` is of denoised samples minus those of the other arm after the same step: two means apart."""
    rows = {(r["arm"], r["name"], r["view"]): r["value"] for r in full.evidence["differences"]}
    plain = column(full, "plain", f"{METRIC}.distance").mean()
    denoised = column(full, "kts", f"{METRIC}.distance_denoised").mean()
    assert rows["kts", "distance", "denoised"] == pytest.approx(denoised - plain)
    runner = load_recipe(full.folder / "recipe.toml").runners["plain"]
    base = runner.run(60, batch=25, classes=10, device="cpu")
    gain = torch.from_numpy(column(full, "kts", "gain"))
    control = runner.control(base, gain, batch=25, device="cpu", classes=10)[METRIC].values["distance"].value
    assert rows["kts", "distance", "control"] == pytest.approx(denoised - control)
    assert abs(control - plain) > 1e-6


@pytest.mark.parametrize(
    ("denoised", "control", "mark"),
    [
        ((-0.10, -0.12, -0.08), (-0.10, -0.12, -0.08), "clear"),
        ((-0.10, -0.12, -0.08), (0.01, -0.02, 0.03), "noise"),
        ((0.0, -0.001, 0.001), (0.001, -0.001, 0.003), "noise only"),
        ((0.05, 0.03, 0.07), (-0.10, -0.12, -0.08), "noise"),
        (None, None, "clear"),
    ],
)
def test_a_fall_that_not_all_views_share_is_undecided(changed, denoised, control, mark):
    fall = (-0.10, -0.12, -0.08)
    views = {"plain": fall, "denoised": denoised, "control": control}
    run = changed([("memorised", view, numbers) for view, numbers in views.items() if numbers])
    assert differences(run).marks == ("clear" if mark == "clear" else "noise",)
    undecided = "undecided, for the noise that was left"
    brief = differences_in_brief(run)
    assert (undecided in brief.head) == (mark == "noise")
    if mark == "noise":
        assert cells(brief, "kts - plain")[undecided] == "memorisation f_mem"
    said = verdict(run)["kts against plain"]
    assert [*said] == [{"noise": undecided, "noise only": "leftover noise only", "clear": "lower"}[mark]]
    kind, words = said.popitem()
    assert "f_mem -0.10" in words
    assert ("would decide" in words or "would not decide" in words) == (kind == undecided)


@pytest.mark.parametrize(
    ("numbers", "kind", "words"),
    [
        ((-0.2, -0.3, -0.1), "lower", "kpe -0.20 [-0.30, -0.10]"),
        ((0.2, 0.1, 0.3), "higher", "kpe 0.20 [0.10, 0.30]"),
        ((0.2, -0.1, 0.5), "no clear difference", "kpe"),
    ],
)
def test_the_verdict_goes_by_the_interval(changed, numbers, kind, words):
    assert verdict(changed([("kpe", "plain", numbers)], "energy")) == {"kts against plain": {kind: words}}


def test_a_view_is_told_where_it_differs(changed):
    fall, more = (-0.10, -0.12, -0.08), (-0.11, -0.13, -0.09)
    run = changed([("memorised", "plain", fall), ("memorised", "denoised", more), ("memorised", "control", fall)])
    shown = interval(dict(zip(("value", "low", "high"), more, strict=True)))
    assert verdict(run)["kts against plain"]["lower"].endswith(f"(denoised {shown})")


def test_without_other_views_nothing_is_said_of_them(changed):
    run = changed([("kpe", "plain", (-0.2, -0.3, -0.1))], "energy")
    for table in (differences(run), differences_in_brief(run)):
        assert not [text for text in (table.caption, *table.head) if "denoised" in text or "control" in text]


def test_the_verdict_has_every_pair_of_arms_and_a_score_of_each_metric(full):
    said = verdict(full)
    assert [*said] == [f"{arm} against {base}" for arm, base in full.provenance["against"].items()]
    for found in said.values():
        for word in ("kpe", "f_mem"):
            assert any(word in words for words in found.values()), word


def test_one_arm_alone_has_no_verdict(changed):
    run = changed([])
    assert verdict(run) == {}
    assert differences(run) is differences_in_brief(run) is None
