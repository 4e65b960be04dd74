"""A plugin nobody here has seen: all eight roles, in a recipe, on the page, in the evidence and on the terminal."""

import io
import textwrap

import numpy as np
import pytest
from rich.console import Console

import kinetic
from kinetic import load_recipe
from kinetic._report import print_brief, print_report

PLUGIN = """
    import attrs, torch
    import kinetic
    from kinetic import Column, Estimate, Score, options


    @attrs.frozen(eq=False)
    class Spiral(kinetic.VelocityField):
        event_shape = torch.Size([2])

        def velocity(self, x, t, batch=None):
            return torch.stack([-x[:, 1], x[:, 0]], 1) * (1 - 0.5 * t[:, None]) + 1


    @attrs.frozen(eq=False)
    class Thirds(kinetic.TimeGrid):
        def times(self, steps):
            return [(k / steps) ** 3 for k in range(steps)] + [1.0]


    @attrs.frozen(eq=False)
    class Plain(kinetic.Solver):
        steps: int = options.integer(6, at_least=1, doc="how many")
        grid: kinetic.TimeGrid = options.component(kinetic.TimeGrid, Thirds(), doc="where they end")
        described = (Column("whim", "Whim of the solver.", "count"),)

        def solve(self, velocity, x0):
            x, times = x0, self.grid.times(self.steps)
            for start, stop in zip(times[:-1], times[1:]):
                t0, t1 = (x0.new_full((len(x0),), t, dtype=torch.float64) for t in (start, stop))
                v = velocity(x, t0, slice(None))
                x1 = x + (stop - start) * v
                yield kinetic.Step(slice(None), t0, t1, x, x1, (kinetic.Stage(t0, v, 1.0),))
                x = x1
            return {"whim": x0.new_full((len(x0),), 7.0, dtype=torch.float64)}


    @attrs.frozen(eq=False)
    class Half(kinetic.Schedule):
        breakpoints = ()

        def gain(self, t, x, v):
            return 0.9 + 0 * t


    @attrs.frozen(eq=False)
    class Fuss(kinetic.EnergyMeter):
        described = (
            Column("fuss", "Fuss a path makes about nothing.", "energy", "squared data units"),
            Column("late_fuss", "Fuss it makes late.", "energy", "squared data units"),
        )

        def adds(self, step):
            return {"all": step.energy, "late": step.energy * (step.t0 > 0.5)}

        def columns(self, sums, x0, x1):
            return {"fuss": sums["all"], "late_fuss": sums["late"]}


    @attrs.frozen(eq=False)
    class Twice(kinetic.FeatureSpace):
        def features(self, x):
            return 2 * x.flatten(1).double()


    @attrs.frozen(eq=False)
    class Dots(kinetic.Dataset):
        labels = None
        event_shape = torch.Size([2])

        def __len__(self):
            return 30

        def read(self, start, stop):
            return torch.arange(start, stop, dtype=torch.float32)[:, None].expand(-1, 2) / 30


    @attrs.frozen(eq=False)
    class Charm(kinetic.SampleMetric):
        described = (Column("charm", "Charm of a sample, however small.", "score", better="higher"),)

        def columns(self, samples):
            return {"charm": samples.x.double().sum(1)}


    @attrs.frozen(eq=False)
    class Gap(kinetic.FeatureMetric):
        reference: kinetic.Dataset = options.component(kinetic.Dataset)
        features: kinetic.FeatureSpace = options.component(kinetic.FeatureSpace, Twice())
        described = (Column("gap", "Gap between two means.", "score", better="lower"),)

        @property
        def references(self):
            return (self.reference,)

        def compare(self, ids, x, reference):
            return Score({"gap": Estimate(float((x.mean(0) - reference.double().mean(0)).norm()))})


    def offer(role, name, cls):
        def hook(register):
            register(name, cls)

        hook.__name__ = f"register_{role}"
        return kinetic.hookimpl(hook)


    for role, name, cls in (
        ("fields", "spiral", Spiral), ("grids", "thirds", Thirds), ("solvers", "plain", Plain),
        ("schedules", "half", Half), ("meters", "fuss", Fuss), ("features", "twice", Twice), ("datasets", "dots", Dots),
    ):
        globals()[f"register_{role}"] = offer(role, name, cls)


    @kinetic.hookimpl
    def register_metrics(register):
        register("charm", Charm)
        register("gap", Gap)
"""

