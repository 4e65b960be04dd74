"""`kinetic check`: everything that a plugin offers, made and held to its promises."""

import pytest

from kinetic._experiment.check_command import check_plugin
from kinetic.errors import PluginError, UnknownNameError

SOURCE = '''
    import attrs, torch
    import kinetic
    from kinetic import options


    @attrs.frozen(eq=False)
    class Kept(kinetic.Schedule):
        """A gain of 1."""

        breakpoints = ()

        def gain(self, t, x, v):
            return torch.ones_like(t)


    @attrs.frozen(eq=False)
    class Negative(kinetic.Schedule):
        """A gain below 0."""

        breakpoints = ()

        def gain(self, t, x, v):
            return t - 0.5


    @attrs.frozen(eq=False)
    class Needy(kinetic.TimeGrid):
        """A grid that needs to be told."""

        power: float = options.number(above=0, doc="of the time")

        def times(self, steps):
            return [0.0, *((k / steps) ** self.power for k in range(1, steps)), 1.0]


    @attrs.frozen(eq=False)
    class Nearest(kinetic.SampleMetric):
        """How far the first point is; `mean` has what `distance` is called."""

        train: kinetic.Dataset = options.component(kinetic.Dataset, doc="what samples are compared with")
        described = (kinetic.Column("apart", "How far the first point is."),)

        def columns(self, samples):
            return {"apart": (samples.x - self.train.read(0, 1)).flatten(1).double().norm(dim=1)}


    @kinetic.hookimpl
    def register_schedules(register):
        register("kept", Kept)
        register("negative", Negative)


    @kinetic.hookimpl
    def register_grids(register):
        register("needy", Needy)


    @kinetic.hookimpl
    def register_metrics(register):
        register("nearest-to-first", Nearest)
'''


@pytest.fixture
def mine(install):
    return install("kinetic-checked", "kinetic_checked", SOURCE)


def test_all_that_a_plugin_offers_is_checked_and_what_cannot_be_made_is_said(mine):
    checked = {each.name: each for each in check_plugin("kinetic_checked")}
    assert set(checked) == {"kept", "negative", "needy", "nearest-to-first"}
    assert not checked["kept"].failures
    assert not checked["nearest-to-first"].failures
    assert len(checked["nearest-to-first"].results) > 15
    [failure] = checked["negative"].failures
    assert failure.came == "the least is -0.5"
    assert "needs the option 'power'" in checked["needy"].unmade
    assert "kinetic.testing.checks(Needy(...))" in checked["needy"].unmade


def test_a_distribution_a_role_or_a_name_says_what_is_checked(mine):
    assert len(list(check_plugin("Kinetic_Checked"))) == 4
    assert [each.name for each in check_plugin("kinetic-checked", role="grid")] == ["needy"]
    assert [each.name for each in check_plugin("kinetic-checked", "kept")] == ["kept"]


def test_what_there_is_not_is_said(mine):
    with pytest.raises(UnknownNameError, match=r"named 'kinetic_checke'. Did you mean 'kinetic_checked'"):
        check_plugin("kinetic_checke")
    with pytest.raises(UnknownNameError, match=r"kinetic_checked offers no grid named 'kept'"):
        check_plugin("kinetic_checked", "kept", "grid")
    with pytest.raises(UnknownNameError, match="no role 'grids'"):
        check_plugin("kinetic_checked", role="grids")


def test_a_plugin_that_is_not_in_use_cannot_be_checked(install):
    install("kinetic-broken", "kinetic_broken", "raise ValueError('no')")
    with pytest.raises(PluginError, match=r"'kinetic_broken' is not in use: .*no\n  Mend this first"):
        check_plugin("kinetic_broken")


def test_what_the_defaults_do_not_make_a_recipe_of_the_plugin_does(install):
    site = install("kinetic-ours", "kinetic_ours", SOURCE)
    package = site / "kinetic_ours"
    package.mkdir()
    (site / "kinetic_ours.py").rename(package / "__init__.py")
    (package / "recipes").mkdir()
    (package / "recipes" / "needy-steps.toml").write_text(
        '[run]\nsamples = 2\n[field]\nname = "gaussian"\n[solver]\nname = "euler"\n'
        'grid = { name = "needy", power = 2.0 }\n'
    )
    [needy] = check_plugin("kinetic_ours", "needy")
    assert not needy.unmade
    assert not needy.failures
    assert needy.results[0][0].component.power == 2


SPACE = '''
    import attrs, torch
    import kinetic


    @attrs.frozen(eq=False)
    class Tall(kinetic.DataInMemory):
        """Images of 1 x 5 x 3."""

        def points(self):
            return torch.arange(150.0).view(10, 1, 5, 3) / 150, None


    @attrs.frozen(eq=False)
    class Columns(kinetic.FeatureSpace):
        """The columns of an image of 1 x 5 x 3, and of nothing else."""

        def features(self, x):
            if x.shape[1:] != (1, 5, 3):
                raise kinetic.errors.ShapeError("no")
            return x.sum((1, 2))


    @kinetic.hookimpl
    def register_datasets(register):
        register("tall", Tall)


    @kinetic.hookimpl
    def register_features(register):
        register("columns-of-5-by-3", Columns)
'''


def test_a_space_is_given_what_is_of_the_shape_of_its_plugins_own_data(install):
    install("kinetic-tall", "kinetic_tall", SPACE)
    [space] = check_plugin("kinetic_tall", "columns-of-5-by-3")
    assert space.results
    assert not space.failures