RECIPE = """
    title = "A stranger"
    [run]
    samples = 60
    [data]
    name = "dots"
    [features]
    name = "twice"
    [field]
    name = "spiral"
    [solver]
    name = "plain"
    grid = "thirds"
    [energy.fuss]
    [metrics.charm]
    [metrics.gap]
    [arms.alone]
    [arms.halved]
    schedule = "half"
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stranger")
    site = folder / "site"
    info = site / "kinetic_stranger-1.0.dist-info"
    info.mkdir(parents=True)

    (site / "kinetic_stranger.py").write_text(textwrap.dedent(PLUGIN))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kinetic-stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kinetic]\nkinetic_stranger = kinetic_stranger\n")
    (folder / "r.toml").write_text(textwrap.dedent(RECIPE))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        yield load_recipe(folder / "r.toml").run(folder / "out", device="cpu")


SENTENCES = (
    "Fuss a path makes about nothing.",
    "Whim of the solver.",
    "Charm of a sample, however small.",
    "Gap between two means.",
)


def test_every_column_is_in_the_table_denoised_ones_where_noise_was_left(finished):
    names = finished.table.column_names
    assert {"fuss", "late_fuss", "whim", "charm.charm", "charm.charm_denoised", "gain", "noise_left"} <= {*names}
    halved, alone = finished.rows("halved"), finished.rows("alone")
    assert np.array(halved["charm.charm_denoised"]).std() > 0
    assert alone["charm.charm_denoised"].null_count == 60
    assert finished.scores["halved"]["gap"]["gap_denoised"]["value"] != finished.scores["halved"]["gap"]["gap"]["value"]


def test_the_evidence_compares_every_view_and_correlates_the_meters_own_energies(finished):
    rows = {(r["metric"], r["name"], r["view"]) for r in finished.evidence["differences"]}
    assert {("charm", "charm", view) for view in ("plain", "denoised", "control")} <= rows
    assert {("energy", "fuss", "plain"), ("energy", "late_fuss", "plain")} <= rows
    assert not any(name == "whim" for _, name, _ in rows)
    pairs = {(r["energy"], r["score"]) for r in finished.evidence["correlations"]["alone"] if r["shown"]}
    assert pairs == {("fuss", "charm"), ("late_fuss", "charm")}
    assert finished.evidence["columns"]["charm"]["charm"]["better"] == "higher"


def test_page_and_terminal_say_the_strangers_own_sentences(finished):
    page = (finished.folder / "report.html").read_text(encoding="utf-8")
    out = io.StringIO()
    print_report(finished, Console(file=out, width=200))
    for sentence in SENTENCES:
        assert sentence in page
        assert sentence in " ".join(out.getvalue().split())
    for word in ("fuss", "late_fuss", "whim", "charm", "gap"):
        assert word in out.getvalue()
    brief = io.StringIO()
    print_brief(finished, Console(file=brief, width=200))
    assert "fuss" in brief.getvalue()
    assert "charm" in brief.getvalue()


def test_provenance_names_the_owner_of_every_part(finished):
    owners = finished.provenance["owners"]
    for part in ("field spiral", "grid thirds", "solver plain", "schedule half", "meter fuss", "metric gap"):
        assert owners[part] == "kinetic_stranger (kinetic-stranger 1.0)"


def test_all_eight_roles_keep_the_contract(finished, monkeypatch):
    known = kinetic.registry()
    roles = {role for (role, _), owner in known.origins.items() if owner == "kinetic_stranger"}
    assert roles == {"field", "grid", "solver", "schedule", "meter", "metric", "features", "dataset"}
